"""Whether maps lie on the evidence more than maps that know nothing, as far as intervals show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scene_classification.report.accuracy import against_chance
from scene_classification.report.numbers import listed, plural
from scene_classification.report.verdicts import Standing, apart, both, standing

MEASURES = {
    "share_inside": "more of their heat on the evidence than",
    "pointing_game": "their hottest place on the evidence more often than",
}


def evidence(
    found: dict[str, Any] | None, titles: Mapping[str, str], metrics: dict[str, Any] | None
) -> list[str]:
    """Compare every method with every baseline, measure by measure.

    Args:
        found: What `measurement.summarize` returned; None without masks.
        titles: The methods' titles, by name.
        metrics: What the network's answers are worth, where that was measured.
    """
    if found is None:
        return []
    sentences = [compared(found, titles, measure) for measure in MEASURES]
    empty = [
        f"{plural(one['empty_maps'], 'map')} of {_in_a_list(titles[name])}"
        for name, one in found["methods"].items()
        if one["empty_maps"]
    ]
    if empty:
        sentences.append(f"Empty, and left out of these figures: {listed(empty)}.")
    if metrics is not None and against_chance(metrics) is not Standing.ABOVE:
        sentences.append(
            "The network’s answers are not shown to be better than guesses: where its maps lie "
            "does not say how it tells the classes apart."
        )
    return sentences


def _in_a_list(title: str) -> str:
    """Return a title without its comma: LayerCAM, 2 layers, stands in lists of methods."""
    first, _, rest = title.partition(", ")
    return f"{first} ({rest})" if rest else first


def compared(found: dict[str, Any], titles: Mapping[str, str], measure: str) -> str:
    """Say which methods do better than which baselines by one measure."""
    baselines = found["baselines"]
    places = {
        name: tuple(against(one, baselines, baseline, measure) for baseline in baselines)
        for name, one in found["methods"].items()
    }
    groups: dict[tuple[Standing, ...], list[str]] = {}
    for name, place in places.items():
        groups.setdefault(place, []).append(_in_a_list(titles[name]))
    names = [f"a {one['title'][0].lower()}{one['title'][1:]}" for one in baselines.values()]
    return " ".join(_group(methods, place, names, measure) for place, methods in groups.items())


def against(
    method: dict[str, Any], baselines: dict[str, Any], baseline: str, measure: str
) -> Standing:
    """Compare a method with a baseline: their intervals are apart, and so on the same images."""
    gain = method["gain"][baseline][measure]
    return both(apart(method[measure], baselines[baseline][measure]), standing(gain, 0.0))


def _group(
    methods: list[str], place: tuple[Standing, ...], baselines: list[str], measure: str
) -> str:
    by = {
        wanted: [name for name, own in zip(baselines, place, strict=True) if own is wanted]
        for wanted in Standing
    }
    verb = "have" if len(methods) > 1 else "has"
    what = MEASURES[measure] if len(methods) > 1 else MEASURES[measure].replace("their", "its")
    less = what.replace("more", "less", 1)
    said = []
    if by[Standing.ABOVE]:
        said.append(f"{verb} {what} {listed(by[Standing.ABOVE])}")
    if by[Standing.BELOW]:
        said.append(f"{verb} {less} {listed(by[Standing.BELOW])}")
    if by[Standing.OPEN]:
        are = "are" if len(methods) > 1 else "is"
        said.append(f"{are} not shown to differ from {listed(by[Standing.OPEN])}")
    if by[Standing.UNKNOWN]:
        said.append("could not be measured")
    return f"{listed(methods)} {listed(said)}."
