"""What kerascam set itself to reach beside the others, and whether a run bears it out."""

from typing import Any

from .cases import KERAS, LAYERS, TORCH, Case
from .turns import Time, Times

OTHERS = KERAS[2:]
CAMS = ("Grad-CAM", "Grad-CAM++", "LayerCAM", "Eigen-CAM")


def marks(times: dict[str, Time]) -> list[str]:
    """List what kerascam loses in a row, one mark for each way to lose."""
    own, frozen = times.get("kerascam"), times.get("kerascam frozen")
    if own is None or frozen is None:
        return ["?"]
    lost = []
    for name in OTHERS:
        if name in times and times[name].seconds.median < own.seconds.median:
            close = times[name].seconds.high > own.seconds.low
            lost.append(f"slower than {name}" + (" (quartiles overlap)" if close else ""))
    for name in TORCH:
        if name in times and times[name].ratio.median < own.ratio.median:
            close = times[name].ratio.high > own.ratio.low
            lost.append(
                f"more forward passes than {name}" + (" (quartiles overlap)" if close else "")
            )
    other = times.get("torchcam")
    if other and other.seconds.median < frozen.seconds.median:
        close = other.seconds.high > frozen.seconds.low
        lost.append("frozen slower than torchcam" + (" (quartiles overlap)" if close else ""))
    return lost


def goals(times: Times, kinds: dict[str, dict[str, list[str]]]) -> list[tuple[str, str, bool]]:
    """Say of each goal what was measured, and whether it is met."""
    rows = []
    for model in LAYERS:
        found = [
            times[case]["kerascam"].ratio.median
            for method in CAMS
            if (case := Case(model, method, 8)) in times and "kerascam" in times[case]
        ]
        if found:
            rows.append(
                (
                    f"a class activation map in at most 1.05 forward passes, {model}, batch 8",
                    f"Grad-CAM {found[0]:.2f}, at most {max(found):.2f}",
                    max(found) <= 1.05,
                )
            )
    for name, least in (("tf-keras-vis", 2.0), ("xplique", 1.0), ("tf-explain", 1.0)):
        rows.append(faster(times, name, least))
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
    text = f"{low:.1f} ({case.method}, {case.model}, batch {case.batch}) to {max(found)[0]:.1f}"
    return title, text, low >= least if least > 1 else low > 1
