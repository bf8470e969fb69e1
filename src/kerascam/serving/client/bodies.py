"""The body of an answer over HTTP: received, unpacked, and no larger than it may be."""

import zlib
from collections.abc import Iterable

_GZIP = 16 + zlib.MAX_WBITS


class TooLargeError(ValueError):
    """A body is beyond its bound."""


def read_body(parts: Iterable[bytes], encoding: str, most: int) -> bytes:
    """Receive a body.

    Args:
        parts: As they come.
        encoding: What its header says that it is packed with.
        most: How many bytes it may have, as it comes and as it is unpacked.

    Raises:
        TooLargeError: As soon as it has more; some kilobytes of gzip can hold gigabytes.
        ValueError: If it cannot be unpacked.

    Example:
        >>> read_body([b"ab", b"c"], "", 3)
        b'abc'
    """
    packed = encoding.strip().lower()
    if packed in ("gzip", "x-gzip"):
        return _unpacked(_bounded(parts, most), most)
    if packed not in ("", "identity"):
        raise ValueError(f"it is encoded as {encoding!r}, which was not asked for")
    return b"".join(_bounded(parts, most))


def _bounded(parts: Iterable[bytes], most: int) -> Iterable[bytes]:
    size = 0
    for part in parts:
        size += len(part)
        if size > most:
            raise TooLargeError
        yield part


def _unpacked(parts: Iterable[bytes], most: int) -> bytes:
    unpacker, pieces, left = zlib.decompressobj(_GZIP), [], most
    try:
        for part in parts:
            piece = unpacker.decompress(part, left + 1)  # never 0, which is no bound at all
            pieces.append(piece)
            left -= len(piece)
            if left < 0:
                raise TooLargeError
    except zlib.error as error:
        raise ValueError(f"it is no gzip: {error}") from None
    if not unpacker.eof and (pieces or left < most):
        raise ValueError("its gzip has no end")
    return b"".join(pieces)
