"""Mark the files that kerascam writes, and tell them from everybody else's."""

import os
import stat
import zlib
from pathlib import Path
from typing import BinaryIO

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER_END = len(_SIGNATURE) + 25  # the first chunk of every PNG, IHDR, has 25 bytes


def _chunk(kind: bytes, content: bytes) -> bytes:
    checked = kind + content
    return len(content).to_bytes(4, "big") + checked + zlib.crc32(checked).to_bytes(4, "big")


_PNG_MARK = _chunk(b"tEXt", b"Software\0kerascam")
_ZIP_MARK = b"written by kerascam"
_PAGE_HEAD = 1000  # bytes, among which a page's mark is

#: What the page carries that stands beside pictures; pages of other kinds have marks of their own.
PAGE_MARK = '<meta name="generator" content="kerascam explain">'


def mark_png(encoded: bytes) -> bytes:
    """Put kerascam's name into an encoded PNG file; its pixels stay the same.

    Args:
        encoded: A whole PNG file.

    Returns:
        The file with the text `Software=kerascam` after its header.

    Example:
        >>> marked = mark_png(_SIGNATURE + bytes(25) + b"the rest")
        >>> marked[:33] == _SIGNATURE + bytes(25), marked.endswith(b"the rest"), len(marked)
        (True, True, 70)
    """
    return encoded[:_HEADER_END] + _PNG_MARK + encoded[_HEADER_END:]


def mark_zip(file: BinaryIO) -> None:
    """Put kerascam's name at the end of a zip archive, such as an `.npz` file.

    Args:
        file: The open archive, just written and without a comment of its own.
    """
    file.seek(-2, os.SEEK_END)  # a zip file ends with the length of its comment
    file.write(len(_ZIP_MARK).to_bytes(2, "little") + _ZIP_MARK)


def is_marked(path: str | os.PathLike[str]) -> bool:
    """Tell whether a file is one that kerascam wrote: a regular file that carries the mark.

    A link is never ours, whatever it points to; nor is a file that cannot be read.

    Args:
        path: Any path.

    Example:
        >>> is_marked("no such file")
        False
    """
    path = Path(path)
    if path.suffix == ".html":
        return carries(path, PAGE_MARK)
    if path.suffix == ".npz":
        return _read(path, len(_ZIP_MARK), at_end=True) == _ZIP_MARK
    head = _read(path, _HEADER_END + len(_PNG_MARK))
    return head.startswith(_SIGNATURE) and head[_HEADER_END:] == _PNG_MARK


def carries(path: Path, mark: str) -> bool:
    """Tell whether a file, not a link to one, is a web page with a mark.

    Args:
        path: There may be nothing.
        mark: A tag in the page's head.
    """
    return mark.encode() in _read(path, _PAGE_HEAD)


def _read(path: Path, count: int, at_end: bool = False) -> bytes:
    """Read so many bytes of a regular file; none of anything else."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return b""
        with path.open("rb") as file:
            if at_end:
                file.seek(-count, os.SEEK_END)
            return file.read(count)
    except (OSError, ValueError):
        return b""


def check_free(path: str | os.PathLike[str], argument: str) -> None:
    """Raise if something that kerascam did not write has the name of a file to be written.

    Args:
        path: The file to be written.
        argument: The name of the user's argument for the folder.

    Raises:
        NotOursError: If there is anything but a file with kerascam's mark.
    """
    path = Path(path)
    if os.path.lexists(path) and not is_marked(path):
        raise NotOursError(
            f"{argument} {str(path.parent)!r} holds {path.name!r}, which kerascam did not write "
            f"and does not replace: give another folder, or move that file"
        )


class NotOursError(ValueError):
    """A file that kerascam did not write has the name of one that it would write."""
