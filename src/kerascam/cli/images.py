"""Find the images that files, folders and patterns name."""

import glob
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..files import shown as shown
from ..marks import is_marked
from ..pictures.photo_files import suffixes


@dataclass(frozen=True)
class Found:
    """What the arguments name.

    Attributes:
        files: Image files, each once.
        missing: The arguments that name none, each with the reason.
        passed_over: What looked like an image in a folder or behind a pattern and was not taken,
            each with the reason.
    """

    files: tuple[Path, ...]
    missing: tuple[tuple[str, str], ...]
    passed_over: tuple[tuple[Path, str], ...]


def find_images(arguments: Iterable[str]) -> Found:
    """Find image files, in the order of the arguments, each file once.

    A file is taken whatever its name; from a folder (its own files only) or a pattern, those with
    an image's suffix are taken, sorted and not hidden.

    Args:
        arguments: Files, folders and patterns such as "photos/**/*.jpg".

    Returns:
        The files, and what was not taken.
    """
    files: dict[str, Path] = {}
    missing: list[tuple[str, str]] = []
    passed_over: dict[Path, str] = {}
    for argument in arguments:
        paths, reason = _find(argument)
        taken = []
        for path in paths:
            # A file that is named itself is tried; of others, what is no photograph is not.
            why = None if str(path) == str(Path(argument)) else _not_taken(path)
            if why is None:
                taken.append(path)
            else:
                passed_over.setdefault(path, why)
        for path in taken:
            files.setdefault(os.path.normcase(os.path.realpath(path)), path)
        if not taken:
            missing.append((argument, reason))
    return Found(tuple(files.values()), tuple(missing), tuple(passed_over.items()))


def _find(argument: str) -> tuple[list[Path], str]:
    """Find what an argument names, and the words for nothing at all."""
    path = Path(argument)
    try:
        if path.is_dir():
            return _images(path.iterdir()), "no images in this folder"
        if os.path.isfile(path):
            return [path], ""
        if os.path.exists(path):
            return [], "neither a file nor a folder"
        if glob.has_magic(argument):
            matches = glob.iglob(os.path.expanduser(argument), recursive=True)
            return _images(map(Path, matches)), "no images match this pattern"
        path.stat()
    except FileNotFoundError:
        return [], "a broken link" if path.is_symlink() else "no such file"
    except OSError as error:
        return [], (error.strerror or str(error)).lower()
    return [], "no such file"


def _images(paths: Iterable[Path]) -> list[Path]:
    return sorted(
        path for path in paths if suffixes.is_image(path) and not path.name.startswith(".")
    )


def _not_taken(path: Path) -> str | None:
    """Say why a path of a folder or a pattern is passed over, if it is."""
    if not os.path.lexists(path):
        return None  # gone meanwhile, which is said when it is read
    if not os.path.exists(path):
        return "a broken link"
    if not os.path.isfile(path):
        return "a folder" if os.path.isdir(path) else "neither a file nor a folder"
    if is_marked(path):
        return "a picture that kerascam wrote"
    return suffixes.unreadable(path)
