"""Words the comparison of metrics: how long they take, and what memory they need."""

from typing import Any

from .cases import (
    AT_A_TIME,
    CURVE_STEPS,
    FORWARD,
    MEASURING,
    ROAD_IMAGES,
    Case,
)
from .page import head, missing, row
from .turns import Times

SECTION = "measuring"
NAMES = ("kerascam", "Quantus", "xplique")
LEAST = 10  # times as fast as Quantus

NOTES = [
    "",
    "MobileNetV2 with random weights, images of 224x224, smooth random maps that are given, "
    f"{CURVE_STEPS} steps for each metric; kerascam is asked about {AT_A_TIME} "
    "images at a time, as by `kerascam.evaluate`.",
    "",
    f"* ROAD of Quantus is measured on {ROAD_IMAGES} image: it sets up and solves a system of "
    "equations for each image and step, one after the other, so that its time grows with both.",
    "* Quantus's ROAD ends with an error on colour images (`benchmarks/peers/defects`). Here it is "
    "given three times the percentages and a function that takes the places it computes as pixels, "
    "so that it hides what kerascam hides.",
    "* Quantus wants a number of values that divides the pixels: pixel flipping makes 48 steps.",
    "* Deletion and insertion take what the model takes, in all libraries alike: no metric of "
    f"{CURVE_STEPS} steps is faster than {CURVE_STEPS} forward passes of all images.",
]


def measuring_page(report: dict[str, Any]) -> str:
    """Write the section."""
    times = report["times"]
    images = max(case.batch for case in times if case.method == "ROAD")
    return "\n\n".join([
        head(report), goal_table(times, images), table(times), memory_table(times),
        missing(report["reasons"], NOTES),
    ])  # fmt: skip


def table(times: Times) -> str:
    """Write seconds, forward passes of all images and memory, a row per metric."""
    lines = [row("seconds (forward passes of all images), MiB", *NAMES), row("---", *["---:"] * 3)]
    for case in times:
        if case.method.partition(",")[2]:
            continue
        title = f"{case.method}, {case.batch} images"
        lines.append(row(title, *(_cell(times[case].get(peer)) for peer in MEASURING)))
    first, found = next(iter(times.items()))
    forward = found.get(FORWARD["keras"])
    told = "" if forward is None else f"{forward.seconds.median:.2f} s"
    return "\n".join([*lines, "", f"A forward pass of {first.batch} images: {told}."])


def _cell(time: Any) -> str:
    if time is None:
        return "—"
    low, median, high = time.seconds
    return (
        f"{median:.1f} [{low:.1f}\u2060–\u2060{high:.1f}] ({time.ratio.median:.1f}\u00a0×), "
        f"{time.peak_mib:.0f}"
    )


def memory_table(times: Times) -> str:
    """Write kerascam's peaks of memory for other numbers of images and steps."""
    lines = [row("kerascam, deletion", "peak memory, MiB"), row("---", "---:")]
    for case in times:
        metric, _, steps = case.method.partition(", ")
        found = times.get(case, {}).get(MEASURING[0])
        if found and metric == "Deletion":
            steps = steps or f"{CURVE_STEPS} steps"
            lines.append(row(f"{case.batch} images, {steps}", f"{found.peak_mib:.0f}"))
    return "\n".join(lines)


def goal_table(times: Times, images: int) -> str:
    """Write what was aimed at."""
    lines = [row("goal", "measured", ""), row(*["---"] * 3)]
    lines += [
        row(goal, text, "met" if met else "**missed**") for goal, text, met in goals(times, images)
    ]
    return "\n".join(lines)


def goals(times: Times, images: int) -> list[tuple[str, str, bool]]:
    """Say of each goal what was measured, and whether it is met."""

    def seconds(metric: str, peer: str, batch: int = images) -> float:
        time = times.get(Case("MobileNetV2", metric, batch), {}).get(peer)
        return float("nan") if time is None else time.seconds.median

    own, quantus, xplique = MEASURING
    rows = []
    theirs = seconds("Deletion", quantus) + seconds("ROAD", quantus, ROAD_IMAGES) * (
        images / ROAD_IMAGES
    )
    mine = seconds("Deletion", own) + seconds("ROAD", own)
    if theirs == theirs and mine == mine:
        ratio = theirs / mine
        text = f"{ratio:.0f} ({mine:.0f} s; {theirs:.0f} s)"
        rows.append((f"deletion and ROAD {LEAST} times as fast as Quantus", text, ratio >= LEAST))
    for metric in ("Deletion", "Insertion"):
        ratio = seconds(metric, xplique) / seconds(metric, own)
        if ratio == ratio:
            goal = f"{metric.lower()} no slower than xplique"
            rows.append((goal, f"{ratio:.2f} times as fast", ratio >= 1))
    return rows
