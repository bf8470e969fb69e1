"""What all charts of the example have in common: colors, axes and ticks."""

from __future__ import annotations

from typing import Any

from matplotlib import color_sequences
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from scene_classification.pictures.numbers import NO_BREAK

#: Told apart also by people who do not see all colors (Petroff, 2021, arXiv:2107.02270).
COLORS = color_sequences["petroff10"]
INK, MUTED, FAINT = "#33373d", "#8a9099", "#d5d9de"


def panel(axes: Axes, x: str, y: str) -> None:
    """Label the axes, and leave a light grid and two spines."""
    axes.set(xlabel=x, ylabel=y)
    axes.grid(color=FAINT, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def color(number: int) -> Any:
    """Return one of the colors, from the first on again after the last."""
    return COLORS[number % len(COLORS)]


def percent_ticks() -> FuncFormatter:
    """Format the ticks of shares as percentages, with a decimal place only where one is needed."""
    return FuncFormatter(lambda share, _: f"{100 * share:.4g}{NO_BREAK}%")
