"""Whether a network is as often right as it is sure, and what it gets wrong, in words."""

from __future__ import annotations

from typing import Any

from scene_classification.pictures.numbers import percent, span
from scene_classification.report.accuracy import against_chance, few
from scene_classification.report.numbers import count, plural, points
from scene_classification.report.verdicts import Standing, standing


def calibration(metrics: dict[str, Any], subject: str = "It") -> str:
    """Compare confidence with accuracy; empty for figures of a run that did not measure both.

    Args:
        metrics: What `metrics.measure` returns.
        subject: The network, at the start of a sentence.
    """
    gap, perfect = metrics.get("overconfidence"), metrics.get("error_if_calibrated")
    if gap is None or perfect is None:
        return ""
    found = standing(gap, 0.0)
    confidence = (metrics["accuracy"]["value"] or 0.0) + (gap["value"] or 0.0)
    told = (
        f"its mean confidence is {percent(confidence)}, its accuracy "
        f"{percent(metrics['accuracy']['value'])}, a difference in points of {points(gap)}"
    )
    if found is Standing.ABOVE:
        return f"{subject} is surer than it is right: {told}."
    if found is Standing.BELOW:
        return f"{subject} is right more often than it is sure: {told}."
    error = metrics["expected_calibration_error"]["value"]
    beyond = (
        f"the calibration error is {percent(error)}, and a network that is right exactly as often "
        f"as it is sure would have {percent(perfect['value'])} ({span(perfect)}) on as many images"
    )
    if standing(perfect, error) is Standing.BELOW:
        return (
            f"{subject} is not shown to be too sure or too unsure in the mean over all images: "
            f"{told}. Yet at some confidences it is: {beyond}."
        )
    return f"{subject} is not shown to be too sure or too unsure: {told}; {beyond}."


def wrong(metrics: dict[str, Any]) -> int:
    """Return how many test images were answered wrongly."""
    right = sum(row[place] for place, row in enumerate(metrics["confusion"]))
    return int(metrics["images"] - right)


def mistakes(metrics: dict[str, Any]) -> str:
    """Say how many mistakes there are, and which pairs of classes they fall on."""
    images, total = wrong(metrics), metrics["images"]
    if not images:
        return f"None: every one of the {plural(total, 'test image')} was answered correctly."
    shown = len(metrics["worst_mistakes"])
    which = "all of them" if shown == images else f"the {count(shown)} it was surest of"
    sentences = [
        f"{count(images)} of {plural(total, 'test image')} got a wrong answer; shown are {which}, "
        "the surest first."
    ]
    if against_chance(metrics) is not Standing.ABOVE:
        sentences.append(
            "As its answers are not shown to be better than guesses, which classes it mixes up "
            "says little."
        )
    return " ".join([*sentences, frequent(metrics["confused_pairs"])])


def frequent(pairs: list[dict[str, Any]]) -> str:
    """Name the mistakes that these test images show most often.

    Example:
        >>> frequent([{"true": "sea", "predicted": "glacier", "count": 2, "share": 0.2}])
        'The most frequent mistake on these images is to take sea for glacier: 2 images.'
    """
    if not pairs:
        return ""
    most = pairs[0]["count"]
    top = [f"{pair['true']} for {pair['predicted']}" for pair in pairs if pair["count"] == most]
    if len(top) == 1:
        return (
            f"The most frequent mistake on these images is to take {top[0]}: "
            f"{plural(most, 'image')}."
        )
    if len(top) == len(pairs) and len(top) > 3:
        return f"No pair of classes stands out: {plural(most, 'image')} each."
    told = few(top) if len(top) <= 8 else f"{count(len(top))} pairs of classes"
    return (
        f"The most frequent mistakes on these images are to take {told}: "
        f"{plural(most, 'image')} each."
    )
