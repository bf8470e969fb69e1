"""Read one image file, within limits."""

import os
import stat
from pathlib import Path

import numpy as np

from .. import photo_limits
from . import suffixes
from .decoding import decode
from .headers import BadPhotoError, Header, look
from .settings import Reading

OUT_OF_MEMORY = "out of memory: it is too large for this machine"
# What a photograph's file may hold: no format needs more bytes for four channels of 16 bits, nor
# more for metadata.
_BYTES_PER_PIXEL, _BYTES_BESIDE = 16, 2**26


def read_photo(path: Path, how: Reading) -> tuple[np.ndarray, str | None]:
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
        data = _bytes_of(path, how)
        header = _header(path, data)
        _check(header, data, how)
        return decode(data, header, how)
    except OSError as error:
        raise BadPhotoError((error.strerror or str(error)).lower()) from None
    except MemoryError:
        raise BadPhotoError(OUT_OF_MEMORY) from None


def _bytes_of(path: Path, how: Reading) -> bytes:
    try:
        mode = path.stat().st_mode
    except ValueError:  # a null character
        raise BadPhotoError("no file can have such a name") from None
    if not stat.S_ISREG(mode):  # to open a pipe may wait for ever
        raise BadPhotoError("a folder" if stat.S_ISDIR(mode) else "neither a file nor a folder")
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        most = _BYTES_PER_PIXEL * how.max_pixels + _BYTES_BESIDE
        if not size:
            raise BadPhotoError("the file is empty")
        if size > most:
            raise BadPhotoError(f"a file of {size:,} bytes, more than the {most:,} that "
                                f"{how.option('max_pixels', how.max_pixels)} can need")  # fmt: skip
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


def _check(header: Header, data: bytes, how: Reading) -> None:
    claimed = header.width * header.height
    if claimed > how.max_pixels:
        raise BadPhotoError(
            f"claims {header.width}x{header.height} = {claimed:,} pixels, more than the "
            f"{how.max_pixels:,} that are allowed: {how.option('max_pixels', claimed)} allows it"
        )
    if header.format in ("JPEG", "MPO"):
        scans = photo_limits.count_scans(data)
        if scans > photo_limits.MAX_SCANS:
            raise BadPhotoError(
                f"a JPEG of {scans:,} scans, more than the {photo_limits.MAX_SCANS} that are "
                f"allowed, as each costs a pass over its pixels: save it again"
            )
