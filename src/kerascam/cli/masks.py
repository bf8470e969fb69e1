"""Masks of photographs: files of the same names, fitted to the model as the photographs are."""

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..pictures import BadPhotoError, ImageForm, Reading, is_image, read_photo
from . import options
from .images import shown

_HALF = 128  # of a pixel's area is in the mask


def find_masks(folder: str, photos: Sequence[Path]) -> dict[Path, Path]:
    """Find the mask of each photograph: an image of the same name, whatever its suffix.

    Args:
        folder: Where they are.
        photos: The photographs.

    Raises:
        ValueError: If the folder is none, holds no mask of any of them, or two of one.
    """
    place = Path(folder)
    if not place.is_dir():
        raise ValueError(f"--masks {shown(folder)} is no folder")
    named: dict[str, list[Path]] = {}
    for path in sorted(place.iterdir()):
        if is_image(path):
            named.setdefault(path.stem, []).append(path)
    found = {}
    for photo in photos:
        masks = named.get(photo.stem, [])
        if len(masks) > 1:
            names = " and ".join(shown(each.name) for each in masks)
            raise ValueError(f"--masks {shown(folder)} has {names} for {shown(photo)}: keep one")
        if masks:
            found[photo] = masks[0]
    if not found:
        raise ValueError(
            f"--masks {shown(folder)} holds no mask of any image: one for {shown(photos[0])} is "
            f"called {shown(photos[0].stem)}.png"
        )
    return found


def read_mask(path: Path, form: ImageForm, arguments: Namespace) -> np.ndarray:
    """Read a mask and fit it as its photograph: True where more than half of a pixel is not black.

    Args:
        path: Its file.
        form: The images that the model takes.
        arguments: How photographs are read.

    Returns:
        Shape (height, width), as the model sees it.

    Raises:
        ValueError: If it cannot be read.
    """
    how = Reading(arguments.max_pixels, arguments.depth, options.spelled)
    try:
        pixels, _ = read_photo(path, how)
    except BadPhotoError as error:
        raise ValueError(f"--masks: {shown(path)}: {error}") from None
    white = np.where(pixels.any(2, keepdims=True), np.uint8(255), np.uint8(0))
    _, fitted = form.fit(np.repeat(white, 3, 2), arguments.fit)
    inside: np.ndarray = fitted[..., 0] >= _HALF
    return inside
