"""Pictures from maps: colour them and lay them over photographs, as uint8 RGB."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arrays import HOST
from ..errors import brief
from ..resizing import resize
from . import painter
from .look import Look
from .pixels import SLACK, numbers, span, to_uint8_rgb
from .styles import Style


def colorize(
    heatmap: ArrayLike, colormap: str = "auto", *, signed: bool | None = None
) -> NDArray[np.uint8]:
    """Colour heatmaps.

    Args:
        heatmap: Any shape, values in [0, 1], or in [-1, 1] if signed.
        colormap: Any matplotlib name ("jet", "viridis", ...). "auto" is "inferno": its lightness
            rises evenly with the evidence, also in a print without colours.
            For signed maps it stands on both sides: yellow for, blue against, black for none.
        signed: Whether the middle of the colormap is zero; by default, if any value is negative.

    Returns:
        The heatmap's shape and a last axis of 3, uint8 RGB.

    Raises:
        ValueError: For a value out of range, NaN, or an unknown colormap.

    Example:
        >>> colorize([[0.0, 1.0]], "gray").tolist()
        [[[0, 0, 0], [255, 255, 255]]]
    """
    heat = _heat(heatmap)
    signed = is_signed(heat) if signed is None else signed
    colors = painter.palette(colormap, signed=signed)
    _check_range(heat, signed=signed)
    return np.asarray(painter.colorize(heat, colors, HOST, signed=signed))


def overlay(
    image: ArrayLike,
    heatmap: ArrayLike,
    colormap: str = "auto",
    alpha: float | None = None,
    *,
    style: Style = "heat",
    levels: Sequence[float] | None = None,
    signed: bool | None = None,
    value_range: tuple[float, float] | None = None,
) -> NDArray[np.uint8]:
    """Lay heatmaps over their photos.

    In each pixel, round(opacity * colour + (1 - opacity) * photo). With `style="heat"` the opacity
    follows the heat: where there is no evidence, the photo is exactly as it was.

    Args:
        image: (height, width[, channels]) or (batch, height, width, channels), with 1, 3 or 4
            channels: uint8, or floats from 0 to 1 or from 0 to 255.
        heatmap: (h, w) or (batch, h, w) of any size, resized to the image.
        colormap: Any matplotlib name, or "auto", which is "inferno": its lightness rises evenly
            with the evidence, so that it can be read in a print without colours too.
        alpha: Opacity: 0 is the photo. Of the strongest evidence with `style="heat"` (0.75 by
            default), of all pixels with "uniform" (0.5), of the lines with "outline" (1).
        style: "heat": opacity rises smoothly with the evidence's magnitude, from 0 where there is
            none. "uniform": the same opacity everywhere, so that the colour of zero tints the rest
            of the photo. "outline": lines where the heatmap passes through `levels`, over the
            photo as it is.
        levels: Where the lines of an outline run, between 0 and 1; 0.25, 0.5 and 0.75 by default,
            of a signed heatmap for both signs.
        signed: Whether the middle of the colormap is zero; by default, if any value of the batch
            is negative.
        value_range: The values of black and of white, for an image of other values, such as
            (-1, 1) after a model's preprocessing.

    Returns:
        (height, width, 3) or (batch, height, width, 3), uint8 RGB.

    Raises:
        TypeError: If an argument is of a wrong type.
        ValueError: If an argument has a value that does not fit, image and heatmap do not match,
            or the heatmap has values out of range.

    Example:
        >>> photo = np.full((1, 2, 3), 100, np.uint8)
        >>> overlay(photo, [[0.0, 1.0]], "gray").tolist()  # only the evidence is coloured
        [[[100, 100, 100], [216, 216, 216]]]
        >>> overlay(photo, [[0.0, 1.0]], "gray", alpha=0.25, style="uniform").tolist()
        [[[75, 75, 75], [139, 139, 139]]]
    """
    look = Look(colormap, alpha, style, levels)
    if signed is not None and not isinstance(signed, (bool, np.bool_)):
        raise TypeError(f"signed must be True, False or None, not {brief(signed)}")
    photo, heat = to_uint8_rgb(image, value_range=value_range), _heat(heatmap)
    if heat.ndim != photo.ndim - 1 or heat.shape[:-2] != photo.shape[:-3]:
        raise ValueError(
            f"heatmap of shape {heat.shape} does not match image of shape {np.shape(image)}; pass "
            "(h, w) for one image, or (batch, h, w) with one heatmap per image"
        )
    signed = is_signed(heat) if signed is None else signed
    _check_range(heat, signed=signed)
    if not heat.size:
        raise ValueError(f"heatmap must not be empty, got shape {heat.shape}")
    brush = painter.Brush.of(look, signed=signed)
    if photo.ndim == 3:
        return brush.paint(photo, heat, HOST)
    return np.stack([brush.paint(*pair, HOST) for pair in zip(photo, heat, strict=True)])


def resize_heatmap(heatmap: ArrayLike, size: tuple[int, int]) -> NDArray[np.floating[Any]]:
    """Resize one heatmap bilinearly, pixel centres at halves as in `tf.image.resize`.

    Args:
        heatmap: (h, w), floats.
        size: (height, width) of the result, in pixels.

    Returns:
        (height, width), float64 for a float64 heatmap, float32 for any other.

    Raises:
        ValueError: If the heatmap is not 2-D, is empty or not finite, or a side is not positive.

    Example:
        >>> resize_heatmap([[0.0, 1.0]], (1, 4)).tolist()
        [[0.0, 0.25, 0.75, 1.0]]
    """
    heat = _heat(heatmap)
    if heat.ndim != 2 or not heat.size:
        raise ValueError(f"heatmap must be (height, width) and not empty, got shape {heat.shape}")
    height, width = size
    if height < 1 or width < 1:
        raise ValueError(f"size must be (height, width), each at least 1, got {size}")
    return np.ascontiguousarray(resize(heat, (int(height), int(width)), HOST))


def is_signed(heatmap: NDArray[Any]) -> bool:
    """Say whether any value of the heatmap is negative.

    Example:
        >>> is_signed(np.array([0.5, -0.5]))
        True
    """
    return bool((heatmap < 0).any())


def _check_range(heat: NDArray[Any], *, signed: bool) -> None:
    low = -1 if signed else 0
    if heat.size and (heat.min() < low - SLACK or heat.max() > 1 + SLACK):
        fix = "divide it by its largest absolute value"
        fix += ", and pass signed=True to keep its sign" if heat.min() < 0 and not signed else ""
        raise ValueError(f"heatmap must lie in [{low}, 1], got {span(heat)}; {fix}")


def _heat(heatmap: ArrayLike) -> NDArray[np.floating[Any]]:
    heat = numbers(heatmap, "heatmap")
    heat = heat if heat.dtype == np.float64 else heat.astype(np.float32)
    if not np.isfinite(heat).all():
        bad = int((~np.isfinite(heat)).sum())
        raise ValueError(
            f"heatmap holds NaN or infinity in {bad} of {heat.size} values; "
            "replace them (np.nan_to_num), or find the input that made them"
        )
    return heat
