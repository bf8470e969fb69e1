"""From image files to what a model takes, and to what its heatmaps are drawn on."""

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from .arguments import number_in
from .errors import brief
from .files import shown
from .model import Preprocess, check_model, image_form_of, preprocessing_of
from .pictures import (
    FULL_DEPTH,
    MAX_PIXELS,
    OUT_OF_MEMORY,
    BadPhotoError,
    Fit,
    ImageForm,
    Reading,
    check_fit,
    read_photo,
)

# How many bad files an error names.
_NAMED = 3
_ROOM = 150  # characters of a name
_LONGEST = 2**31 - 1  # pixels of a side


class LoadedImages(NamedTuple):
    """Photographs, as a model takes them and as they were.

    Attributes:
        images: Shape (batch, *size, channels), float32: fitted and preprocessed, for an explainer
            or `model.predict`. The channels come first if they do in the model.
        photos: One for each file, shape (height, width, 3), uint8 RGB, each of its own size: what
            the model sees of it, for `overlay`, `plot` and `save`. The whole photograph, or with
            `fit="crop"` its middle.

    Example:
        >>> LoadedImages(np.zeros((1, 8, 8, 3), np.float32), [np.zeros((4, 6, 3), np.uint8)]).images.shape
        (1, 8, 8, 3)
    """  # noqa: E501 - a line of an example

    images: NDArray[Any]
    photos: list[NDArray[np.uint8]]


def load_images(
    paths: Any,
    model: keras.Model,
    *,
    fit: Fit = "stretch",
    preprocess: str | Preprocess = "none",
    size: tuple[int, int] | None = None,
    max_pixels: int = MAX_PIXELS,
    depth: int = FULL_DEPTH,
) -> LoadedImages:
    """Load photographs for a model: decoded, upright, in its size and its values.

    JPEG, PNG, WebP, TIFF, GIF, BMP and JPEG 2000 are read; HEIC and AVIF with the extra `heic`.
    Photographs are turned upright as their EXIF data say, grey becomes RGB (and RGB grey, for a
    model of one channel), and an alpha channel is dropped. `kerascam explain` reads and fits by
    the same code.

    Args:
        paths: A file, or a list of files, as text or `pathlib.Path`.
        model: The model that they are for: it takes one image of one or three channels.
        fit: "stretch" brings the whole photograph to the model's size; "crop" takes the largest
            middle part in the model's proportions.
        preprocess: What turns RGB from 0 to 255 into what the model takes, the same as in its
            training: "none" if the model does it itself, "0-1", "-1-1", a module of
            keras.applications such as "resnet50", or a function of a float32 array (batch, *size,
            channels) that returns one.
        size: The (height, width), for a model that takes images of any size.
        max_pixels: A photograph that claims more is refused before it is decoded.
        depth: How many bits the values of a 16-bit image use, such as 12 for those of many
            cameras and microscopes.

    Returns:
        `images` for the model and `photos` to draw on, in the order of the paths.

    Raises:
        TypeError: If an argument is of a wrong type.
        ValueError: If a file cannot be read, with its name and the reason, or an argument has a
            value that does not fit.

    Example:
        >>> import tempfile
        >>> from kerascam import GradCAM
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, "softmax")])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = f"{folder}/photo.png"
        ...     keras.utils.save_img(file, np.full((20, 30, 3), 128), scale=False)
        ...     images, photos = load_images(file, model, preprocess="0-1")
        >>> images.shape, round(float(images.max()), 3)
        ((1, 8, 8, 3), 0.502)
        >>> GradCAM(model)(images).overlay(photos).shape  # as large as the photograph
        (1, 20, 30, 3)
    """
    files = conform_paths(paths)
    check_model(model)
    check_fit(fit)
    prepare = preprocess if callable(preprocess) else preprocessing_of(preprocess)
    form = sized(image_form_of(model), size)
    how = Reading(number_in("max_pixels", max_pixels, 1), number_in("depth", depth, 8, FULL_DEPTH))
    photos, values = [], []
    for photo, fitted in _read_all(files, form, fit, how):
        photos.append(photo)
        values.append(fitted)
    return LoadedImages(to_inputs(values, form, prepare), photos)


