"""For each image another one, of another class."""

import zlib
from collections.abc import Iterator

import numpy as np

from .._host_types import HostClassIds, HostImages


class Others:
    """Images of other classes, chosen by the seed and the image, whatever its place.

    Args:
        images: All that are evaluated, shape (images, *size, channels).
        classes: Shape (images,).
        seed: The seed of the choice.
    """

    def __init__(self, images: HostImages, classes: HostClassIds, seed: int) -> None:
        self._images, self._classes, self._seed = images, classes, seed

    def __getitem__(self, part: slice) -> np.ndarray:
        """Return those of a part of the images; NaN where all have one class."""
        return np.stack(list(self._of(part)))

    def _of(self, part: slice) -> Iterator[np.ndarray]:
        for image, own in zip(self._images[part], self._classes[part], strict=True):
            places = np.flatnonzero(self._classes != own)
            if not len(places):
                yield np.full(image.shape, np.nan)
                continue
            generator = np.random.default_rng([self._seed, zlib.crc32(image.tobytes())])
            yield self._images[places[generator.integers(len(places))]].astype(np.float64)
