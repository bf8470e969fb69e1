"""Frames of a clip above the same frames under their heatmaps, for clips and several views."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...arrays import HOST
from ..look import Look
from ..painter import Brush
from ..render import is_signed, resize_heatmap
from ..styles import Style
from .bars import OVERLAY_BAR, overlay_bar
from .rows import GAP, LABEL, as_rows, check_count, draw_rows
from .volumes import slices_of, window

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL = 1.7  # inches: the width of one frame


def frames_figure(
    clips: ArrayLike | Sequence[ArrayLike],
    heatmaps: ArrayLike | Sequence[ArrayLike],
    titles: Sequence[str] | None = None,
    *,
    colormap: str = "auto",
    alpha: float | None = None,
    style: Style = "heat",
    levels: Sequence[float] | None = None,
    signed: bool | None = None,
    max_rows: int = 8,
    max_frames: int = 6,
    value_range: tuple[float, float] | None = None,
    argument: str = "clips",
) -> "Figure":
    """Draw a row per clip: frames at even distances, and below them the same under their heatmaps.

    Args:
        clips: (batch, frames, height, width, 1 or 3) or a list of such; drawn from the smallest
            value (black) to the largest (white) of each clip, unless uint8.
        heatmaps: (batch, t, h, w) of any size, in [0, 1], or [-1, 1] if signed.
        titles: A text above each row.
        colormap: As in `colorize`.
        alpha: As in `overlay`.
        style: As in `overlay`.
        levels: As in `overlay`.
        signed: As in `colorize`.
        max_rows: Rows drawn at most.
        max_frames: Frames drawn per row at most, the first and the last among them.
        value_range: The values of black and of white, the same for all clips.
        argument: What an error calls the clips.

    Raises:
        ValueError: If clips, heatmaps and titles differ in number, or in rank, or clips have
            neither 1 nor 3 channels.

    Example:
        >>> drawn = frames_figure(np.zeros((1, 9, 8, 8, 3)), np.ones((1, 9, 4, 4)), max_frames=3)
        >>> [ax.get_title() for ax in drawn.axes[:3]]
        ['frame 0', 'frame 4', 'frame 8']
    """
    heats = as_rows(heatmaps, "heatmaps", 3)
    films = [window(clip, value_range, argument) for clip in as_rows(clips, argument, 4)]
    check_count(argument, len(films), len(heats))
    signed = any(map(is_signed, heats)) if signed is None else signed
    brush = Brush.of(Look(colormap, alpha, style, levels), signed=signed)
    columns = min(max_frames, max(map(len, films)))

    def draw(row: int, axes: Sequence["Axes"]) -> None:
        film = films[row]
        timed = slices_of(heats[row], len(film))
        shown = np.linspace(0, len(film) - 1, min(columns, len(film))).round().astype(int)
        for ax in axes:
            ax.axis("off")
        for ax, frame in zip(axes, shown, strict=False):
            own = resize_heatmap(timed[frame], film.shape[1:3])
            painted = brush.paint(film[frame], own, HOST)
            ax.imshow(_above(film[frame], painted))
            ax.set_title(f"frame {frame}", fontsize=LABEL, color="0.35")
        overlay_bar(axes[-1], brush)

    heights = [2.1 * PANEL * min(max(f.shape[1] / f.shape[2], 0.6), 1.6) for f in films]
    return draw_rows(
        draw, heights, columns, columns * (PANEL + GAP) + OVERLAY_BAR, titles, max_rows
    )


def _above(upper: NDArray[Any], lower: NDArray[Any]) -> NDArray[Any]:
    gap = np.full((max(1, len(upper) // 20), *upper.shape[1:]), 255, upper.dtype)
    return np.concatenate([upper, gap, lower])
