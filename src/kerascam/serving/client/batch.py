"""The images of one question, and the answer to it as an explanation or a prediction."""

import errno
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, cast

import numpy as np

from ... import signatures as names
from ...explain import Description, Explanation, with_attributes
from ...inputs import conform
from ...signatures import BYTES, IMAGE_BYTES
from ..words import is_map
from .connection import Tensors
from .errors import ServingError
from .manifest import Manifest

#: An encoded image, JPEG, PNG or WebP, or the path of one.
File: TypeAlias = bytes | str | os.PathLike[str]


@dataclass(frozen=True)
class Batch:
    """Images to ask about.

    Attributes:
        classes: As the user gave them, one for all or one per image.
        arrays: Each input's array, by name; empty for files.
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


@dataclass(frozen=True, eq=False, repr=False)
class ServedExplanation(Explanation):
    """An explanation from a server: an `Explanation`, and what the server sent with it.

    `overlays` are PNG files, which the server drew with the colours and the opacity of the
    export; the method `overlay()` draws on this machine, with its own arguments, and returns an
    array of pixels.

    Attributes:
        overlays: The bytes of one PNG file per image, as large as the photographs, up to the
            export's `overlay_side`; empty if arrays were explained.
        manifest_id: Which export answered.

    Example:
        What a client returns for one file; here it is made by hand, without a server:

        >>> from kerascam.serving import ServedExplanation
        >>> served = ServedExplanation(
        ...     heatmaps=np.ones((1, 4, 4), np.float32), maps=None, classes=np.array([1]),
        ...     scores=np.array([2.0]), probabilities=np.array([0.9]), layer="last",
        ...     method="grad_cam", statuses=("ok",), class_names=("cat", "dog"),
        ...     overlays=(b"...a PNG file...",), predictions=np.array([[0.1, 0.9]]))
        >>> served.class_name(0), served.predictions[0].tolist()
        ('dog', [0.1, 0.9])
        >>> len(served.overlays)  # Path("dog.png").write_bytes(served.overlays[0])
        1
    """

    overlays: tuple[bytes, ...] = ()
    manifest_id: str = ""

    def __getitem__(self, index: int | np.integer | slice) -> "ServedExplanation":
        """Take the explanation of one image (a batch of one) or of a slice of them."""
        part = cast(ServedExplanation, super().__getitem__(index))
        kept = np.atleast_1d(np.arange(len(self))[index])
        return replace(
            part,
            overlays=tuple(self.overlays[place] for place in kept) if self.overlays else (),
        )


ServedExplanation.__doc__ = with_attributes(ServedExplanation, Explanation)


class Prediction(NamedTuple):
    """What the model predicts for a batch of images.

    Attributes:
        probabilities: Shape (batch, classes), for segmentation (batch, *grid, classes); None
            if the model returns none.
        classes: Shape (batch,): the predicted class of each.
        class_names: Their names, if they were given at export.
        outputs: What the model returns instead of probabilities; None if it returns those.

    Example:
        What a client returns for two images; here it is made by hand, without a server:

        >>> from kerascam.serving import Prediction
        >>> found = Prediction(
        ...     np.array([[0.1, 0.9], [0.7, 0.3]]), np.array([1, 0]), class_names=("cat", "dog"))
        >>> [found.class_names[index] for index in found.classes]
        ['dog', 'cat']
    """

    probabilities: np.ndarray | None
    classes: np.ndarray
    class_names: tuple[str, ...] | None = None
    outputs: np.ndarray | None = None


def join(answers: Sequence[Tensors], who: str) -> Tensors:
    """Put the answers to parts of a batch together.

    Raises:
        ServingError: If they are of different models.
    """
    if len(answers) == 1:
        return answers[0]
    try:
        return {name: np.concatenate([each[name] for each in answers]) for name in answers[0]}
    except (KeyError, ValueError) as error:
        raise ServingError(
            f"{who} returned answers of different forms: another version was put in its place; ask "
            f"again, or give version="
        ) from error


def prediction(answer: Tensors) -> Prediction:
    """Make a prediction of its arrays."""
    class_names = answer.get(names.CLASS_NAME)
    return Prediction(
        answer.get(names.PROBABILITIES),
        answer[names.CLASS_INDEX],
        None if class_names is None else tuple(class_names.tolist()),
        answer.get(names.OUTPUTS),
    )


def explanation(
    answer: Tensors, manifest: Manifest, images: np.ndarray | None
) -> ServedExplanation:
    """Make an explanation of its arrays.

    Args:
        answer: Checked.
        manifest: The manifest whose id the answer has.
        images: As they were sent, if they were.
    """
    facts = manifest.facts
    described = None
    if "title" in facts and "of_pixels" in facts:
        described = Description(facts["title"], facts["of_pixels"])
    return ServedExplanation(
        heatmaps=answer[names.HEATMAP],
        maps=_maps(answer),
        classes=answer[names.CLASS_INDEX],
        scores=answer[names.SCORE],
        probabilities=answer[names.PROBABILITY],
        layer=facts["layer"],
        method=facts["method"],
        statuses=tuple(answer[names.STATUS].tolist()),
        class_names=manifest.class_names,
        notes=tuple(facts["notes"]),
        signed=facts["signed"],
        scaled=facts["scaled"],
        images=images,
        overlays=tuple(answer.get(names.OVERLAY_BYTES, ())),
        predictions=answer.get(names.PROBABILITIES, answer.get(names.OUTPUTS)),
        layers=tuple(facts.get("layers", ())),
        manifest_id=manifest.id,
        described=described,
    )


def _maps(answer: Tensors) -> Any:
    found = sorted(
        filter(is_map, answer), key=lambda name: (len(name), name)
    )  # map_2 before map_10
    maps = tuple(answer[name] for name in found)
    return None if not maps else maps[0] if len(maps) == 1 else maps
