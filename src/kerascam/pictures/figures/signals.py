"""A line over its heat, for one-dimensional inputs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from numpy.typing import ArrayLike

from ..render import colorize, is_signed, resize_heatmap
from .bars import color_bar
from .rows import LABEL, STRONGEST, TICK, as_rows, check_count, draw_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SOFT = 0.7  # opacity of the heat under a line: the line can be seen on the darkest


def signal_figure(
    signals: ArrayLike | Sequence[ArrayLike],
    heatmaps: ArrayLike | Sequence[ArrayLike],
    titles: Sequence[str] | None = None,
    *,
    colormap: str = "auto",
    signed: bool | None = None,
    max_rows: int = 8,
    unit: str = STRONGEST,
    argument: str = "signals",
) -> "Figure":
    """Draw one row per signal: its line over its heat as a coloured strip.

    Args:
        signals: (batch, steps) or (batch, steps, channels), or a list of different lengths.
        heatmaps: (batch, length), of any length, in [0, 1], or [-1, 1] if signed.
        titles: A text above each row, wrapped to fit.
        colormap: As in `colorize`, but "auto" has a light zero, as a line is drawn on it.
        signed: As in `colorize`.
        max_rows: Rows drawn at most.
        unit: What 1 stands for, beside the colour bar.
        argument: What an error calls the signals.

    Raises:
        ValueError: If signals, heatmaps and titles differ in number, or in rank.

    Example:
        >>> import numpy as np
        >>> drawn = signal_figure(np.zeros((1, 50)), np.ones((1, 10)))
        >>> drawn.axes[0].get_xlabel(), drawn.axes[0].get_ylabel()
        ('step', 'value')
    """
    from matplotlib.patheffects import withStroke

    heats = as_rows(heatmaps, "heatmaps", 1)
    lines = as_rows(signals, argument, 1, 2)
    check_count(argument, len(lines), len(heats))
    signed = any(map(is_signed, heats)) if signed is None else signed
    colormap = ("RdBu_r" if signed else "Reds") if colormap == "auto" else colormap

    def draw(row: int, axes: Sequence["Axes"]) -> None:
        signal, ax = lines[row].reshape(len(lines[row]), -1), axes[0]
        steps, channels = signal.shape
        strip = resize_heatmap(heats[row][None], (1, steps))
        for channel in range(channels):
            color = "black" if channels == 1 else f"C{channel % 10}"
            (line,) = ax.plot(signal[:, channel], color=color, lw=1.3, label=f"channel {channel}")
            line.set_path_effects([withStroke(linewidth=3, foreground="white", alpha=0.8)])
        low, high = ax.get_ylim()
        extent = (-0.5, steps - 0.5, low, high)
        ax.imshow(colorize(strip, colormap, signed=signed), extent=extent, alpha=SOFT)
        ax.set(aspect="auto", xlim=extent[:2], ylim=extent[2:])
        ax.set_xlabel("step", fontsize=LABEL)
        ax.set_ylabel("value", fontsize=LABEL)
        ax.tick_params(labelsize=TICK)
        if 1 < channels <= 10:
            ax.legend(fontsize=TICK, ncols=min(channels, 5), loc="upper right", framealpha=0.9)
        color_bar(ax, colormap, signed, unit, SOFT)

    return draw_rows(draw, [2.3] * len(lines), 1, 9.6, titles, max_rows)
