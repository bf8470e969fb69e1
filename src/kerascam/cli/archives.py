"""Read a zip archive that somebody else made: damage is found, and no bomb unfolds."""

import copy
import io
import sys
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import cast

# Keras stores weights as they are. A file that somebody packed again, with many zeros, may be a
# twentieth of them; below the floor no packing does harm.
_FLOOR = 256 * 2**20
_MOST_EXPANSION = 20
_STREAMED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1


class BadFileError(ValueError):
    """A file that is not what it should be."""


def is_bomb(claimed: int, stored: int) -> bool:
    """Say whether so few stored bytes cannot honestly unfold to so many."""
    return claimed > max(_FLOOR, _MOST_EXPANSION * stored)


def size_words(size: int) -> str:
    """Write a number of bytes for a reader.

    >>> size_words(999), size_words(6 * 2**30)
    ('999 bytes', '6.0 GiB')
    """
    for unit, power in (("GiB", 30), ("MiB", 20), ("KiB", 10)):
        if size >= 2**power:
            return f"{size / 2**power:.1f} {unit}"
    return f"{size} bytes"


def read_members(
    path: Path, archive: zipfile.ZipFile, wanted: Collection[str]
) -> dict[str, io.BytesIO]:
    """Read through all members of an archive and keep some.

    Args:
        path: Its file.
        archive: The archive.
        wanted: The names of those to keep.

    Raises:
        BadFileError: If a member is damaged, encrypted, or more than the archive's directory says,
            or if all together are a bomb.
    """
    listed = archive.infolist()
    stored, claimed = path.stat().st_size, sum(info.file_size for info in listed)
    if is_bomb(claimed, stored):
        raise BadFileError(
            f"{path} takes {size_words(stored)} and unpacks to {size_words(claimed)}, far more "
            f"than a Keras model does: a bomb, or damaged; if you trust it, unpack it into a "
            f"folder and give the folder"
        )
    kept = {}
    for info in listed:
        member = _read_through(path, archive, info, info.filename in wanted)
        if info.filename in wanted:
            kept[info.filename] = member
    return kept


def _read_through(
    path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo, keep: bool
) -> io.BytesIO:
    if info.flag_bits & _ENCRYPTED:
        raise BadFileError(
            f"{path} is encrypted, which Keras does not read: save it without encryption"
        )
    # The directory may lie about the size: read on to the true end, and count.
    whole = copy.copy(info)
    whole.file_size = sys.maxsize
    whole.CRC = None  # type: ignore[assignment] # zipfile's way not to check; it is done below
    kept = io.BytesIO()
    size = checksum = 0
    with cast(zipfile.ZipExtFile, archive.open(whole)) as member:
        while chunk := _next_chunk(member, info.compress_type):
            size += len(chunk)
            checksum = zlib.crc32(chunk, checksum)
            if size > info.file_size:
                break
            if keep:
                kept.write(chunk)
    if size != info.file_size or checksum != info.CRC:
        raise BadFileError(f"{path} is damaged: {info.filename} is not what was written")
    kept.seek(0)
    return kept


def _next_chunk(member: zipfile.ZipExtFile, compression: int) -> bytes:
    # Of bzip2 and LZMA zipfile unpacks whatever it has read, be it gigabytes: let it read little.
    return member.read(2**20 if compression in _STREAMED else 2**12)
