"""Put photos into batches of one size, as a model takes them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

_MOST_BYTES = 2**28  # of photos that wait: 256 MiB


@dataclass(frozen=True)
class Photo:
    """One image on its way through the model.

    Attributes:
        place: Its place among all images of the run.
        path: Its file.
        pixels: What the overlay is drawn on, shape (height, width, 3), uint8 RGB.
        values: What the model sees before preprocessing, shape (height, width, channels), uint8.
        notes: What is worth knowing of it.
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
