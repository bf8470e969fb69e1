"""Read photographs and bring them to a model's size."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..pictures import photo_limits
from . import suffixes
from .decoding import FULL_DEPTH, decode
from .headers import BadPhotoError, Header, look

OUT_OF_MEMORY = "out of memory: it is too large for this machine"
# What a photograph's file may hold: no format needs more bytes for four channels of 16 bits, nor
# more for what stands beside them.
_BYTES_A_PIXEL, _BYTES_BESIDE = 16, 2**26


@dataclass(frozen=True)
class Reading:
    """How photographs are read.

    Attributes:
        max_pixels: How many one may claim.
        depth: How many bits the values of a 16-bit image use.
    """

    max_pixels: int = photo_limits.MAX_PIXELS
    depth: int = FULL_DEPTH


def read(path: Path, how: Reading) -> tuple[np.ndarray, str | None]:
    """Read one image file.

    Args:
        path: The file.
        how: Limits and depth.

    Returns:
        Shape (height, width, 3), uint8 RGB: upright as the file says; grey becomes RGB, an alpha
        channel is dropped and the colours under it kept, of several frames the first is taken.
        And what is worth knowing of it, or None.

    Raises:
        BadPhotoError: If it cannot be read, is no whole image, or claims more than memory or time
            should be spent on.
    """
    try:
        data = _bytes_of(path, how.max_pixels)
        header = _header(path, data)
        _check(header, data, how.max_pixels)
        return decode(data, header, how.depth)
    except OSError as error:
        raise BadPhotoError((error.strerror or str(error)).lower()) from None
    except MemoryError:
        raise BadPhotoError(OUT_OF_MEMORY) from None


def _bytes_of(path: Path, max_pixels: int) -> bytes:
    with path.open("rb") as file:
        size, most = os.fstat(file.fileno()).st_size, _BYTES_A_PIXEL * max_pixels + _BYTES_BESIDE
        if not size:
            raise BadPhotoError("the file is empty")
        if size > most:
            raise BadPhotoError(f"a file of {size:,} bytes, more than the {most:,} that "
                                f"--max-pixels {max_pixels} can need")  # fmt: skip
        return file.read(size)


def _header(path: Path, data: bytes) -> Header:
    try:
        header = look(data)
    except BadPhotoError:
        if reason := suffixes.unreadable(path):
            raise BadPhotoError(reason) from None
        raise
    if header.format == "TIFF" and suffixes.is_raw(path):  # would be read as its thumbnail
        raise BadPhotoError(str(suffixes.unreadable(path)))
    return header


def _check(header: Header, data: bytes, max_pixels: int) -> None:
    claimed = header.width * header.height
    if claimed > max_pixels:
        raise BadPhotoError(
            f"claims {header.width}x{header.height} = {claimed:,} pixels, more than the "
            f"{max_pixels:,} that are taken: --max-pixels {claimed} takes it"
        )
    if header.format in ("JPEG", "MPO"):
        scans = photo_limits.count_scans(data)
        if scans > photo_limits.MAX_SCANS:
            raise BadPhotoError(
                f"a JPEG of {scans:,} scans, more than the {photo_limits.MAX_SCANS} that are "
                f"taken, as each costs a pass over its pixels: save it again"
            )


def shrink(photo: np.ndarray, side: int | None) -> np.ndarray:
    """Bring a photo's longer side to a length, by the mean of the area; a smaller one stays.

    Args:
        photo: Shape (height, width, 3), uint8.
        side: How long the longer side may be, in pixels; None for any length.

    Returns:
        Shape (at most height, at most width, 3), uint8.

    >>> shrink(np.zeros((30, 20, 3), np.uint8), 15).shape
    (15, 10, 3)
    """
    longer = max(photo.shape[:2])
    if side is None or longer <= side:
        return photo
    height, width = (max(1, round(own * side / longer)) for own in photo.shape[:2])
    return resize(photo, (height, width))


def crop(photo: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Cut the largest rectangle of the proportions of `size` out of the photo's middle.

    Args:
        photo: Shape (height, width, channels).
        size: A height and a width, of which only the quotient counts.

    Returns:
        A copy, at the photo's own resolution: a view would keep the whole photo in memory.

    >>> crop(np.zeros((100, 60, 3), np.uint8), (224, 224)).shape
    (60, 60, 3)
    """
    height, width = photo.shape[:2]
    cut_height = max(1, min(height, round(width * size[0] / size[1])))
    cut_width = max(1, min(width, round(height * size[1] / size[0])))
    top, left = (height - cut_height) // 2, (width - cut_width) // 2
    return photo[top : top + cut_height, left : left + cut_width].copy()


def resize(photo: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize to a height and width: by the mean of the area where a side shrinks, else bilinearly.

    Args:
        photo: Shape (height, width, channels), uint8.
        size: The height and width that the model takes.

    Returns:
        Shape (*size, channels), uint8.

    >>> resize(np.uint8([[[0], [100]], [[20], [40]]]), (1, 1)).tolist()
    [[[40]]]
    """
    import cv2

    height, width = size
    smaller = (min(width, photo.shape[1]), min(height, photo.shape[0]))
    shrunk = cv2.resize(photo, smaller, interpolation=cv2.INTER_AREA)
    resized = cv2.resize(shrunk, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.array(resized).reshape(height, width, photo.shape[2])


def to_grey(photo: np.ndarray) -> np.ndarray:
    """Turn RGB into one channel of luminance, shape (height, width, 1), uint8."""
    import cv2

    return np.asarray(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY))[..., None]
