"""What a hidden part of an image is replaced by."""

from typing import Any

import keras
import numpy as np
from keras import ops

from ._types import Images
from .arrays import array_of
from .errors import brief
from .maps import grid_axes

NAMED = ("mean", "blur")
_BLUR = 1 / 16  # of the longest side: a Gaussian of that standard deviation


def check_baseline(baseline: Any) -> None:
    """Raise if a baseline is neither a name, nor a finite number or array.

    Raises:
        TypeError: If it is neither a name nor of numbers.
        ValueError: If the name is unknown, or a number is not finite.
    """
    wanted = 'baseline must be a number, an array of numbers, "mean" or "blur"'
    if isinstance(baseline, str):
        if baseline not in NAMED:
            raise ValueError(f"{wanted}, not {brief(baseline)}")
        return
    check_numbers("baseline", baseline, wanted)


def check_numbers(name: str, given: Any, wanted: str) -> None:
    """Raise if an argument is no number and no array of numbers, or not finite.

    Args:
        name: The argument's.
        given: What was given.
        wanted: What it must be, in words.

    Raises:
        TypeError: If it is not of numbers.
        ValueError: If a number is not finite.
    """
    values = array_of(given)
    if values.dtype.kind not in "biuf":
        raise TypeError(f"{wanted}, not {brief(given)}")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} must be finite; it holds NaN or infinity")


def baseline_of(given: Any, images: Images) -> Images:
    """Return what stands for each image with nothing to see.

    Args:
        given: A number or an array that fits one image; "mean", each image's mean colour; "blur",
            the image after a Gaussian filter, with a standard deviation of a sixteenth of its
            longest side.
        images: Shape (batch, *size, channels).

    Returns:
        Of the shape and the type of `images`.

    Example:
        >>> baseline_of("mean", ops.array([[[0.0], [4.0]]])).numpy().tolist()
        [[[2.0], [2.0]]]
    """
    return in_type(images.dtype, _baseline(given, ops.cast(images, float_type(images))))


def float_type(images: Images) -> str:
    """Return the type in which images are mixed: their own, unless that is of whole numbers."""
    own = keras.backend.standardize_dtype(images.dtype)
    return own if "float" in own else "float32"


def in_type(dtype: Any, values: Any) -> Any:
    """Return values in the type of images: whole numbers are rounded, in their range.

    Args:
        dtype: The type of the images.
        values: Floats.

    Example:
        >>> in_type("uint8", ops.array([-3.0, 7.6, 300.0])).numpy().tolist()
        [0, 8, 255]
    """
    name = keras.backend.standardize_dtype(dtype)
    if "int" in name:
        limits = np.iinfo(name)
        most = np.float32(limits.max)
        if int(most) > limits.max:  # rounded up
            most = np.nextafter(most, np.float32(0))
        values = ops.clip(ops.round(values), float(limits.min), float(most))
    return ops.cast(values, dtype)


def _baseline(given: Any, images: Images) -> Images:
    if isinstance(given, str) and given == "blur":
        return blurred(images, _BLUR * max(ops.shape(images)[1:-1], key=_known))
    if isinstance(given, str):
        start = ops.mean(images, grid_axes(images, features=True), keepdims=True)
    else:
        start = _array(given, images)
    return ops.broadcast_to(start, ops.shape(images))


def hide(images: Images, shown: Any, start: Images) -> Any:
    """Show parts of the images, and of the baseline where these are hidden.

    Args:
        images: Shape (batch, *size, channels).
        shown: From 0, hidden, to 1: shape (copies, batch, *size), with 1 for the batch if it is the
            same for all images.
        start: Of the shape of the images.

    Returns:
        Shape (copies, batch, *size, channels), of the type of the images.
    """
    kind = float_type(images)
    full, empty, share = (ops.cast(each, kind) for each in (images, start, shown))
    return in_type(images.dtype, empty + share[..., None] * (full - empty))


def blurred(images: Images, deviation: Any) -> Images:
    """Filter images by a Gaussian, whose weights sum to one at the borders too.

    Args:
        images: Shape (batch, *size, channels).
        deviation: Its standard deviation in pixels; at 0, the images stay as they are.
    """
    width = ops.maximum(ops.cast(deviation, images.dtype), 1e-3)
    for axis in grid_axes(images, features=True):
        places = ops.cast(ops.arange(ops.shape(images)[axis]), images.dtype)
        apart = (places[:, None] - places[None]) / width
        weights = ops.exp(-0.5 * ops.minimum(apart**2, 1e3))
        weights = weights / ops.sum(weights, 1, keepdims=True)
        images = ops.moveaxis(ops.tensordot(weights, images, [[1], [axis]]), 0, axis)
    return images


def _known(length: Any) -> int:
    return length if isinstance(length, int) else 0


def as_images(given: Any, images: Images) -> Any:
    """Bring a number, an image or several to (n, *size, channels), lengths of one for any length.

    Returns:
        A NumPy array; None if it does not fit the images.
    """
    values, wanted = np.asarray(given), images.shape[1:]
    if values.ndim <= len(wanted):
        values = values.reshape((1, *[1] * (len(wanted) - values.ndim), *values.shape))
    fits = values.ndim == len(wanted) + 1 and all(
        have == 1 or want in (None, have)
        for have, want in zip(values.shape[1:], wanted, strict=True)
    )
    return values if fits else None


def _array(given: Any, images: Images) -> Any:
    values = as_images(given, images)
    if values is None or len(values) != 1:  # an array of a batch would fit only that batch
        raise ValueError(
            f"baseline must be a number or fit one image of shape {tuple(images.shape[1:])}; "
            f"received shape {np.shape(given)}"
        )
    return ops.convert_to_tensor(values, images.dtype)
