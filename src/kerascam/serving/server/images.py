"""How much work encoded images are, read from their headers: before anything decodes them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from ...pictures import FORMATS
from .limits import Limits, RequestError

START = b"\xff\xd8"
_SCAN = b"\xff\xda"
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # the kinds of coding; the others are tables
# All but what has no segment: fill bytes, stuffed zeros, TEM, restarts, the start of an image.
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")
_MOST_SEGMENTS = 10_000
_FEW = 10  # scans: what saves a photograph progressively makes about as many
SCANS_OF_A_PHOTOGRAPH = 10


class JpegError(ValueError):
    """A file that begins as a JPEG and does not go on as one."""


def read_jpeg(data: bytes, most_scans: int) -> tuple[int, int, int]:
    r"""Read width, height and number of scans, as a decoder finds them.

    A thumbnail in a segment does not count, nor does a video after the end of the image.

    Args:
        data: The file.
        most_scans: How far to count: more scans than this are returned as one more.

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
            if at_most <= _FEW:  # nearly always, and found quickly
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


@dataclass(frozen=True)
class _Claim:
    """What a file says that it holds."""

    width: int
    height: int
    frames: int = 1
    scans: int = 1

    @property
    def pixels(self) -> int:
        return self.width * self.height * self.frames

    @property
    def work(self) -> int:
        """Pixels, as often as a decoder has to go over them beyond what is usual."""
        return self.pixels * max(1, math.ceil(self.scans / SCANS_OF_A_PHOTOGRAPH))

    def __str__(self) -> str:
        frames = f" x {self.frames} frames" if self.frames > 1 else ""
        return f"{self.width} x {self.height}{frames}"


class Images:
    """Checks the encoded images of one request, and adds up their pixels.

    A file of a few kilobytes may claim to hold gigabytes of pixels, or thousands of passes over
    them; and what one file may claim, a request of many files must not claim many times.

    Args:
        limits: Bounds on pixels and scans.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._work = 0

    def check(self, name: str, data: bytes) -> None:
        """Check one encoded image, and count its pixels.

        Args:
            name: The name of its input.
            data: The encoded file.

        Raises:
            RequestError: If it is not an image of a known format, if it is too much work, or if
                the request is with it added.
        """
        claim, limits = _claim(data, self._limits.scans), self._limits
        if claim is None:
            raise RequestError(
                400,
                f"input {name!r} holds {len(data)} bytes that are not an image; send a file of one "
                f"of {', '.join(FORMATS)}",
            )
        if claim.pixels > limits.pixels:
            raise RequestError(
                400,
                f"input {name!r} holds an image of {claim} pixels; send at most {limits.pixels}",
            )
        if claim.scans > limits.scans:
            raise RequestError(
                400,
                f"input {name!r} holds a JPEG of more than {limits.scans} scans; save it again "
                "with fewer, or not progressive",
            )
        self._work += claim.work
        if self._work > limits.request_pixels:
            raise RequestError(
                400,
                f"input {name!r} brings the images of this request to {self._work} pixels, those "
                f"of a JPEG counted once per {SCANS_OF_A_PHOTOGRAPH} scans; send at most "
                f"{limits.request_pixels} in one request",
            )


def _claim(data: bytes, most_scans: int) -> _Claim | None:
    """Read a header; no loop here may be as long as what a client sends."""
    if data.startswith(START):
        try:
            width, height, scans = read_jpeg(data, most_scans)
        except JpegError:
            return None
        return _Claim(width, height, scans=scans)
    if data.startswith(b"\x89PNG\r\n\x1a\n") and data[12:16] == b"IHDR" and len(data) >= 33:
        return _Claim(int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big"))
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP" and len(data) >= 30:
        return _claim_of_webp(data)
    return None


def _claim_of_webp(data: bytes) -> _Claim | None:
    def little(start: int, end: int) -> int:
        return int.from_bytes(data[start:end], "little")

    kind = data[12:16]
    if kind == b"VP8X":
        return _Claim(little(24, 27) + 1, little(27, 30) + 1, max(1, data.count(b"ANMF")))
    if kind == b"VP8L":  # 14 bits of width, 14 of height
        return _Claim(little(21, 25) % 2**14 + 1, (little(21, 25) >> 14) % 2**14 + 1)
    if kind == b"VP8 ":
        return _Claim(little(26, 28) % 2**14, little(28, 30) % 2**14)
    return None
