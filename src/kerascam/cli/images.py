"""Find the images that files, folders and patterns name."""

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

SUFFIXES = frozenset(
    {".avif", ".bmp", ".gif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png",
     ".ppm", ".tif", ".tiff", ".webp"}
)  # fmt: skip


def find_images(arguments: Iterable[str]) -> tuple[list[Path], list[tuple[str, str]]]:
    """Find image files, in the order of the arguments, each file once.

    A file is taken whatever its name; from a folder (its own files only) or a pattern, those with
    an image's suffix are taken, sorted and not hidden.

    Args:
        arguments: Files, folders and patterns such as "photos/**/*.jpg".

    Returns:
        The files, and the arguments that name none, each with the reason.
    """
    found: dict[str, Path] = {}
    missing: list[tuple[str, str]] = []
    for argument in arguments:
        files, reason = _find(argument)
        for file in files:
            found.setdefault(os.path.normcase(os.path.realpath(file)), file)
        if not files:
            missing.append((argument, reason))
    return list(found.values()), missing


def _find(argument: str) -> tuple[list[Path], str]:
    path = Path(argument)
    if path.is_dir():
        return sorted(_pictures(path.iterdir())), "no images in this folder"
    if path.exists():
        return [path], ""
    if glob.has_magic(argument):
        matches = map(Path, glob.iglob(os.path.expanduser(argument), recursive=True))
        return sorted(_pictures(matches)), "no images match this pattern"
    return [], "no such file"


def _pictures(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        hidden = path.name.startswith(".")
        if path.suffix.lower() in SUFFIXES and not hidden and path.is_file():
            yield path


def shown(path: str | os.PathLike[str]) -> str:
    """Give a file name as text that any terminal and JSON can hold, whatever bytes are in it."""
    return os.fsencode(path).decode("utf-8", "replace")
