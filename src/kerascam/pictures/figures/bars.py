"""Colour bars: what each colour of a picture stands for."""

from typing import TYPE_CHECKING

import numpy as np

from ...arrays import HOST
from ..colormaps import choose_colormap
from ..painter import Brush
from .rows import LABEL, STRONGEST, TICK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OVERLAY_BAR = 0.5  # inches: the bar beside an overlay, with its numbers
_LONG, _WIDE = 256, 32  # pixels of that bar


def color_bar(
    ax: "Axes", colormap: str, signed: bool, unit: str = STRONGEST, alpha: float = 1
) -> None:
    """Put a labelled colour bar beside the axes."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    low = -1 if signed else 0
    scale = ScalarMappable(Normalize(low, 1), choose_colormap(colormap, signed=signed))
    bar = ax.figure.colorbar(scale, ax=ax, alpha=alpha, fraction=0.05, pad=0.02)
    # two lines: one would be longer than the picture of a wide photo is high
    label = f"evidence{' against / for' if signed else ''}\n({unit})"
    bar.set_label(label, fontsize=LABEL)
    bar.set_ticks([-1, 0, 1] if signed else [0, 0.5, 1])
    bar.ax.tick_params(labelsize=TICK)


def overlay_bar(ax: "Axes", brush: Brush) -> None:
    """Put beside an overlay what its brush paints: all heats, over all greys from black to white.

    Args:
        ax: The overlay's.
        brush: What painted it.
    """
    low = -1 if brush.signed else 0
    greys = np.linspace(0, 255, _WIDE).round().astype(np.uint8)
    under = np.broadcast_to(greys[None, :, None], (_LONG, _WIDE, 3))
    heat = np.linspace(1, low, _LONG, dtype=np.float32)[:, None].repeat(_WIDE, 1)
    bar = ax.inset_axes((1.03, 0.0, 0.07, 1.0))
    painted = brush.paint(under, heat, HOST)
    bar.imshow(painted, extent=(0, 1, low, 1), aspect="auto", interpolation="nearest")
    bar.yaxis.tick_right()
    bar.set_xticks([])
    bar.set_yticks([-1, 0, 1] if brush.signed else [0, 0.5, 1])
    bar.tick_params(labelsize=TICK)
