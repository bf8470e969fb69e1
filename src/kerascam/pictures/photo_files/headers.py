"""What an image file says of itself before it is decoded: its format, size and values."""

import io
import re
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from PIL import Image

from . import plugins

# What Pillow looks for: formats that a photograph may have, and no others, since some of its
# plugins start other programs.
_FORMATS = ("AVIF", "BMP", "GIF", "HEIF", "JPEG", "JPEG2000", "MPO", "PPM", "WEBP")
_PNG = b"\x89PNG\r\n\x1a\n"
_TIFF = {b"II*\0": "<", b"MM\0*": ">", b"II+\0": "<", b"MM\0+": ">"}
DAMAGED = "not an image, or a damaged one"
_CODESTREAM = b"\xff\x4f\xff\x51"  # the start of JPEG 2000's own header


class BadPhotoError(Exception):
    """A file that cannot be explained, with the reason; the others still can."""


@dataclass(frozen=True)
class Header:
    """What a file claims to hold.

    Attributes:
        format: Pillow's name of the format.
        width: Pixels.
        height: Pixels.
        top: The value that stands for white, if the file says so; None for the largest that
            its values' type holds.
        kind: What its values are if they are not whole numbers from 0, such as "32-bit float".
    """

    format: str
    width: int
    height: int
    top: int | None = None
    kind: str | None = None


def look(data: bytes) -> Header:
    """Read a file's header, allocating nothing that depends on what it claims.

    Args:
        data: The file's bytes.

    Raises:
        BadPhotoError: If it is no image of a format that can be read here.
    """
    try:
        if data.startswith(_PNG):
            return _of_png(data)
        if data[:4] in _TIFF:
            return _of_tiff(data)
        return _by_pillow(data)
    except Exception:  # the file may hold anything, and its readers raise anything
        raise BadPhotoError(plugins.missing_for(data) or DAMAGED) from None


def _by_pillow(data: bytes) -> Header:
    if plugins.is_box(data):
        plugins.register_heif()
    Image.init()
    known = [name for name in _FORMATS if name in Image.OPEN]
    with unbounded(), Image.open(io.BytesIO(data), formats=known) as image:
        header = Header(image.format or "", *image.size)
    if header.format == "PPM":
        number = rb"(?:\s+|#[^\n]*\n)+(\d+)"
        found = re.match(rb"P[2356]" + 3 * number + rb"\s", data)
        return replace(header, top=int(found[3])) if found else header
    return _of_jpeg2000(data, header) if header.format == "JPEG2000" else header


def _of_jpeg2000(data: bytes, header: Header) -> Header:
    """Read the codestream's own header, by which a decoder goes, whatever the box around says."""
    for found in re.finditer(_CODESTREAM, data):
        right, bottom, left, top = struct.unpack_from(">4I", data, found.start() + 8)
        header = replace(
            header,
            width=max(header.width, right - left),
            height=max(header.height, bottom - top),
            top=2 ** ((data[found.start() + 42] & 127) + 1) - 1,
        )
    return header


@contextmanager
def unbounded() -> Iterator[None]:
    """Have Pillow say the size, however large: the limit is ours."""
    most = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = most


def _of_png(data: bytes) -> Header:
    """Read the first chunk, and check the lengths of all: a decoder takes memory by them.

    Pillow would read and judge all texts in the file as well.
    """
    place = len(_PNG)
    while place + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        place += 12 + length
        if place > len(data):
            raise ValueError("a chunk is longer than the file")
        if kind == b"IEND":
            break
    return Header("PNG", *struct.unpack_from(">II", data, 16))


def _of_tiff(data: bytes) -> Header:
    """Read the first directory: Pillow refuses to name the size of many kinds of TIFF."""
    fields = _fields(data)
    height = max(fields[257])
    # A tile or a strip is decoded as a whole, however little of it the image needs.
    width = max(fields[256] + fields.get(322, []))
    height = max([height, *fields.get(323, [])])
    kinds = {2: "signed", 3: "float"}
    kind = kinds.get(max(fields.get(339, [1])))
    bits = max(fields.get(258, [1]))
    if kind is None and bits > 16:
        kind = "unsigned"
    return Header("TIFF", width, height, kind=kind and f"{bits}-bit {kind}")


def _fields(data: bytes) -> dict[int, list[int]]:
    """Read the whole numbers of a TIFF's first directory by tag, those of a tag given twice too."""
    order = _TIFF[data[:4]]
    big = data[2:4] in (b"+\0", b"\0+")
    number, entry, inline = ("Q", "HHQ", 8) if big else ("I", "HHI", 4)
    (place,) = struct.unpack_from(order + number, data, 8 if big else 4)
    (count,) = struct.unpack_from(order + ("Q" if big else "H"), data, place)
    place += 8 if big else 2
    fields: dict[int, list[int]] = {}
    for _ in range(min(count, 2**16)):
        tag, kind, length = struct.unpack_from(order + entry, data, place)
        value = place + struct.calcsize(order + entry)
        code = {1: "B", 3: "H", 4: "I", 16: "Q"}.get(kind)
        if code is not None:
            length = min(length, 8)  # channels, at most
            if length * struct.calcsize(code) > inline:
                (value,) = struct.unpack_from(order + number, data, value)
            fields.setdefault(tag, []).extend(
                struct.unpack_from(f"{order}{length}{code}", data, value)
            )
        place += struct.calcsize(order + entry) + inline
    return fields
