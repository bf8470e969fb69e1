"""The folders of a model's versions: which is next, and how one comes to be there whole."""

import re
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..arguments import whole_number

# What servers count in.
_MOST = 2**63 - 1
_A_DAY = 24 * 60 * 60
_UNFINISHED = re.compile(r"\.[0-9a-f]{32}\.tmp")


def check_place(path: Path, version: int | None) -> None:
    """Raise where a version cannot be written to.

    Args:
        path: The folder of the versions.
        version: The version, or None for the next.

    Raises:
        ValueError: If `path` is a file, or the version is out of range or there already.
    """
    if path.exists() and not path.is_dir():
        raise ValueError(f"path={str(path)!r} is a file; give the folder of the model's versions")
    if version is None:
        return
    if not 1 <= whole_number("version", version) <= _MOST:
        raise ValueError(f"version must be from 1 to {_MOST}, got {version}")
    if (path / str(version)).exists():
        raise ValueError(
            f"version={version} is in {str(path)!r} already; leave it out for the next one"
        )


@contextmanager
def unfinished_version(path: Path) -> Iterator[Path]:
    """Yield a folder's name to write to, beside the versions, which servers pass over.

    What is still there at the end of the `with` is removed, and what a killed process left.
    """
    path.mkdir(parents=True, exist_ok=True)
    for left in path.iterdir():
        ours = _UNFINISHED.fullmatch(left.name) and left.is_dir() and not left.is_symlink()
        if ours and left.stat().st_mtime < time.time() - _A_DAY:
            shutil.rmtree(left, ignore_errors=True)
    unfinished = path / f".{uuid.uuid4().hex}.tmp"
    try:
        yield unfinished
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def put_in_place(unfinished: Path, path: Path, version: int | None) -> Path:
    """Give a whole version its name, in one step.

    Args:
        unfinished: The written folder.
        path: The folder of the versions.
        version: The version, or None for the next.

    Returns:
        The version's folder.
    """
    while True:
        number = _next(path) if version is None else version
        try:
            return unfinished.rename(path / str(number))
        except OSError:  # another export took this number meanwhile
            check_place(path, version)
            if not (path / str(number)).exists():
                raise


def _next(path: Path) -> int:
    numbers = (int(child.name) for child in path.iterdir() if child.name.isdecimal())
    return max((number for number in numbers if number < _MOST), default=0) + 1
