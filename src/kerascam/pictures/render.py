"""Pictures from maps: colour them and lay them over photographs, as uint8 RGB."""

import difflib
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import brief
from .pixels import SLACK, numbers, span, to_uint8_rgb

if TYPE_CHECKING:
    from matplotlib.colors import Colormap

# Perceptually even, with a black zero: blending dims the photo where there is no evidence, where a
# coloured or a white zero would tint it or wash it out. A signed map has it on both sides, with red
# and blue exchanged for the evidence against.
SEQUENTIAL = "inferno"
DIVERGING = "inferno, blue against"


def colorize(
    heatmap: ArrayLike, colormap: str = "auto", *, signed: bool | None = None
) -> NDArray[np.uint8]:
    """Colour heatmaps.

    Args:
        heatmap: Any shape, values in [0, 1], or in [-1, 1] where signed.
        colormap: Any matplotlib name ("jet", "viridis", ...). "auto" is "inferno": its lightness
            rises evenly with the evidence, and its black zero dims a photo instead of tinting it.
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
    colors = choose_colormap(colormap, signed=signed)
    low = -1 if signed else 0
    if heat.size and (heat.min() < low - SLACK or heat.max() > 1 + SLACK):
        fix = "divide it by its largest absolute value"
        fix += ", and pass signed=True to keep its sign" if heat.min() < 0 and not signed else ""
        raise ValueError(f"heatmap must lie in [{low}, 1], got {span(heat)}; {fix}")
    unit = (np.clip(heat, low, 1) - low) / (1 - low)
    return np.asarray(colors(unit, bytes=True))[..., :3].copy()


def overlay(
    image: ArrayLike,
    heatmap: ArrayLike,
    colormap: str = "auto",
    alpha: float = 0.5,
    *,
    signed: bool | None = None,
    value_range: tuple[float, float] | None = None,
) -> NDArray[np.uint8]:
    """Lay heatmaps over their photos: round(alpha * colour + (1 - alpha) * photo) in each pixel.

    Args:
        image: (height, width[, channels]) or (batch, height, width, channels), with 1, 3 or 4
            channels: uint8, or floats from 0 to 1 or from 0 to 255.
        heatmap: (h, w) or (batch, h, w) of any size, resized to the image.
        colormap: As in `colorize`.
        alpha: Opacity of the colours, the same everywhere: 0 is the photo, 1 the coloured map.
        signed: As in `colorize`, decided once over the batch.
        value_range: The values of black and of white, for an image of other values, such as
            (-1, 1) after a model's preprocessing.

    Returns:
        (height, width, 3) or (batch, height, width, 3), uint8 RGB.

    Raises:
        TypeError: If an argument is of a wrong type.
        ValueError: If `alpha` is not in [0, 1], image and heatmap do not match, or as `colorize`.

    Example:
        >>> photo = np.full((2, 2, 3), 100, np.uint8)
        >>> overlay(photo, [[1.0]], "gray", alpha=0.25)[0, 0].tolist()
        [139, 139, 139]
    """
    check_drawing(colormap, alpha)
    if signed is not None and not isinstance(signed, (bool, np.bool_)):
        raise TypeError(f"signed must be True, False or None, not {brief(signed)}")
    photo, heat = to_uint8_rgb(image, value_range=value_range), _heat(heatmap)
    if heat.ndim != photo.ndim - 1 or heat.shape[:-2] != photo.shape[:-3]:
        raise ValueError(
            f"heatmap of shape {heat.shape} does not match image of shape {np.shape(image)}; pass "
            "(h, w) for one image, or (batch, h, w) with one heatmap an image"
        )
    signed = is_signed(heat) if signed is None else signed
    height, width = photo.shape[-3:-1]
    resized = [resize_heatmap(one, (height, width)) for one in heat.reshape(-1, *heat.shape[-2:])]
    color = colorize(np.stack(resized), colormap, signed=signed).reshape(photo.shape)
    blend = np.float32(alpha) * color + np.float32(1 - alpha) * photo
    return np.rint(blend).astype(np.uint8)


def check_alpha(alpha: Any) -> None:
    """Raise where an opacity is not a number from 0 to 1.

    Raises:
        TypeError: If it is no number.
        ValueError: If it is not from 0 to 1.
    """
    if isinstance(alpha, (bool, np.bool_)) or not isinstance(alpha, (int, float, np.number)):
        raise TypeError(f"alpha must be a number between 0 and 1, not {brief(alpha)}")
    if np.iscomplexobj(alpha) or not 0 <= alpha <= 1:
        raise ValueError(f"alpha must be between 0 and 1, got {brief(alpha)}")


def check_drawing(colormap: Any, alpha: Any) -> None:
    """Raise where a colormap is unknown, or an opacity not from 0 to 1."""
    choose_colormap(colormap, signed=False)
    check_alpha(alpha)


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
    return _stretch(_stretch(heat, 0, int(height)), 1, int(width))


def _stretch(heat: NDArray[Any], axis: int, length: int) -> NDArray[Any]:
    # One rounding a step and no fused ones, as a library's may be: an exported model draws the
    # same picture in its graph, to the last bit (`saved_model.drawing`).
    old = heat.shape[axis]
    places = np.clip((np.arange(length) + 0.5) * (old / length) - 0.5, 0, old - 1)
    before = np.floor(places).astype(np.intp)
    after = np.minimum(before + 1, old - 1)
    share = np.expand_dims((places - before).astype(heat.dtype), 1 - axis)
    return heat.take(before, axis) * (1 - share) + heat.take(after, axis) * share


def is_signed(heatmap: NDArray[Any]) -> bool:
    """Say whether any value of the heatmap is negative.

    Example:
        >>> is_signed(np.array([0.5, -0.5]))
        True
    """
    return bool((heatmap < 0).any())


def choose_colormap(name: str, *, signed: bool) -> "Colormap":
    """Find a matplotlib colormap by its name; "auto" goes by `signed`.

    Raises:
        TypeError: If `name` is no text.
        ValueError: For an unknown name, with the nearest ones.

    Example:
        >>> choose_colormap("auto", signed=False).name
        'inferno'
    """
    from matplotlib import colormaps

    if not isinstance(name, str):
        raise TypeError(
            f'colormap must be the name of one, such as "viridis", or "auto", not {brief(name)}'
        )
    if name == "auto" and signed:
        return _diverging()
    name = SEQUENTIAL if name == "auto" else name
    if name not in colormaps:
        lower = {known.lower(): known for known in colormaps}
        near = [lower[match] for match in difflib.get_close_matches(str(name).lower(), lower)]
        hint = f"did you mean {' or '.join(near)}?" if near else 'use "auto" or a matplotlib name'
        raise ValueError(f"no colormap {brief(name)}; {hint}")
    return colormaps[name]


def _diverging() -> "Colormap":
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    warm = colormaps[SEQUENTIAL](np.linspace(0, 1, 128))[:, :3]
    cold = warm[::-1, ::-1]
    return ListedColormap(np.vstack([cold, warm]), name=DIVERGING)


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
