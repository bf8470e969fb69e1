"""A drawing of the two kinds of residual blocks."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scene_classification.pictures.chart_style import COLORS, FAINT, INK

#: Height of a box, and the middle of each kind's trunk and shortcut, in the axes' units.
HEIGHT, TRUNK, SHORTCUT = 0.62, 1.5, 3.75
TEXT = 10


def draw_residual_blocks() -> Figure:
    """Draw an identity block and a projection block side by side, from input to output."""
    figure = Figure(figsize=(8.2, 4.6), layout="constrained")
    identity, projection = figure.subplots(1, 2)
    _block(identity, "Identity block: y = ReLU(F(x) + x)", [], "3 × 3 convolution")
    _block(
        projection,
        "Projection block: y = ReLU(F(x) + W x)",
        ["mean of 2 × 2 cells", "1 × 1 convolution", "normalization"],
        "3 × 3 convolution, stride 2",
    )
    return figure


def _block(axes: Axes, title: str, shortcut: list[str], first: str) -> None:
    axes.set(xlim=(0, 5.2), ylim=(8.2, -0.4))
    axes.set_axis_off()
    axes.set_title(title, fontsize=TEXT + 1, color=INK)
    _arrow(axes, (TRUNK, 0.25), (TRUNK, 1.0))
    axes.text(TRUNK, 0.1, "x", ha="center", va="center", fontsize=TEXT + 1, style="italic")
    trunk = [first, "normalization, ReLU", "3 × 3 convolution", "normalization"]
    for number, words in enumerate(trunk):
        y = 1.3 + 1.15 * number
        _box(axes, TRUNK, y, words, COLORS[0])
        _arrow(axes, (TRUNK, y + HEIGHT / 2), (TRUNK, y + 1.15 - HEIGHT / 2))
    plus = 1.3 + 1.15 * len(trunk)
    axes.text(
        TRUNK, plus, "+", ha="center", va="center", fontsize=TEXT + 6,
        bbox={"boxstyle": "circle,pad=0.12", "facecolor": "white", "edgecolor": INK},
    )  # fmt: skip
    axes.text(0.02, 4.75, "F(x)", fontsize=TEXT + 1, style="italic", color=COLORS[0], va="center")
    axes.plot([TRUNK, SHORTCUT, SHORTCUT], [0.55, 0.55, plus], color=COLORS[1], linewidth=1.6)
    _arrow(axes, (SHORTCUT, plus), (TRUNK + 0.32, plus), COLORS[1])
    for number, words in enumerate(shortcut):
        _box(axes, SHORTCUT, 2.0 + 1.15 * number, words, COLORS[1])
    if not shortcut:
        axes.text(SHORTCUT + 0.15, 3.0, "x, as it is", fontsize=TEXT, va="center", color=COLORS[1])
    _arrow(axes, (TRUNK, plus + 0.35), (TRUNK, plus + 0.85))
    _box(axes, TRUNK, plus + 1.15, "ReLU", INK)
    _arrow(axes, (TRUNK + 0.5, plus + 1.15), (TRUNK + 1.2, plus + 1.15))
    axes.text(TRUNK + 1.35, plus + 1.15, "y", va="center", fontsize=TEXT + 1, style="italic")


def _box(axes: Axes, x: float, y: float, words: str, color: Any) -> None:
    style = {"boxstyle": "round,pad=0.4", "facecolor": "white", "edgecolor": color}
    axes.text(x, y, words, ha="center", va="center", fontsize=TEXT, color=INK, bbox=style)


def _arrow(
    axes: Axes, start: tuple[float, float], end: tuple[float, float], color: Any = FAINT
) -> None:
    line = {"arrowstyle": "-|>", "color": INK if color == FAINT else color, "linewidth": 1.4}
    axes.annotate("", xy=end, xytext=start, arrowprops=line)
