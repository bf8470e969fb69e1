"""Files that are whole or not there."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

UNFINISHED = ".writing-"


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` make a file elsewhere, then rename it: a reader never sees half of it.

    Args:
        path: Where the file belongs; its folder is made when missing.
        write: Called with the path to write to: the same name, in a passing folder beside `path`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=path.parent) as beside:
        unfinished = Path(beside, path.name)
        write(unfinished)
        os.replace(unfinished, path)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, whole or not at all."""
    write_whole(path, lambda unfinished: unfinished.write_text(text, encoding="utf-8"))


def remove_unfinished(folder: Path) -> None:
    """Remove what a process that was killed while it wrote left anywhere below `folder`."""
    for beside in folder.rglob(f"{UNFINISHED}*"):
        shutil.rmtree(beside, ignore_errors=True)
