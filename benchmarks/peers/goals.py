"""What kerascam set itself to reach beside the others, and whether a run bears it out."""

from typing import Any, NamedTuple

from .cases import KERAS, LAYERS, TORCH, Case
from .turns import Spread, Time, Times

OTHERS = KERAS[2:]
CAMS = ("Grad-CAM", "Grad-CAM++", "LayerCAM", "Eigen-CAM")


class Loss(NamedTuple):
    """A way in which kerascam comes behind in a row.

    Attributes:
        peer: The library that is ahead.
        how: In words.
        close: Whether the quartiles overlap: another run may say otherwise.
    """

    peer: str
    how: str
    close: bool


def losses(times: dict[str, Time]) -> list[Loss]:
    """List what kerascam loses in a row."""
    own, frozen = times.get("kerascam"), times.get("kerascam frozen")
    if own is None or frozen is None:
        return [Loss("kerascam", "failed", False)]
    lost = []
    for peer in OTHERS:
        if peer in times:
            lost.append(_behind(peer, f"slower than {peer}", times[peer].seconds, own.seconds))
    for peer in TORCH:
        if peer in times:
            how = f"more forward passes than {peer}"
            lost.append(_behind(peer, how, times[peer].ratio, own.ratio))
    if "torchcam" in times:
        how = "frozen slower than torchcam"
        lost.append(_behind("torchcam", how, times["torchcam"].seconds, frozen.seconds))
    return [loss for loss in lost if loss]


def _behind(peer: str, how: str, other: Spread, own: Spread) -> Loss | None:
    return Loss(peer, how, other.high > own.low) if other.median < own.median else None


def goals(times: Times, kinds: dict[str, dict[str, list[str]]]) -> list[tuple[str, str, bool]]:
    """Say of each goal what was measured, and whether it is met."""
    rows = []
    for model in LAYERS:
        found = {
            method: times[case]["kerascam"].ratio.median
            for method in CAMS
            if (case := Case(model, method, 8)) in times and "kerascam" in times[case]
        }
        if "Grad-CAM" in found:
            rows.append(
                (
                    f"a class activation map in at most 1.05 forward passes, {model}, batch 8",
                    f"Grad-CAM {found['Grad-CAM']:.2f}, at most {max(found.values()):.2f}",
                    max(found.values()) <= 1.05,
                )
            )
    rows += [faster(times, name, 2.0 if name == "tf-keras-vis" else 1.0) for name in OTHERS]
    lower = [
        times[case][name].ratio.median / times[case]["kerascam"].ratio.median
        for case in times
        for name in TORCH
        if name in times[case] and "kerascam" in times[case]
    ]
    if lower:
        text = f"in {sum(each > 1 for each in lower)} of {len(lower)} comparisons"
        rows.append(("fewer forward passes than the PyTorch libraries", text, min(lower) > 1))
    own = [
        times[case]["torchcam"].seconds.median / times[case]["kerascam frozen"].seconds.median
        for case in times
        if {"torchcam", "kerascam frozen"} <= set(times[case])
    ]
    if own:
        text = f"{min(own):.1f} to {max(own):.1f} times as fast"
        rows.append(("frozen no slower than torchcam, in milliseconds", text, min(own) >= 1))
    if kinds:
        right = sum(told[0] == "right" for told in kinds["kerascam"].values())
        count = len(kinds["kerascam"])
        rows.append(("every kind of model right", f"{right} of {count}", right == count))
    return rows


def faster(times: Times, name: str, least: float) -> tuple[str, str, bool]:
    """Compare with a Keras library in every row that both have."""
    found: list[Any] = [
        (times[case][name].seconds.median / times[case]["kerascam"].seconds.median, case)
        for case in times
        if {name, "kerascam"} <= set(times[case])
    ]
    title = f"{least:g} times as fast as {name} in every row" if least > 1 else (
        f"faster than {name} in every row"
    )  # fmt: skip
    if not found:
        return title, "not measured", False
    low, case = min(found)
    text = f"{low:.2f} ({case.method}, {case.model}, batch {case.batch}) to {max(found)[0]:.1f}"
    return title, text, low >= least if least > 1 else low > 1
