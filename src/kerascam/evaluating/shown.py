"""The images of an evaluation, as metrics see them and as the model takes them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from .._host_types import HostImages
from ..explain import ExplainedInput


class Shown(NamedTuple):
    """Images.

    Attributes:
        images: As metrics see them, shape (batch, *size, channels).
        inputs: As the model takes them.
    """

    images: HostImages
    inputs: Any


@dataclass(frozen=True)
class Given:
    """What the user gave: images, perhaps with channels first, perhaps beside other inputs.

    Attributes:
        arrays: One for each of the model's inputs.
        explained: Which of them is explained, and how it is read.
        names: The inputs' names, if the model is given a dict; else None.
    """

    arrays: Sequence[np.ndarray]
    explained: ExplainedInput
    names: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.arrays[0])

    def __getitem__(self, part: slice) -> "Given":
        return replace(self, arrays=[array[part] for array in self.arrays])

    @property
    def images(self) -> HostImages:
        """The explained input, shape (batch, *size, channels)."""
        images: HostImages = self.explained.form.images(self.arrays[self.explained.place])
        return images

    @property
    def inputs(self) -> Any:
        """All of them, as the model takes them."""
        if self.names is not None:
            return dict(zip(self.names, self.arrays, strict=True))
        return self.arrays[0] if len(self.arrays) == 1 else list(self.arrays)

    @property
    def whole(self) -> Shown:
        """These images as they are."""
        return Shown(self.images, self.inputs)

    def parts(self, most: int) -> Iterator[slice]:
        """Part the images into batches of so many at most."""
        return (slice(start, start + most) for start in range(0, len(self), most))

    def shown(self, images: Any) -> Shown:
        """Put other images in the place of these; the other inputs stay with them.

        Args:
            images: Copies of the batch, one after another, shape (copies * batch, *size, channels).
        """
        place, form = self.explained.place, self.explained.form
        typed = np.asarray(images).astype(self.arrays[place].dtype, copy=False)
        copies = len(typed) // len(self)
        arrays = [np.concatenate([array] * copies) if other != place else
                  np.ascontiguousarray(form.inputs(typed))
                  for other, array in enumerate(self.arrays)]  # fmt: skip
        return Shown(typed, replace(self, arrays=arrays).inputs)
