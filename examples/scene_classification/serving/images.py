"""How much work encoded images are, told by headers and markers before anything is decoded."""

from __future__ import annotations

import io
import re

from PIL import Image

from scene_classification.serving.errors import RequestError
from scene_classification.serving.limits import Limits

# What an exported model takes. A GIF says how many frames it has only when all of it is read.
FORMATS = ("JPEG", "PNG", "WEBP")

_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
# All but what has no segment: fill bytes, stuffed zeros, TEM, restarts, the start of an image.
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")
_MOST_SEGMENTS = 10_000


class Images:
    """Checks the encoded images of one request, and adds up their pixels.

    A file of a few kilobytes may claim to hold gigabytes of pixels, or thousands of passes over
    them; and what one file may claim, a request of many files must not claim many times.

    Args:
        limits: Bounds on pixels and scans.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._pixels = 0

    def check(self, name: str, data: bytes) -> None:
        """Check one encoded image, and count its pixels.

        Args:
            name: Of the input that it is for.
            data: The encoded file.

        Raises:
            RequestError: If it is not an image of a known format, if it is too much work, or if
                the request is with it.
        """
        width, height, frames = _size(name, data, self._limits.pixels)
        pixels, limits = width * height * frames, self._limits
        if pixels > limits.pixels:
            size = f"{width} x {height}" + (f" x {frames} frames" if frames > 1 else "")
            raise RequestError(
                400, f"input {name!r} holds an image of {size} pixels; send at most {limits.pixels}"
            )
        if has_more_scans(data, limits.scans):
            raise RequestError(
                400,
                f"input {name!r} holds a JPEG of more than {limits.scans} scans; save it again "
                "with fewer, or not progressive",
            )
        self._pixels += pixels
        if self._pixels > limits.request_pixels:
            raise RequestError(
                400,
                f"input {name!r} brings the images of this request to {self._pixels} pixels; send "
                f"at most {limits.request_pixels} in one request",
            )


def _size(name: str, data: bytes, most_pixels: int) -> tuple[int, int, int]:
    """Return width, height and number of frames as the header claims them."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            # Of a JPEG with others behind it, such as a gain map, only the first is decoded.
            frames = 1 if data.startswith(b"\xff\xd8") else int(getattr(image, "n_frames", 1))
            return *image.size, frames
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise RequestError(
            400, f"input {name!r} holds an image of far too many pixels; send at most {most_pixels}"
        ) from None
    except Exception:  # Pillow's readers raise whatever a broken header makes them stumble over
        raise RequestError(
            400,
            f"input {name!r} holds {len(data)} bytes that are no image; send a file of one of "
            f"{', '.join(FORMATS)}",
        ) from None


def has_more_scans(data: bytes, most: int) -> bool:
    r"""Return whether a JPEG makes a decoder go over its pixels more often than a bound.

    A thumbnail in a segment and a film behind the end of the image do not count.

    Args:
        data: The file, of any format.
        most: The bound.

    >>> scan = b"\xff\xda\x00\x02 its data "
    >>> has_more_scans(b"\xff\xd8" + scan * 3 + b"\xff\xd9" + scan * 9, most=3)
    False
    >>> has_more_scans(b"\xff\xd8" + scan * 4 + b"\xff\xd9", most=3)
    True
    """
    if not data.startswith(b"\xff\xd8") or data.count(b"\xff\xda") <= most:
        return False  # what is nearly always so, and quickly told
    place, scans = 2, 0
    for _ in range(_MOST_SEGMENTS):
        found = _MARKER.search(data, place)
        if found is None or data[found.end() - 1] == _END_OF_IMAGE:
            return False
        scans += data[found.end() - 1] == _START_OF_SCAN
        if scans > most:
            return True
        # A length counts its own two bytes, whatever it says.
        place = found.end() + max(2, int.from_bytes(data[found.end() : found.end() + 2], "big"))
    return True  # so many segments are made for nothing else
