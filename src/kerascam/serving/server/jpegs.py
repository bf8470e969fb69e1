"""What a JPEG asks of a decoder, told by its markers: its size, and how often it goes over it."""

from __future__ import annotations

import re

START = b"\xff\xd8"
_SCAN = b"\xff\xda"
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # the kinds of coding; the others are tables
# All but what has no segment: fill bytes, stuffed zeros, TEM, restarts, the start of an image.
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")
_MOST_SEGMENTS = 10_000
_FEW = 10  # scans: what saves a photograph progressively makes about as many


class JpegError(ValueError):
    """A file that begins as a JPEG and does not go on as one."""


def read_jpeg(data: bytes, most_scans: int) -> tuple[int, int, int]:
    r"""Read width, height and number of scans, as a decoder finds them.

    A thumbnail in a segment does not count, nor does a film after the end of the image.

    Args:
        data: The file.
        most_scans: How far to count: more scans than this are told as one more.

    Raises:
        JpegError: If it has no size, or a great many segments.

    >>> frame = b"\xff\xc2\x00\x07\x08\x00\x02\x00\x03"
    >>> scan = b"\xff\xda\x00\x02 its data "
    >>> read_jpeg(START + frame + scan * 12 + b"\xff\xd9" + scan * 9, 100)
    (3, 2, 12)
    >>> read_jpeg(START + frame + scan * 12, 11)
    (3, 2, 12)
    """
    place, scans, size = len(START), 0, None
    for _ in range(_MOST_SEGMENTS):
        found = _MARKER.search(data, place)
        marker = _END_OF_IMAGE if found is None else data[found.end() - 1]
        if found is None or marker == _END_OF_IMAGE:
            break
        segment = found.end()
        if marker in _FRAMES and size is None:
            size = data[segment + 3 : segment + 7]
        scans += marker == _START_OF_SCAN
        if marker == _START_OF_SCAN and scans == 1:
            at_most = data.count(_SCAN, place)
            if at_most <= _FEW:  # nearly always so, and told in no time
                scans = at_most
                break
        if scans > most_scans:
            break
        # A length counts its own two bytes, whatever it says.
        place = segment + max(2, int.from_bytes(data[segment : segment + 2], "big"))
    else:
        raise JpegError(f"more than {_MOST_SEGMENTS} segments")
    if size is None or len(size) < 4:
        raise JpegError("no size")
    return int.from_bytes(size[2:], "big"), int.from_bytes(size[:2], "big"), scans