def conform_paths(paths: Any) -> list[Path]:
    """Take one file, or several.

    Raises:
        TypeError: If there is anything else among them.
        ValueError: If there are none.
    """
    alone = isinstance(paths, (str, os.PathLike))
    try:
        given = [paths] if alone else list(paths)
        texts = all(isinstance(each, (str, os.PathLike)) for each in given)
        files = [Path(each) for each in given] if texts else []
    except Exception:  # no sequence, or a type that refuses
        texts, files = False, []
    if not texts or isinstance(paths, Mapping):
        raise TypeError(f"paths must be a file or a list of files, not {brief(paths)}")
    if not files:
        raise ValueError("paths must hold at least one file; received none")
    return files


def sized(form: ImageForm, size: Any, option: str = "size") -> ImageForm:
    """Set the size of a form that leaves it open to the one that is asked for.

    Raises:
        TypeError: If the size is not two whole numbers.
        ValueError: If the form has another size.
    """
    if size is None:
        return form
    if not isinstance(size, (list, tuple)) or len(size) != 2:
        raise TypeError(f"{option} must be the two numbers (height, width), not {brief(size)}")
    height, width = (number_in(option, length, 1, _LONGEST) for length in size)
    fits = all(own in (None, asked) for own, asked in zip(form.size, (height, width), strict=True))
    if not fits:
        own = "x".join("any" if n is None else str(n) for n in form.size)
        raise ValueError(f"{option} {height}x{width} does not fit the model, which takes {own}")
    return replace(form, size=(height, width))


def to_inputs(
    values: Sequence[NDArray[np.uint8]], form: ImageForm, preprocess: Preprocess
) -> NDArray[Any]:
    """Make a batch as the model takes it.

    Args:
        values: Fitted photographs of one shape, (height, width, channels).
        form: What they were fitted to.
        preprocess: From float32 RGB from 0 to 255, channels last, to what the model wants.

    Returns:
        Shape (batch, *size, channels), or (batch, channels, *size).

    Raises:
        ValueError: If they are of several shapes, or the preprocessing returns no such batch.
    """
    shapes = sorted({each.shape[:2] for each in values})
    if len(shapes) > 1:
        few = ", ".join(f"{height}x{width}" for height, width in shapes[:_NAMED])
        raise ValueError(
            f"size must be given: the model takes images of any size, and the photographs have "
            f"several, such as {few}"
        )
    pixels = np.stack(values).astype(np.float32)
    made = np.asarray(keras.ops.convert_to_numpy(preprocess(pixels)))
    if made.ndim != 4 or len(made) != len(pixels):
        raise ValueError(
            f"preprocess must return a batch of images, not shape {made.shape} for {pixels.shape}"
        )
    return np.moveaxis(made, -1, 1) if form.channels_first else made


def _read_all(
    files: Sequence[Path], form: ImageForm, fit: Fit, how: Reading
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Read and fit every file, and say of all together which cannot be."""
    bad: list[str] = []
    for path in files:
        try:
            photo, note = read_photo(path, how)
            seen, fitted = form.fit(photo, fit)
        except BadPhotoError as error:
            bad.append(f"{_name(path)}: {error}")
        except MemoryError:
            bad.append(f"{_name(path)}: {OUT_OF_MEMORY}")
        else:
            if note:
                warnings.warn(f"{_name(path)}: {note}", UserWarning, stacklevel=4)
            if not bad:
                yield seen, fitted
    if bad:
        more = f"; and {len(bad) - _NAMED} more" if len(bad) > _NAMED else ""
        raise ValueError("; ".join(bad[:_NAMED]) + more)


def _name(path: Path) -> str:
    """Name a file as it was given, or the end of a name that no message has room for."""
    name = shown(path)
    return name if len(name) <= _ROOM else f"...{name[-_ROOM:]}"
