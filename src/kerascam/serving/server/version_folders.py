"""The folders of a model's versions: which there are, and whether one has changed."""

from __future__ import annotations

import re
from pathlib import Path

from ...signatures import HIGHEST_VERSION

#: What makes a folder a version.
MODEL_FILE = "saved_model.pb"


def version_folders(base: Path) -> dict[int, Path]:
    """Return where each version of a model is.

    A version is a folder named by a whole number in which there is a `saved_model.pb`. All else is
    passed over: notes, and folders that are being written.

    Args:
        base: The model's folder.

    Raises:
        OSError: If it is not there, or cannot be read.
    """
    found = {}
    for path in base.iterdir():
        number = int(path.name) if re.fullmatch("[0-9]+", path.name) else HIGHEST_VERSION + 1
        if number <= HIGHEST_VERSION and (path / MODEL_FILE).is_file():
            found[number] = path
    return found


def newest_version(base: Path) -> tuple[int, Path] | None:
    """Return the highest version of a model and where it is; None if there is none.

    Args:
        base: The model's folder, which need not be there.
    """
    try:
        return max(version_folders(base).items(), default=None)
    except OSError:
        return None


def content_of(path: Path) -> frozenset[tuple[str, int, int]]:
    """Return what tells whether anything in a folder has changed: names, sizes and times."""
    found = set()
    for file in path.rglob("*"):
        try:
            state = file.stat()
        except OSError:  # removed since it was listed
            continue
        found.add((str(file), state.st_size, state.st_mtime_ns))
    return frozenset(found)
