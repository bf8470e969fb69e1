"""Decode an image file whose header has been looked at."""

import io
import os
import sys

import numpy as np
from PIL import Image, ImageOps

from ...stderr import native_messages_held
from .headers import DAMAGED, BadPhotoError, Header, unbounded
from .settings import FULL_DEPTH, Reading

_USUAL_DEPTHS = (8, 10, 12, 14)  # of sensors whose values are kept in 16 bits
_BY_PILLOW = ("AVIF", "HEIF")  # OpenCV reads the one not upright, the other not at all


def bound_opencv(max_pixels: int) -> None:
    """Pass the limit to OpenCV too, which has one of its own and reads it at its import.

    For a process of its own, as the command line is: the limit holds for all that it decodes.
    It is a second check after the header's: a crafted file may show two readers two sizes.
    """
    if "cv2" not in sys.modules:
        for name in ("PIXELS", "WIDTH", "HEIGHT"):
            os.environ.setdefault(f"OPENCV_IO_MAX_IMAGE_{name}", str(max_pixels))


def decode(data: bytes, header: Header, how: Reading) -> tuple[np.ndarray, str | None]:
    """Decode a file's first image.

    Args:
        data: The file's bytes.
        header: What they claim to hold.
        how: Depth.

    Returns:
        Shape (height, width, 3), uint8 RGB, upright; and what is worth knowing of it, or None.

    Raises:
        BadPhotoError: If it is damaged, or holds values that are no colours from black to white.
        MemoryError: If it is too large for this machine.
    """
    if header.kind is not None:
        raise BadPhotoError(_no_colours(header.kind))
    pixels = _by_pillow(data, header) if header.format in _BY_PILLOW else _by_opencv(data)
    if pixels.dtype not in (np.uint8, np.uint16):
        raise BadPhotoError(_no_colours(str(pixels.dtype)))
    top = header.top if header.top not in (None, 255, 65535) else None
    if pixels.dtype == np.uint8:
        return (pixels if top is None else _scaled(pixels, top)), None
    if top is not None:
        return _scaled(pixels, top), None
    highest = int(pixels.max())
    if highest >= 2**how.depth:
        narrow = how.option("depth", how.depth)
        raise BadPhotoError(f"holds values up to {highest}, which {narrow} cannot hold")
    return _scaled(pixels, 2**how.depth - 1), _note(highest, how)


def _by_opencv(data: bytes) -> np.ndarray:
    import cv2

    with native_messages_held():
        try:
            found = cv2.imdecode(
                np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH
            )
        except cv2.error as error:
            if error.code == cv2.Error.StsNoMem:
                raise MemoryError from None
            found = None
    if found is None or not found.size:
        raise BadPhotoError(DAMAGED)
    return np.ascontiguousarray(found[..., ::-1])


def _by_pillow(data: bytes, header: Header) -> np.ndarray:
    try:
        with unbounded(), Image.open(io.BytesIO(data), formats=[header.format]) as image:
            return np.array(ImageOps.exif_transpose(image).convert("RGB"))
    except MemoryError:
        raise
    except Exception:  # the file may hold anything, and its readers raise anything
        raise BadPhotoError(DAMAGED) from None


def _scaled(pixels: np.ndarray, top: int) -> np.ndarray:
    """Bring whole numbers from 0 to `top` to 0 to 255; for full bytes, take the upper one.

    >>> _scaled(np.array([0, 16, 4095], np.uint16), 4095).tolist()
    [0, 1, 255]
    """
    values = np.arange(np.iinfo(pixels.dtype).max + 1, dtype=np.int64)
    return np.minimum(values * 256 // (top + 1), 255).astype(np.uint8)[pixels]


def _note(highest: int, how: Reading) -> str | None:
    if how.depth != FULL_DEPTH:
        return None
    for depth in _USUAL_DEPTHS:
        if 0 < highest < 2**depth:
            return (
                f"a 16-bit image has no value above {2**depth - 1}, as in {depth} bits, and "
                f"looks dark: {how.option('depth', depth)} brightens it"
            )
    return None


def _no_colours(kind: str) -> str:
    return (
        f"holds {kind} values, which do not say what is black and what is white: convert it to 8 "
        f"or 16 bits, or explain the array in Python"
    )
