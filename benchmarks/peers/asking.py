"""Words the comparison of the methods that ask the model again, and what it was to reach."""

from typing import Any

from .cases import (
    AGAIN,
    CELLS,
    DESIGNS,
    FORWARD,
    KERAS,
    MIDDLE,
    PATCH,
    PEERS,
    SAMPLES,
    TORCH,
    Case,
)
from .page import cell, head, missing, row
from .turns import Time, Times

SECTION = "asking"
FEATURES = 160  # of the layer

NOTES = [
    "",
    f"One image of 224x224, MobileNetV2. Score-CAM at `{MIDDLE}`, a layer of {FEATURES} features "
    f"and 7x7 places; Ablation-CAM and Recipro-CAM at the last layer, of 1,280. {AGAIN} masks or "
    f"coalitions for RISE, LIME, KernelSHAP and HSIC; {DESIGNS} x ({CELLS}² + 2) masks for Sobol; "
    f"a grid of {CELLS}x{CELLS} segments; patches of {PATCH} pixels side by side for occlusion; "
    f"{SAMPLES} samples for expected gradients. Everything else is each library's default.",
    "",
    "* Memory is the peak of the whole process in the call, the libraries and the model included.",
    "* grad-cam's Ablation-CAM runs the whole network for each feature; kerascam's runs what "
    "follows the layer.",
    "* captum's LIME and KernelSHAP take one sample per pass.",
]


def asking_page(report: dict[str, Any]) -> str:
    """Write the section."""
    return "\n\n".join([
        head(report), goal_table(report["times"]), table(report["times"]),
        missing(report["reasons"], NOTES),
    ])  # fmt: skip


def table(times: Times) -> str:
    """Write milliseconds, forward passes and memory, a row per method."""
    lines = [row("ms (forward passes), MiB", *PEERS), row("---", *["---:"] * len(PEERS))]
    for case, found in times.items():
        lines.append(row(case.method, *(_cell(found.get(peer)) for peer in PEERS)))
    first = next(iter(times.values()), {})
    forward = [f"{name} {_cell(first.get(name))}" for name in FORWARD.values()]
    return "\n".join([*lines, "", f"A forward pass: {'; '.join(forward)}."])


def _cell(time: Time | None) -> str:
    return "—" if time is None else f"{cell(time, 1)}, {time.peak_mib:.0f}"


def goal_table(times: Times) -> str:
    """Write what was aimed at, and whether it is met."""
    lines = [row("goal", "measured", ""), row(*["---"] * 3)]
    for goal, text, met in goals(times):
        lines.append(row(goal, text, "met" if met else "**missed**"))
    return "\n".join(lines)


def goals(times: Times) -> list[tuple[str, str, bool]]:
    """Say of each goal what was measured, and whether it is met."""
    rows = []
    score = times.get(Case("MobileNetV2", "Score-CAM", 1), {}).get("kerascam")
    if score is not None:
        share = score.ratio.median / FEATURES
        rows.append((
            "Score-CAM in at most 1.05 forward passes of one image per feature",
            f"{share:.2f}", share <= 1.05,
        ))  # fmt: skip
    ablation = times.get(Case("MobileNetV2", "Ablation-CAM", 1), {}).get("grad-cam")
    for method in ("Ablation-CAM", "Recipro-CAM"):
        own = times.get(Case("MobileNetV2", method, 1), {}).get("kerascam")
        if ablation and own:
            share = ablation.seconds.median / own.seconds.median
            goal = f"{method} 100 times as fast as grad-cam's Ablation-CAM"
            rows.append((goal, f"{share:.0f}", share >= 100))
    for others, which in ((KERAS[2:], "Keras"), (TORCH, "PyTorch")):
        found = [
            (times[case][peer].seconds.median / times[case]["kerascam"].seconds.median, peer, case)
            for case in times
            for peer in others
            if {peer, "kerascam"} <= set(times[case])
        ]
        if found:
            (low, peer, case), high = min(found), max(found)[0]
            text = f"{low:.2f} ({peer}, {case.method}) to {high:.1f} times as fast"
            rows.append((f"every row ahead of every {which} library", text, low > 1))
    return rows
