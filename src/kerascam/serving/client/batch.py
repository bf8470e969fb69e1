"""The images of one question: arrays or files, whole or cut, and the classes asked for."""

import errno
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from ...inputs import conform
from ...signatures import BYTES, IMAGE_BYTES
from .connection import Tensors
from .manifest import Manifest

#: An encoded image, JPEG, PNG or WebP, or the path of one.
File: TypeAlias = bytes | str | os.PathLike[str]


@dataclass(frozen=True)
class Batch:
    """Images to ask about.

    Attributes:
        classes: As the user gave them, one for all or one per image.
        arrays: By the model's input; empty for files.
        files: None for arrays.
        start: The place of the first image among all that the user gave.
    """

    classes: Any
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
    files: Sequence[File] | None = None
    start: int = 0

    def __len__(self) -> int:
        return len(next(iter(self.arrays.values()))) if self.files is None else len(self.files)

    def signature(self, base: str) -> str:
        """Name the function that takes images of this kind."""
        return base if self.files is None else base + BYTES

    def name(self, place: int) -> str:
        """Name an image for an error."""
        file = None if self.files is None else self.files[place]
        if file is None or isinstance(file, bytes):
            return f"images[{self.start + place}]"
        return repr(os.fspath(file))

    def cut(self, size: int) -> list["Batch"]:
        """Cut it into batches of a size, the last one smaller."""
        return [self._part(slice(at, at + size)) for at in range(0, len(self), size)]

    def _part(self, part: slice) -> "Batch":
        one_for_all = self.classes is None or np.ndim(self.classes) == 0
        return replace(
            self,
            classes=self.classes if one_for_all else self.classes[part],
            arrays={name: array[part] for name, array in self.arrays.items()},
            files=None if self.files is None else self.files[part],
            start=self.start + part.start,
        )

    def tensors(self) -> Tensors:
        """Return what a server is sent; only now are files read.

        Raises:
            OSError: If a file cannot be read.
        """
        if self.files is None:
            return self.arrays
        return {IMAGE_BYTES: np.array([_contents(file) for file in self.files], object)}

    def images(self, size: Sequence[int]) -> np.ndarray | None:
        """Return the arrays that heatmaps lie on, channels last; None if there are none.

        Args:
            size: The heatmaps' shape, less the batch.
        """
        for array in self.arrays.values():
            # A copy: the caller may fill the same array with the next batch.
            if array.shape[1:-1] == tuple(size):
                return array.copy()
            if array.shape[2:] == tuple(size):
                return np.moveaxis(array, 1, -1).copy()
        return None


def _contents(file: File) -> bytes:
    if isinstance(file, bytes):
        return file
    try:
        return Path(file).read_bytes()
    except ValueError as error:  # no file can have such a name
        raise OSError(errno.EINVAL, str(error), os.fspath(file)) from error


def make_batch(images: Any, classes: Any, manifest: Manifest) -> Batch:
    """Take images of any kind that a client is given, and check them against the model.

    Raises:
        TypeError: If they are neither numbers nor files, or classes neither integers nor names.
        ValueError: If a shape, a value or a class does not fit the model.
    """
    if is_file(images):
        raise TypeError("images must be a list of files, not one file; put it in a list")
    if isinstance(images, (list, tuple)) and any(map(is_file, images)):
        return make_file_batch(images, classes, manifest)
    arrays = conform(_by_own_names(images, manifest), manifest.inputs)
    batch = Batch(classes, dict(zip(manifest.request_names, arrays, strict=True)))
    manifest.class_ids(classes, len(batch))
    return batch


def _by_own_names(images: Any, manifest: Manifest) -> Any:
    """Take a dict by the names in a request for one by the model's own names."""
    own, names = [spec.name for spec in manifest.inputs], manifest.request_names
    if not isinstance(images, Mapping) or set(images) == set(own) or set(images) != set(names):
        return images
    return {mine: images[name] for mine, name in zip(own, names, strict=True)}


def make_file_batch(files: Sequence[Any], classes: Any, manifest: Manifest) -> Batch:
    """Take image files; they are not read yet.

    Raises:
        TypeError: If one is no file, or classes are neither integers nor names.
        ValueError: If a class does not fit the model.
    """
    if is_file(files):
        raise TypeError("files must be a list of files, not one file; put it in a list")
    listed = list(files)
    for place, file in enumerate(listed):
        if not is_file(file):
            raise TypeError(
                f"images must be all files, as bytes or paths, or all arrays; images[{place}] is "
                f"of type {type(file).__name__}"
            )
    manifest.class_ids(classes, len(listed))
    return Batch(classes, files=listed)


def is_file(image: Any) -> bool:
    """Tell whether an image is an encoded file, or the path of one."""
    return isinstance(image, (str, bytes, os.PathLike))
