"""The folders of a model's versions: which there are, and whether one has changed."""

from __future__ import annotations

import re
from pathlib import Path

LARGEST = 2**63 - 1


def newest_version(base: Path) -> tuple[int, Path] | None:
    """Return the highest version that a folder holds, and where it is.

    A version is a folder named by a whole number in which there is a `saved_model.pb`. All else is
    passed over: notes, and folders that are being written.

    Args:
        base: The model's folder; it may be gone for a while.
    """
    versions = []
    try:
        for path in base.iterdir():
            named_so = re.fullmatch("[0-9]+", path.name) and int(path.name[:20]) <= LARGEST
            if named_so and (path / "saved_model.pb").is_file():
                versions.append((int(path.name), path))
    except OSError:  # an unmounted disk; what is being served goes on
        return None
    return max(versions, default=None)


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
