"""What a survey goes over: files of folders or a list, or a data set; each at its own position."""

import hashlib
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import keras
import numpy as np

from ..errors import brief
from ..files import shown
from ..pictures import OUT_OF_MEMORY, BadPhotoError, Fit, ImageForm, Reading, is_image, read_photo

#: What is said of images that are in no files, where other processes are to explain them.
ONLY_FILES = "images must be files for workers: a tf.data.Dataset cannot be sent to other processes"


@dataclass(frozen=True)
class Item:
    """One image of a survey, or the reason why there is none.

    Attributes:
        position: Its place among all.
        key: Its name.
        label: Its true class as the user has it: a name, an index as text; None if it is not known.
        index: The same as an index; None if only the class names will tell.
        values: What the model is given, before preprocessing if it is a photograph; None if it
            could not be read.
        error: Why not.
    """

    position: int
    key: str
    label: str | None
    index: int | None
    values: np.ndarray | None
    error: str | None = None


@runtime_checkable
class Items(Protocol):
    """All images of a survey, in an order that is the same at each start."""

    @property
    def count(self) -> int | None:
        """How many there are; None if only the end will tell."""

    @property
    def root(self) -> Path | None:
        """What the names of files are relative to; None for no files."""

    def facts(self) -> dict[str, Any]:
        """Say what these are, so that a survey is not continued with others."""

    def part(self, wanted: range) -> "Items":
        """Take some along to another process."""

    def read(self, wanted: Iterable[range]) -> Iterator[Item]:
        """Read the images of some positions, in ascending order."""


@dataclass(frozen=True)
class Files:
    """Photographs in files.

    Attributes:
        paths: The files.
        keys: The name of each.
        labels: The true class of each, None if it is not known.
        form: What the model takes.
        fit: How a photograph becomes that.
        how: Limits of reading.
        threads: How many read at once; None for two per processor, eight at most.
        waiting: How many photographs wait at most.
        root: What the keys are relative to.
        start: The position of the first of these.
    """

    paths: Sequence[Path]
    keys: Sequence[str]
    labels: Sequence[str | None]
    form: ImageForm
    fit: Fit
    how: Reading
    threads: int | None
    waiting: int
    root: Path
    start: int = 0

    @property
    def count(self) -> int:
        """How many there are, with those before the first."""
        return self.start + len(self.paths)

    def part(self, wanted: range) -> "Files":
        """Take some of them along to another process, which may run in another folder."""
        chosen = slice(wanted.start - self.start, wanted.stop - self.start)
        return replace(
            self,
            paths=[path.absolute() for path in self.paths[chosen]],
            keys=self.keys[chosen],
            labels=self.labels[chosen],
            start=wanted.start,
        )

    def facts(self) -> dict[str, Any]:
        """Return the number of files, and one hash of their names and labels."""
        digest = hashlib.sha256()
        for key, label in zip(self.keys, self.labels, strict=True):
            digest.update(f"{key}\0{label}\0".encode("utf-8", "backslashreplace"))
        return {"files": self.count, "names and labels": digest.hexdigest()[:16]}

    def read(self, wanted: Iterable[range]) -> Iterator[Item]:
        """Read files in threads, a few ahead."""
        positions = (position for part in wanted for position in part)
        ahead: deque[Future[Item]] = deque()
        threads = self.threads or min(8, 2 * (os.cpu_count() or 1))
        with ThreadPoolExecutor(threads, "kerascam-survey") as pool:
            try:
                ahead.extend(
                    pool.submit(self._read, each) for each in islice(positions, self.waiting)
                )
                while ahead:
                    item = ahead.popleft().result()
                    ahead.extend(pool.submit(self._read, each) for each in islice(positions, 1))
                    yield item
            finally:
                for each in ahead:
                    each.cancel()

    def _read(self, position: int) -> Item:
        values = error = None
        place = position - self.start
        try:
            photo, _ = read_photo(self.paths[place], self.how)
            _, values = self.form.fit(photo, self.fit)
        except BadPhotoError as failure:
            error = str(failure)
        except MemoryError:
            error = OUT_OF_MEMORY
        return Item(position, self.keys[place], self.labels[place], None, values, error)


