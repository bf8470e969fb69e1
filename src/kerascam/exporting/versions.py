"""The folders of a model's versions: which is next, and how one comes to be there whole."""

import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import tensorflow as tf

from ..arguments import whole_number
from ..errors import reason
from ..signatures import HIGHEST_VERSION

_A_DAY = 24 * 60 * 60
_UNFINISHED = re.compile(r"\.[0-9a-f]{32}\.tmp")


def check_place(path: Path, version: int | None) -> None:
    """Raise if a version cannot be written to a folder, as far as can be known before the work.

    Args:
        path: The folder of the versions.
        version: The version, or None for the next.

    Raises:
        ValueError: If `path` is a file, the version is out of range or there already, or there is
            no next one.
        OSError: If the folder cannot be made or written to.
    """
    with _told_plainly(path):
        _check_folder(path)
    if version is None:
        _next(path)
        return
    if not 1 <= whole_number("version", version) <= HIGHEST_VERSION:
        raise ValueError(f"version must be from 1 to {HIGHEST_VERSION}, got {version}")
    if version in _versions(path):
        raise ValueError(
            f"version={version} is in {str(path)!r} already; leave it out for the next one"
        )


@contextmanager
def unfinished_version(path: Path) -> Iterator[Path]:
    """Yield a folder's name to write to, beside the versions, which servers pass over.

    What is still there at the end of the `with` is removed, and what a killed process left; after
    an error or an interrupt, the folders that were made on the way too.

    Raises:
        OSError: If something could not be written, in one sentence with the path.
    """
    unfinished = path / f".{uuid.uuid4().hex}.tmp"
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    try:
        with _told_plainly(path):
            path.mkdir(parents=True, exist_ok=True)
            _remove_leftovers(path)
            yield unfinished
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        with suppress(OSError):  # it is in use meanwhile, or was never made
            for folder in missing:
                folder.rmdir()
        raise
    shutil.rmtree(unfinished, ignore_errors=True)


def put_in_place(unfinished: Path, path: Path, version: int | None) -> Path:
    """Rename a complete version to its number, in one step.

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


def _check_folder(path: Path) -> None:
    if path.exists() and not path.is_dir():
        raise ValueError(f"path={str(path)!r} is a file; give the folder of the model's versions")
    nearest = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    if not nearest.is_dir():
        raise NotADirectoryError(f"{str(nearest)!r} is a file and holds no folders")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise PermissionError(f"folder {str(nearest)!r} is read-only for this user")


@contextmanager
def _told_plainly(path: Path) -> Iterator[None]:
    """Say in one sentence why something could not be written, and where."""
    try:
        yield
    except (OSError, tf.errors.OpError) as error:
        kind = type(error) if isinstance(error, OSError) else OSError
        raise kind(f"path={str(path)!r} cannot be written to: {_why(error)}") from error


def _why(error: OSError | tf.errors.OpError) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    # "the temporary file; what the system said [Op:the operation]"
    return re.sub(r" \[Op:\w+\]$", "", reason(error)).rpartition("; ")[2]


def _remove_leftovers(path: Path) -> None:
    for left in path.iterdir():
        ours = _UNFINISHED.fullmatch(left.name) and left.is_dir() and not left.is_symlink()
        if ours and left.stat().st_mtime < time.time() - _A_DAY:
            shutil.rmtree(left, ignore_errors=True)


def _next(path: Path) -> int:
    highest = max(_versions(path), default=0)
    if highest == HIGHEST_VERSION:
        raise ValueError(
            f"path={str(path)!r} holds version {HIGHEST_VERSION}, the highest that servers know, "
            f"so there is no next one; give version=, or another folder"
        )
    return highest + 1


def _versions(path: Path) -> set[int]:
    """List the versions as servers do, who read 007 as 7 and no other script's digits."""
    if not path.is_dir():
        return set()
    names = (child.name for child in path.iterdir())
    numbers = {int(name) for name in names if name.isascii() and name.isdecimal()}
    return {number for number in numbers if number <= HIGHEST_VERSION}
