"""Tell whether bytes are a whole PNG file, without decoding its pixels."""

import struct
import zlib

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_FIRST, _LAST = b"IHDR", b"IEND"
_AROUND = 12  # bytes of a chunk beside its content: length, kind and checksum


def is_whole_png(data: bytes) -> bool:
    """Tell whether a file has the chunks of a PNG, from the first to the last, each unharmed.

    Args:
        data: The file's bytes.

    Example:
        >>> is_whole_png(b"no picture")
        False
    """
    if not data.startswith(_SIGNATURE):
        return False
    at = len(_SIGNATURE)
    kinds: list[bytes] = []
    while at + _AROUND <= len(data) and kinds[-1:] != [_LAST]:
        (length,) = struct.unpack_from(">I", data, at)
        end = at + _AROUND + length
        if end > len(data):
            return False
        (checksum,) = struct.unpack_from(">I", data, end - 4)
        if zlib.crc32(memoryview(data)[at + 4 : end - 4]) != checksum:
            return False
        kinds.append(data[at + 4 : at + 8])
        at = end
    return at == len(data) and kinds[:1] == [_FIRST] and kinds[-1:] == [_LAST]
