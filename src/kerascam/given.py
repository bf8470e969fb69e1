"""Take images as users have them: an image alone, PIL images; say what to do with anything else."""

import os
import sys
from typing import Any

import numpy as np

from .errors import brief, reason

_COLORS = {1: "L", 3: "RGB", 4: "RGBA"}  # PIL's names, by the number of channels
# Modes that PIL brings to these without loss of range; others hold more than 8 bits a value.
_OF_8_BITS = {"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr",
              "HSV"}  # fmt: skip


def refuse_others(value: Any, name: str) -> None:
    """Raise if a value is no array, but something that another function makes arrays of.

    Args:
        value: What the user gave.
        name: What an error calls it.

    Raises:
        TypeError: If it is nothing, a path, an encoded file, a data set, images with their
            labels, images of several sizes in one tensor, or an iterator.
    """
    if value is None:
        raise TypeError(
            f"{name} must be given: an array of shape (batch, *size, channels), not None"
        )
    kinds = {kind.__name__ for kind in type(value).__mro__}
    if kinds & {"RaggedTensor", "RaggedTensorValue"}:
        raise TypeError(
            f"{name} must be of one size, not a ragged tensor: resize them first, or explain one "
            f"at a time"
        )
    if _has_labels(value):
        raise TypeError(
            f"{name} must be images alone, not (images, labels): give the first of the two"
        )
    first = value[0] if isinstance(value, (list, tuple)) and value else value
    if isinstance(first, np.ndarray) and first.dtype.kind == "U" and first.ndim < 2 and first.size:
        first = str(first.flat[0])
    if isinstance(first, (str, os.PathLike)):
        raise TypeError(
            f"{name} must be arrays, not a path; received {brief(first)}: "
            f"kerascam.load_images(paths, model).images decodes files and fits them to the model"
        )
    if isinstance(first, (bytes, bytearray)):
        raise TypeError(
            f"{name} must be arrays, not the bytes of a file; received {brief(first)}: decode "
            f"them first, or save them and call kerascam.load_images(paths, model)"
        )
    if is_dataset(value):
        raise TypeError(
            f"{name} must be one batch here, not a tf.data.Dataset: give next(iter(dataset))[0], "
            f"or go through its batches in a loop"
        )
    if hasattr(type(value), "__next__") or kinds & {"PyDataset", "DataLoader"}:
        raise TypeError(
            f"{name} must be arrays, not {brief(value)} of type {type(value).__name__}: explain "
            f"its batches in a loop"
        )


def is_dataset(value: Any) -> bool:
    """Tell whether a value is a `tf.data.Dataset`; an iterator over its batches is not one."""
    return hasattr(type(value), "element_spec") and not hasattr(type(value), "__next__")


def _has_labels(value: Any) -> bool:
    """Tell whether a value is a batch of a data set: images, and one label or row for each."""
    if not isinstance(value, tuple) or len(value) not in (2, 3):
        return False
    ranks = [len(getattr(each, "shape", ())) for each in value]
    return ranks[0] >= 3 and 1 <= ranks[1] <= 2 and value[0].shape[0] == value[1].shape[0]


def as_arrays(value: Any, shape: tuple[int | None, ...] | None, name: str) -> Any:
    """Turn PIL images into arrays with the channels that a model takes; leave all else as it is.

    Args:
        value: What the user gave: perhaps a PIL image or a list of them.
        shape: What the model takes, without the batch axis.
        name: What an error calls it.

    Raises:
        TypeError: If a PIL image has other values or channels than the model takes.
        ValueError: If it cannot be read, or has another size than the model takes.
    """
    if _is_pil(value):
        return _pixels(value, shape, name)
    if isinstance(value, (list, tuple)) and any(map(_is_pil, value)):
        return [_pixels(each, shape, name) if _is_pil(each) else each for each in value]
    return value


def as_batch(array: np.ndarray, shape: tuple[int | None, ...] | None) -> np.ndarray:
    """Add the batch axis to a single image, by the number of axes that the model takes."""
    fits = shape is not None and array.ndim == len(shape) and matches(array.shape, shape)
    return array[None] if fits else array


def matches(have: tuple[int, ...], want: tuple[int | None, ...]) -> bool:
    """Tell whether lengths are those that are wanted, None for any."""
    return all(length in (None, own) for own, length in zip(have, want, strict=True))


def _is_pil(value: Any) -> bool:
    module = sys.modules.get("PIL.Image")  # nobody holds one of its images unless it is loaded
    return module is not None and isinstance(value, module.Image)


def _pixels(image: Any, shape: tuple[int | None, ...] | None, name: str) -> np.ndarray:
    if shape is None or len(shape) != 3:
        raise TypeError(
            f"{name} must be arrays for this model, not PIL images: it does not take, or does not "
            f"say that it takes, images of (height, width, channels)"
        )
    first = shape[-1] not in _COLORS and shape[0] in _COLORS  # channels before the grid
    channels = (shape[0] if first else shape[-1]) or 3
    wanted = _COLORS.get(channels)
    if wanted is None:
        raise TypeError(
            f"{name} must have the {channels} channels that the model takes, which a PIL image "
            f"does not have; give an array"
        )
    if image.mode not in _OF_8_BITS and wanted != "L":
        raise TypeError(
            f"{name} must not be PIL images of mode {image.mode!r}, whose values are not from 0 "
            f"to 255, for a model of {channels} channels; give an array"
        )
    try:
        same = image.mode == wanted or image.mode not in _OF_8_BITS
        array = np.asarray(image if same else image.convert(wanted))
    except (OSError, ValueError, SyntaxError) as error:  # of a file that is read only now
        raise ValueError(f"{name} holds a PIL image that cannot be read: {reason(error)}") from None
    array = array if array.ndim == 3 else array[..., None]
    size = shape[1:] if first else shape[:2]
    if not matches(array.shape[:2], size):
        height, width = ("any" if length is None else length for length in size)
        raise ValueError(
            f"{name} must be of the model's size, width {width} and height {height}, not a PIL "
            f"image of width {image.width} and height {image.height}: "
            f"kerascam.load_images(paths, model).images fits files to the model, or call "
            f"image.resize((width, height)) first"
        )
    return np.moveaxis(array, -1, 0) if first else array
