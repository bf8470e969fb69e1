"""Photographs of any usual kind to uint8 RGB, and pictures to PNG files."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arrays import array_of
from ..errors import brief
from ..files import write_atomically
from ..marks import mark_png

SLACK = 1e-3  # float resizing may leave 1.0000001 in a 0-1 photo: still 0-1


def to_uint8_rgb(
    image: ArrayLike,
    *,
    value_range: tuple[float, float] | None = None,
    argument: str = "image",
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
        argument: What an error calls the image.

    Returns:
        (height, width, 3) or (batch, height, width, 3), uint8, always a new array.

    Raises:
        ValueError: For another shape, a value outside every known range, NaN or infinity.
        TypeError: If `image` does not hold numbers, or `value_range` not two.

    Example:
        >>> to_uint8_rgb([[0.0, 1.0]]).tolist()
        [[[0, 0, 0], [255, 255, 255]]]
        >>> to_uint8_rgb([[-1.0, 1.0]], value_range=(-1, 1)).tolist()
        [[[0, 0, 0], [255, 255, 255]]]
    """
    wanted = None if value_range is None else conform_range(value_range)
    pixels = _with_channels(numbers(image, argument), argument)
    pixels = pixels[..., :3]
    if pixels.dtype != np.uint8 or wanted is not None:
        low, high = _value_range(pixels, wanted, argument)
        unit = (pixels.astype(np.float32) - np.float32(low)) / np.float32(high - low)
        pixels = np.rint(np.clip(unit, 0, 1) * 255).astype(np.uint8)
    return np.array(np.broadcast_to(pixels, (*pixels.shape[:-1], 3)))


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
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise ValueError(f"path must end in .png, got '{path.name}'")
    encoded = encode_png(image)
    write_atomically(path, lambda file: file.write(encoded))


def encode_png(image: ArrayLike) -> bytes:
    """Encode one picture as a PNG file that carries kerascam's mark.

    Args:
        image: (height, width) grey, or (height, width, 3) RGB, uint8.

    Returns:
        The file's bytes.

    Raises:
        ValueError: For another shape or dtype.

    Example:
        >>> encode_png(np.zeros((4, 4), np.uint8))[37:45]
        b'tEXtSoft'
    """
    import cv2

    pixels = np.asarray(image)
    is_picture = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[-1] == 3)
    if pixels.dtype != np.uint8 or not is_picture or not pixels.size:
        raise ValueError(
            "image must be uint8 of shape (height, width) or (height, width, 3), got "
            f"{pixels.dtype} of shape {pixels.shape}; pass it through to_uint8_rgb first"
        )
    bgr = pixels if pixels.ndim == 2 else pixels[..., ::-1].copy()
    return mark_png(cv2.imencode(".png", bgr)[1].tobytes())


def encode_jpeg(image: NDArray[np.uint8], quality: int = 72) -> bytes:
    """Encode one picture as a JPEG file, small enough to be part of a page.

    Args:
        image: (height, width, 3) RGB.
        quality: From 0 to 100.

    Returns:
        The file's bytes.

    Example:
        >>> encode_jpeg(np.zeros((4, 4, 3), np.uint8))[:2].hex()
        'ffd8'
    """
    import cv2

    told = [cv2.IMWRITE_JPEG_QUALITY, quality]
    return cv2.imencode(".jpg", image[..., ::-1], told)[1].tobytes()


def numbers(array: ArrayLike, argument: str) -> NDArray[Any]:
    """Take an array of numbers.

    Raises:
        TypeError: If it holds something else.
    """
    try:
        values = np.asarray(array)
    except Exception:  # rows of several lengths, or a type that refuses
        raise TypeError(f"{argument} must be an array of numbers, got {brief(array)}") from None
    if values.dtype.kind not in "fiub":
        # bfloat16 and its like are numbers that numpy does not know as such
        try:
            return values.astype(np.float32, casting="safe")
        except TypeError:
            raise TypeError(
                f"{argument} must hold numbers, got dtype {values.dtype}: {brief(array)}"
            ) from None
    return values


def _with_channels(pixels: NDArray[Any], argument: str) -> NDArray[Any]:
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    if pixels.ndim not in (3, 4) or pixels.shape[-1] not in (1, 3, 4) or not pixels.size:
        fix = "a batch of grey images needs a channel axis: images[..., None]"
        if pixels.ndim in (3, 4) and pixels.shape[-3] in (1, 3, 4):
            fix = "move the channels to the end: np.moveaxis(image, -3, -1)"
        raise ValueError(
            f"{argument} must be (height, width), (height, width, channels) or (batch, height, "
            f"width, channels) with 1, 3 or 4 channels and not empty, got shape {pixels.shape}; "
            f"{fix}"
        )
    return pixels


def conform_range(value_range: Any) -> tuple[float, float]:
    """Take the values of black and of white.

    Raises:
        TypeError: If they are not two numbers.
        ValueError: If they are not finite, or the first is not the smaller one.
    """
    given = array_of(value_range)
    if given.shape != (2,) or given.dtype.kind not in "fiu":
        raise TypeError(f"value_range must be two numbers (low, high), not {brief(value_range)}")
    low, high = map(float, given)
    if not (np.isfinite([low, high]).all() and low < high):
        raise ValueError(
            f"value_range must be (low, high) with low < high, got {brief(value_range)}"
        )
    return low, high


def _value_range(
    pixels: NDArray[Any], wanted: tuple[float, float] | None, argument: str
) -> tuple[float, float]:
    low, high = float(pixels.min()), float(pixels.max())  # NaN anywhere makes both NaN
    if wanted is not None:
        black, white = wanted
        slack = 0.1 * (white - black)
        if black - slack <= low and high <= white + slack:
            return wanted
        raise ValueError(
            f"{argument} does not fit value_range={_words(wanted)}: got {span(pixels)}; pass the "
            f"values of black and of white"
        )
    if pixels.dtype.kind == "b" or (
        pixels.dtype.kind == "f" and low >= -SLACK and high <= 1 + SLACK
    ):
        return 0.0, 1.0
    if low >= -SLACK and high <= 255 + SLACK:
        return 0.0, 255.0
    raise ValueError(
        f"{argument} must be uint8, 0-1 or 0-255, got {span(pixels)}; pass the photo as it was "
        "before preprocessing, or value_range=(low, high)"
    )


def _words(value_range: tuple[float, float]) -> str:
    return "({:g}, {:g})".format(*value_range)


def span(values: NDArray[Any]) -> str:
    """Word the values' dtype and range for an error."""
    return f"{values.dtype} values from {values.min():.4g} to {values.max():.4g}"
