"""Photo, heatmap and overlay, side by side."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...arrays import HOST
from ...errors import brief
from ..look import Look
from ..painter import Brush
from ..pixels import to_uint8_rgb
from ..render import colorize, is_signed, resize_heatmap
from ..styles import Style
from .bars import OVERLAY_BAR, color_bar, overlay_bar
from .rows import BAR, GAP, LABEL, PANEL, STRONGEST, as_rows, check_count, draw_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def figure(
    photos: ArrayLike | Sequence[ArrayLike] | None,
    heatmaps: ArrayLike | Sequence[ArrayLike],
    titles: Sequence[str] | None = None,
    *,
    colormap: str = "auto",
    alpha: float | None = None,
    style: Style = "heat",
    levels: Sequence[float] | None = None,
    signed: bool | None = None,
    max_rows: int = 8,
    heading: str = "heatmap",
    unit: str = STRONGEST,
    value_range: tuple[float, float] | None = None,
) -> "Figure":
    """Draw a row for each image: the photo, its heatmap, and both overlaid.

    Heatmap and overlay have a colour bar each: the overlay's shows its colours over black to white.

    Args:
        photos: (batch, height, width, channels) or a list of images of any sizes, as
            `to_uint8_rgb` takes them (all of one shape share one range); None: heatmaps alone.
        heatmaps: (batch, h, w) or a list, in [0, 1], or [-1, 1] if signed.
        titles: A text above each row, wrapped to fit.
        colormap: As in `colorize`.
        alpha: As in `overlay`.
        style: As in `overlay`.
        levels: As in `overlay`.
        signed: As in `colorize`, decided once over all heatmaps.
        max_rows: Rows drawn at most; a line at the bottom says how many were left out.
        heading: What stands above the heatmaps, such as the method's name.
        unit: What 1 stands for, beside the colour bar.
        value_range: As in `to_photos`.

    Returns:
        A matplotlib figure that pyplot does not know: nothing to close.

    Raises:
        ValueError: If photos, heatmaps and titles differ in number, or as `overlay`.

    Example:
        >>> drawn = figure(np.zeros((2, 8, 8, 3)), np.ones((2, 4, 4)), ["cat 98 %", "dog 71 %"])
        >>> len(drawn.axes)  # three pictures and a colour bar per row
        8
    """
    heats = as_rows(heatmaps, "heatmaps", 2)
    pictures = None if photos is None else to_photos(photos, len(heats), value_range)
    names = (heading,) if pictures is None else ("image", heading, "overlay")
    signed = any(map(is_signed, heats)) if signed is None else signed
    brush = Brush.of(Look(colormap, alpha, style, levels), signed=signed)

    def draw(row: int, axes: Sequence["Axes"]) -> None:
        heat, panel = heats[row], axes[names.index(heading)]
        if pictures is not None:
            heat = resize_heatmap(heat, pictures[row].shape[:2])
            axes[0].imshow(pictures[row])
            axes[2].imshow(brush.paint(pictures[row], heat, HOST))
            overlay_bar(axes[2], brush)
        panel.imshow(colorize(heat, colormap, signed=signed), interpolation="nearest")
        color_bar(panel, colormap, signed, unit)
        for ax, name in zip(axes, names, strict=True):
            ax.axis("off")
            ax.set_title(name, fontsize=LABEL, color="0.35")

    shapes = [one.shape[:2] for one in pictures or heats]
    heights = [PANEL * min(max(high / wide, 0.6), 1.6) for high, wide in shapes]
    width = len(names) * (PANEL + GAP) + BAR + (OVERLAY_BAR if pictures is not None else 0)
    return draw_rows(draw, heights, len(names), width, titles, max_rows)


def to_photos(
    photos: Any, count: int, value_range: tuple[float, float] | None = None
) -> list[NDArray[np.uint8]]:
    """Take a batch, or a list of photos of any sizes, as uint8 RGB, one per heatmap.

    Args:
        photos: As in `figure`; grey ones need no channel axis.
        count: How many heatmaps there are.
        value_range: The values of black and of white; see `to_uint8_rgb`.

    Raises:
        ValueError: If they are not as many, or as `to_uint8_rgb`.

    Example:
        >>> [one.shape for one in to_photos([np.zeros((2, 2)), np.ones((4, 4, 3))], 2)]
        [(2, 2, 3), (4, 4, 3)]
    """
    pictures = as_rows(photos, "photos", 2, 3)
    check_count("photos", len(pictures), count)
    convert = partial(to_uint8_rgb, value_range=value_range, argument="photos")
    if len({one.shape for one in pictures}) > 1:
        return [convert(one) for one in pictures]
    batch = np.stack(pictures)
    return list(convert(batch if batch.ndim == 4 else batch[..., None]))


def as_many(photos: Any, count: int, as_what: str = "heatmaps") -> Any:
    """Take photos as an array, or as a list of arrays of different sizes.

    Args:
        photos: What the user passes.
        count: How many there must be.
        as_what: What there are that many of.

    Raises:
        TypeError: If they are no arrays.
        ValueError: If they are not as many.

    Example:
        >>> as_many([[[0, 1]]], 1).shape
        (1, 1, 2)
    """
    several = isinstance(photos, (list, tuple))
    try:
        uneven = several and len({np.shape(photo) for photo in photos}) > 1
        given = list(map(np.asarray, photos)) if uneven else np.asarray(photos)
    except Exception:  # rows of several lengths, or a type that refuses
        raise TypeError(f"photos must be arrays of numbers, not {brief(photos)}") from None
    if np.ndim(given[0] if uneven else given) == 0 or len(given) != count:
        received = f"{len(given)}" if uneven else f"shape {np.shape(given)}"
        raise ValueError(
            f"photos must be as many as the {as_what}, {count}; received {received}: a single "
            f"photo needs a batch axis, photo[None]"
        )
    return given


def stacked(photos: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Make one array of photos.

    Raises:
        ValueError: If they are of several sizes.

    Example:
        >>> stacked([np.zeros((2, 3, 3), np.uint8)] * 4).shape
        (4, 2, 3, 3)
    """
    if len({photo.shape for photo in photos}) > 1:
        raise ValueError(
            "photos must be of one size to be overlaid in one array; overlay them one by one: "
            "explanation[0].overlay(photos[0][None])"
        )
    return np.stack(photos)
