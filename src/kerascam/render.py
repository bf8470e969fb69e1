"""Pictures from maps: pure functions to uint8 RGB, and the one that writes a PNG."""

import difflib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .files import write_atomically

if TYPE_CHECKING:
    from matplotlib.colors import Colormap

# Both are perceptually even and both have a dark zero: blending dims the photo where there is no
# evidence, where a coloured or a white zero would tint it or wash it out.
SEQUENTIAL = "inferno"
DIVERGING = "berlin"
SLACK = 1e-3  # float resizing may leave 1.0000001 in a 0-1 photo: still 0-1


def to_uint8_rgb(
    image: ArrayLike, *, value_range: tuple[float, float] | None = None
) -> NDArray[np.uint8]:
    """Turn an image, or a batch, of any usual kind into uint8 RGB.

    Without `value_range`, integers are 0-255, booleans black and white, and floats 0-1 or 0-255
    by the smallest and the largest value of the whole batch: anything else is an error, not a
    guess. An alpha channel is dropped and the colours under it kept, as image loaders do for a
    model with three input channels.

    Args:
        image: (height, width), (height, width, 1 | 3 | 4) or (batch, height, width, 1 | 3 | 4).
        value_range: The values of black and of white; up to a tenth of the range beyond them
            (the ringing of a bicubic resize) is clipped.

    Returns:
        (height, width, 3) or (batch, height, width, 3), uint8, always a new array.

    Raises:
        ValueError: For another shape, a value outside every known range, NaN or infinity.
        TypeError: If `image` does not hold numbers.

    Example:
        >>> to_uint8_rgb([[0.0, 1.0]]).tolist()
        [[[0, 0, 0], [255, 255, 255]]]
        >>> to_uint8_rgb([[-1.0, 1.0]], value_range=(-1, 1)).tolist()
        [[[0, 0, 0], [255, 255, 255]]]
    """
    pixels = _with_channels(_numbers(image, "image"))
    pixels = pixels[..., :3]
    if pixels.dtype != np.uint8 or value_range is not None:
        low, high = _value_range(pixels, value_range)
        unit = (pixels.astype(np.float32) - np.float32(low)) / np.float32(high - low)
        pixels = np.rint(np.clip(unit, 0, 1) * 255).astype(np.uint8)
    return np.array(np.broadcast_to(pixels, (*pixels.shape[:-1], 3)))


def colorize(
    heatmap: ArrayLike, colormap: str = "auto", *, signed: bool | None = None
) -> NDArray[np.uint8]:
    """Colour heatmaps.

    Args:
        heatmap: Any shape, values in [0, 1], or in [-1, 1] where signed.
        colormap: Any matplotlib name ("jet", "viridis", ...). "auto" is "inferno": its lightness
            rises evenly with the evidence, and its black zero dims a photo instead of tinting it.
            For signed maps it is "berlin": red for, blue against, black for none.
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
        raise ValueError(f"heatmap must lie in [{low}, 1], got {_span(heat)}; {fix}")
    unit = (np.clip(heat, low, 1) - low) / (1 - low)
    return np.asarray(colors(unit, bytes=True))[..., :3].copy()


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
    import cv2

    heat = _heat(heatmap)
    if heat.ndim != 2 or not heat.size:
        raise ValueError(f"heatmap must be (height, width) and not empty, got shape {heat.shape}")
    height, width = size
    if height < 1 or width < 1:
        raise ValueError(f"size must be (height, width), each at least 1, got {size}")
    resized = cv2.resize(heat, (int(width), int(height)), interpolation=cv2.INTER_LINEAR)
    return np.array(resized)  # OpenCV may hand its input back when there is nothing to resize


def overlay(
    image: ArrayLike,
    heatmap: ArrayLike,
    colormap: str = "auto",
    alpha: float = 0.5,
    *,
    signed: bool | None = None,
) -> NDArray[np.uint8]:
    """Lay heatmaps over their photos: round(alpha * colour + (1 - alpha) * photo) in each pixel.

    Args:
        image: (height, width[, channels]) or (batch, height, width, channels), as `to_uint8_rgb`
            takes them: the photo as it was before the model's preprocessing.
        heatmap: (h, w) or (batch, h, w) of any size, resized to the image.
        colormap: As in `colorize`.
        alpha: Opacity of the colours, the same everywhere: 0 is the photo, 1 the coloured map.
        signed: As in `colorize`, decided once over the batch.

    Returns:
        (height, width, 3) or (batch, height, width, 3), uint8 RGB.

    Raises:
        ValueError: If `alpha` is not in [0, 1], image and heatmap do not match, or as `colorize`.

    Example:
        >>> photo = np.full((2, 2, 3), 100, np.uint8)
        >>> overlay(photo, [[1.0]], "gray", alpha=0.25)[0, 0].tolist()
        [139, 139, 139]
    """
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha must be between 0 and 1, got {alpha}")
    photo, heat = to_uint8_rgb(image), _heat(heatmap)
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


def write_png(path: str | os.PathLike[str], image: ArrayLike) -> None:
    """Write one picture, whole or not at all: an old file stays until the new one is complete.

    Args:
        path: A file name that ends in .png, in a folder that exists.
        image: (height, width) grey, or (height, width, 3) RGB, uint8.

    Raises:
        ValueError: For another ending, shape or dtype.
        OSError: If the folder cannot be written to.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_png(f"{folder}/grey.png", np.zeros((4, 4), np.uint8))
    """
    import cv2

    path, pixels = Path(path), np.asarray(image)
    if path.suffix.lower() != ".png":
        raise ValueError(f"path must end in .png, got '{path.name}'")
    is_picture = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[-1] == 3)
    if pixels.dtype != np.uint8 or not is_picture or not pixels.size:
        raise ValueError(
            "image must be uint8 of shape (height, width) or (height, width, 3), got "
            f"{pixels.dtype} of shape {pixels.shape}; pass it through to_uint8_rgb first"
        )
    bgr = pixels if pixels.ndim == 2 else pixels[..., ::-1].copy()
    encoded = cv2.imencode(".png", bgr)[1].tobytes()
    write_atomically(path, lambda file: file.write(encoded))


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
        ValueError: For an unknown name, with the nearest ones.

    Example:
        >>> choose_colormap("auto", signed=False).name
        'inferno'
    """
    from matplotlib import colormaps

    name = (DIVERGING if signed else SEQUENTIAL) if name == "auto" else name
    if name not in colormaps:
        lower = {known.lower(): known for known in colormaps}
        near = [lower[match] for match in difflib.get_close_matches(str(name).lower(), lower)]
        hint = f"did you mean {' or '.join(near)}?" if near else 'use "auto" or a matplotlib name'
        raise ValueError(f"no colormap '{name}'; {hint}")
    return colormaps[name]