@dataclass(frozen=True)
class Batches:
    """The images of a `tf.data.Dataset` of batches, as the model takes them.

    Attributes:
        dataset: Gives images, or (images, labels); the same at each start.
        count: How many images there are; None if only the end will tell.
        few: How many images tell that it is the same.
    """

    dataset: Any
    count: int | None
    few: int
    root: None = None

    def facts(self) -> dict[str, Any]:
        """Return one hash of the first images: a data set that is shuffled again has others."""
        digest = hashlib.sha256()
        for item in islice(self.read([range(self.few)]), self.few):
            digest.update(f"{item.label}\0".encode())
            digest.update(np.ascontiguousarray(item.values).tobytes())
        return {"images": self.count, "first images": digest.hexdigest()[:16]}

    def part(self, wanted: range) -> "Batches":
        """Raise a TypeError: a data set cannot be sent."""
        raise TypeError(ONLY_FILES)

    def read(self, wanted: Iterable[range]) -> Iterator[Item]:
        """Go through the data set; what is not wanted is dropped."""
        parts = iter(wanted)
        part, position = next(parts, None), 0
        for batch in self.dataset:
            images, labels, *_ = keras.utils.unpack_x_y_sample_weight(batch)
            images = np.asarray(images)
            labels = None if labels is None else np.asarray(labels)
            for place, image in enumerate(images):
                while part is not None and position >= part.stop:
                    part = next(parts, None)
                if part is None:
                    return
                if position in part:
                    index = None if labels is None else _index(labels[place])
                    label = None if index is None else str(index)
                    yield Item(position, str(position), label, index, image)
                position += 1


def _index(label: Any) -> int:
    """Take a label as an index: a number, or the place of the largest of several."""
    return int(label) if np.size(label) == 1 else int(np.argmax(label))


def find_files(
    given: Sequence[Path], labels: Sequence[str] | str | None, apart: Path
) -> tuple[list[Path], list[str], list[str | None], Path]:
    """Find the files of folders, with those within, and files that are named.

    Args:
        given: Folders and files.
        labels: One for each file; "folder" for the name of each file's folder (below a given
            folder, the first); "none"; None for "folder" below given folders and "none" for files.
        apart: A folder that is passed over: what the survey writes.

    Returns:
        Paths, keys and labels, and what the keys are relative to: the only folder that is given, or
        the current one. Files of a folder are sorted by their names.

    Raises:
        TypeError: If `labels` is none of these.
        ValueError: If there are no files, or not as many as labels.
    """
    paths: list[Path] = []
    found: list[str | None] = []
    for each in given:
        if not each.is_dir():
            paths.append(each)
            found.append(each.parent.name if labels == "folder" else None)
            continue
        inside = list(_images(each, apart.absolute()))
        paths += inside
        parts = [path.relative_to(each).parts for path in inside]
        found += [part[0] if len(part) > 1 and labels != "none" else None for part in parts]
    if not paths:
        raise ValueError(
            f"images must hold at least one image file; {brief([*map(str, given)])} has none"
        )
    if labels is not None and not isinstance(labels, str):
        if len(labels) != len(paths) or not all(isinstance(each, str) for each in labels):
            raise ValueError(
                f"labels must be one text for each of the {len(paths)} files, not {brief(labels)}"
            )
        found = list(labels)
    elif labels not in (None, "folder", "none"):
        raise ValueError(f'labels must be "folder", "none" or a list of texts, not {brief(labels)}')
    alone = given[0] if len(given) == 1 and given[0].is_dir() else None
    keys = [shown(path if alone is None else path.relative_to(alone).as_posix()) for path in paths]
    return paths, keys, found, (alone or Path()).absolute()


def _images(folder: Path, apart: Path) -> Iterator[Path]:
    """Find image files by their suffixes, folder by folder; links to folders are not followed."""
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and Path(here, name).absolute() != apart
        )
        for name in sorted(names):
            if not name.startswith(".") and is_image(Path(name)):
                yield Path(here, name)
