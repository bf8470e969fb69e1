"""How well a network tells the classes apart, in words that its intervals support."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from scene_classification.pictures.numbers import percent, span
from scene_classification.report.numbers import listed, plural
from scene_classification.report.verdicts import Standing, apart, both, settled, sort_by, standing

#: More often right than wrong.
HALF = 0.5


class Chance(NamedTuple):
    """What a guess gets that does not look at the image.

    Attributes:
        share: The share of the test images that it gets right.
        how: How to guess like that, as the subject of a sentence.
    """

    share: float
    how: str


def chance(metrics: dict[str, Any]) -> Chance:
    """Return the better of two guesses: any class, or always the most frequent one.

    Example:
        >>> sea, forest = {"support": 30}, {"support": 10}
        >>> chance({"images": 40, "per_class": {"sea": sea, "forest": forest}})
        Chance(share=0.75, how='always answering sea')
        >>> chance({"images": 40, "per_class": {"sea": sea, "forest": sea}}).how
        'guessing'
    """
    images = {name: one["support"] for name, one in metrics["per_class"].items()}
    most = pick_most(images)
    even = 1 / len(images)
    share = images[most] / max(1, sum(images.values()))
    if percent(share) == percent(even):
        return Chance(even, "guessing")
    return Chance(share, f"always answering {most}")


def pick_most(counts: dict[str, int]) -> str:
    """Return the name of the highest count, the first where several share it."""
    return max(counts, key=counts.__getitem__)


def against_chance(metrics: dict[str, Any]) -> Standing:
    """Return where the accuracy stands, seen from chance."""
    return standing(settled(metrics["accuracy"], metrics["images"]), chance(metrics).share)


def recognized(metrics: dict[str, Any]) -> dict[str, Standing]:
    """Return for each class whether it is more often right than wrong, seen from both sides.

    That is, whether more than half of the class's images get this answer (recall), and more than
    half of these answers are right (precision).
    """
    answers = [sum(column) for column in zip(*metrics["confusion"], strict=True)]
    return {
        name: both(
            standing(settled(one["recall"], one["support"]), HALF),
            standing(settled(one["precision"], answered), HALF),
        )
        for (name, one), answered in zip(metrics["per_class"].items(), answers, strict=True)
    }


def verdict(metrics: dict[str, Any], subject: str = "It") -> str:
    """Say in one or two sentences what the test images show of a network.

    Args:
        metrics: What `metrics.measure` returns.
        subject: The network, at the start of a sentence.
    """
    classes, images = metrics["classes"], plural(metrics["images"], "test image")
    if len(classes) < 2:
        return f"{subject} knows one class alone, so there is nothing to tell apart."
    guess, found = chance(metrics), against_chance(metrics)
    right = f"right on {percent(metrics['accuracy']['value'])} of {images}{_range(metrics)}"
    guessed = f"{guess.how} would be right on {percent(guess.share)}"
    if found is Standing.UNKNOWN:
        return f"{subject} is {right}, a figure without an interval; {guessed}."
    if found is Standing.BELOW:
        return f"{subject} does worse than chance: it is {right}, while {guessed}."
    if found is Standing.OPEN:
        return (
            f"{subject} cannot tell {few(classes)} apart, as far as these test images show: it is "
            f"{right}, and {guessed}."
        )
    told = recognized(metrics)
    if set(told.values()) == {Standing.ABOVE}:
        return f"{subject} tells {few(classes)} from each other: it is {right}, while {guessed}."
    return f"{subject} does better than chance: it is {right}, while {guessed}. {by_class(told)}"


def by_class(told: dict[str, Standing]) -> str:
    """Say which classes are recognized and which are not, or not surely.

    Example:
        >>> by_class({"sea": Standing.ABOVE, "forest": Standing.OPEN, "street": Standing.BELOW})
        'More often right than wrong: sea. Not shown to be: forest and street.'
        >>> by_class({"sea": Standing.OPEN})
        'It is not shown to be more often right than wrong on any single class.'
    """
    sure = sort_by(told, Standing.ABOVE)
    if not sure:
        return "It is not shown to be more often right than wrong on any single class."
    rest = [name for name in told if name not in sure]
    return f"More often right than wrong: {few(sure)}. Not shown to be: {few(rest)}."


def extremes(metrics: dict[str, Any]) -> str:
    """Compare the classes of the highest and of the lowest F1, as far as their intervals go."""
    scores = {
        name: one["f1"]
        for name, one in metrics["per_class"].items()
        if one["f1"]["value"] is not None
    }
    if len(scores) < 2:
        return ""
    best, worst = (pick(scores, key=lambda name: scores[name]["value"]) for pick in (max, min))
    high, low = scores[best], scores[worst]
    if high["value"] == low["value"]:
        return f"On these images all classes have the same F1, {percent(high['value'])}."
    found = (
        f"On these images {best} has the highest F1, {percent(high['value'])} ({span(high)}), and "
        f"{worst} the lowest, {percent(low['value'])} ({span(low)})"
    )
    supports = (metrics["per_class"][name]["support"] for name in (best, worst))
    if apart(*map(settled, (high, low), supports)) is Standing.ABOVE:
        return f"{found}; these ranges are apart."
    return f"{found}; as these ranges are not apart, the difference may be chance."


def few(names: Sequence[str]) -> str:
    """Return names as a sentence lists them, or how many there are.

    Example:
        >>> few(["sea", "forest"]), few([str(number) for number in range(12)])
        ('sea and forest', '12 classes')
    """
    return listed(names) if len(names) <= 8 else f"{len(names)} classes"


def _range(metrics: dict[str, Any]) -> str:
    ends = span(metrics["accuracy"])
    return f" ({ends})" if ends else ""
