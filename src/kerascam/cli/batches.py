"""Put photos into batches of one size, as a model takes them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Photo:
    """One image on its way through the model.

    Attributes:
        place: Its place among all images of the run.
        path: Its file.
        pixels: What the overlay is drawn on, shape (height, width, 3), uint8 RGB.
        values: What the model sees before preprocessing, shape (height, width, channels), uint8.
    """

    place: int
    path: Path
    pixels: np.ndarray
    values: np.ndarray


def batches(photos: Iterable[Photo], size: int) -> Iterator[list[Photo]]:
    """Group photos whose values have one shape.

    Args:
        photos: Read one by one, as batches are asked for.
        size: How many make a full batch.

    Yields:
        Full batches as soon as there are any. Where hardly two photos are alike, the oldest group
        goes as it is: never do more than four batches wait in memory.
    """
    waiting: dict[tuple[int, ...], list[Photo]] = {}
    for photo in photos:
        group = waiting.setdefault(photo.values.shape, [])
        group.append(photo)
        if len(group) == size:
            yield waiting.pop(photo.values.shape)
        elif sum(map(len, waiting.values())) >= 4 * size:
            yield waiting.pop(next(iter(waiting)))
    yield from waiting.values()
