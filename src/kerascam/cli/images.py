"""Photographs of a run: those that the arguments name, what was skipped, and batches."""

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..files import shown as shown
from ..marks import is_marked
from ..pictures import is_image, unreadable


@dataclass(frozen=True)
class Found:
    """What the arguments name.

    Attributes:
        files: Image files, each once.
        missing: The arguments that name none, each with the reason.
        passed_over: What looked like an image in a folder or among the matches of a pattern and
            was not taken, each with the reason.
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
    return sorted(path for path in paths if is_image(path) and not path.name.startswith("."))


def _not_taken(path: Path) -> str | None:
    """Say why a path of a folder or a pattern is skipped, if it is."""
    if not os.path.lexists(path):
        return None  # removed since, which is reported when it is read
    if not os.path.exists(path):
        return "a broken link"
    if not os.path.isfile(path):
        return "a folder" if os.path.isdir(path) else "neither a file nor a folder"
    if is_marked(path):
        return "a picture that kerascam wrote"
    return unreadable(path)


_NAMED = 3  # of each reason


def passed_over_words(passed_over: Sequence[tuple[Path, str]]) -> str:
    """Count and name what was skipped among the images of folders and patterns, by reason.

    Args:
        passed_over: Paths, each with the reason.

    Returns:
        One sentence; empty if there is nothing to say.

    Example:
        >>> drawing = Path("a.svg"), ".svg files are not read"
        >>> passed_over_words([drawing, (Path("b.jpg"), "a folder")])
        'skipped 2 images: a.svg (.svg files are not read); b.jpg (a folder)'
    """
    if not passed_over:
        return ""
    names: dict[str, list[str]] = {}
    for path, reason in passed_over:
        names.setdefault(reason, []).append(shown(path.name))
    parts = [f"{_listed(these)} ({reason})" for reason, these in names.items()]
    plural = "" if len(passed_over) == 1 else "s"
    return f"skipped {len(passed_over)} image{plural}: {'; '.join(parts)}"


def _listed(names: Sequence[str]) -> str:
    text = ", ".join(names[:_NAMED])
    more = len(names) - _NAMED
    return f"{text} and {more} more" if more > 0 else text


_MOST_BYTES = 2**28  # of photos that wait: 256 MiB


@dataclass(frozen=True)
class Photo:
    """One image on its way through the model.

    Attributes:
        place: Its place among all images of the run.
        path: Its file.
        pixels: What the overlay is drawn on, shape (height, width, 3), uint8 RGB.
        values: What the model sees before preprocessing, shape (height, width, channels), uint8.
        notes: Notes on how it was read.
    """

    place: int
    path: Path
    pixels: np.ndarray
    values: np.ndarray
    notes: tuple[str, ...] = ()

    @property
    def nbytes(self) -> int:
        """What it takes in memory."""
        return self.pixels.nbytes + self.values.nbytes


def batches(
    photos: Iterable[Photo], size: int, most_bytes: int = _MOST_BYTES
) -> Iterator[list[Photo]]:
    """Group photos whose values have one shape.

    Args:
        photos: Read one by one, as batches are asked for.
        size: How many make a full batch.
        most_bytes: How much memory the waiting photos may take.

    Yields:
        Full batches as soon as there are any. If hardly two photos are alike, or they are large,
        the oldest group goes as it is: no more than four batches ever wait, nor more than
        `most_bytes` and one photo.
    """
    waiting: dict[tuple[int, ...], list[Photo]] = {}
    for photo in photos:
        group = waiting.setdefault(photo.values.shape, [])
        group.append(photo)
        if len(group) == size:
            yield waiting.pop(photo.values.shape)
        while waiting and _too_many(waiting.values(), size, most_bytes):
            yield waiting.pop(next(iter(waiting)))
    yield from waiting.values()


def _too_many(groups: Iterable[list[Photo]], size: int, most_bytes: int) -> bool:
    waiting = [photo for group in groups for photo in group]
    return len(waiting) >= 4 * size or sum(photo.nbytes for photo in waiting) > most_bytes