def _numbers(array: ArrayLike, argument: str) -> NDArray[Any]:
    numbers = np.asarray(array)
    if numbers.dtype.kind not in "fiub":
        # bfloat16 and its like are numbers that numpy does not know as such
        try:
            return numbers.astype(np.float32, casting="safe")
        except TypeError:
            raise TypeError(f"{argument} must hold numbers, got dtype {numbers.dtype}") from None
    return numbers


def _heat(heatmap: ArrayLike) -> NDArray[np.floating[Any]]:
    heat = _numbers(heatmap, "heatmap")
    heat = heat if heat.dtype == np.float64 else heat.astype(np.float32)
    if not np.isfinite(heat).all():
        bad = int((~np.isfinite(heat)).sum())
        raise ValueError(
            f"heatmap holds NaN or infinity in {bad} of {heat.size} values; "
            "replace them (np.nan_to_num), or find the input that made them"
        )
    return heat


def _with_channels(pixels: NDArray[Any]) -> NDArray[Any]:
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    if pixels.ndim not in (3, 4) or pixels.shape[-1] not in (1, 3, 4) or not pixels.size:
        fix = "a batch of grey images needs a channel axis: images[..., None]"
        if pixels.ndim in (3, 4) and pixels.shape[-3] in (1, 3, 4):
            fix = "move the channels to the end: np.moveaxis(image, -3, -1)"
        raise ValueError(
            "image must be (height, width), (height, width, channels) or (batch, height, width, "
            f"channels) with 1, 3 or 4 channels and not empty, got shape {pixels.shape}; {fix}"
        )
    return pixels


def _value_range(pixels: NDArray[Any], told: tuple[float, float] | None) -> tuple[float, float]:
    low, high = float(pixels.min()), float(pixels.max())  # NaN anywhere makes both NaN
    if told is not None:
        black, white = float(told[0]), float(told[1])
        if not (np.isfinite([black, white]).all() and black < white):
            raise ValueError(f"value_range must be (low, high) with low < high, got {told}")
        slack = 0.1 * (white - black)
        if black - slack <= low and high <= white + slack:
            return black, white
        raise ValueError(f"image does not fit value_range={told}: got {_span(pixels)}")
    if pixels.dtype.kind == "b" or (
        pixels.dtype.kind == "f" and low >= -SLACK and high <= 1 + SLACK
    ):
        return 0.0, 1.0
    if low >= -SLACK and high <= 255 + SLACK:
        return 0.0, 255.0
    raise ValueError(
        f"image must be uint8, 0-1 or 0-255, got {_span(pixels)}; pass the photo as it was before "
        "preprocessing, or value_range=(low, high)"
    )


def _span(values: NDArray[Any]) -> str:
    return f"{values.dtype} values from {values.min():.4g} to {values.max():.4g}"
