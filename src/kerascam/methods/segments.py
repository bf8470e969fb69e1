"""Cut images into segments that are shown or hidden as a whole."""

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from keras import ops

from .._types import Images
from ..arguments import number_in
from ..arrays import array_of
from ..baselines import check_baseline
from ..errors import brief
from ..repeat import MOST_COPIES


def check_segments(segments: Any, cells: Any) -> None:
    """Raise if segments are not whole numbers from 0 on, or cells no number of them.

    Raises:
        TypeError: If they are no whole numbers.
        ValueError: If a number is negative, or there is but one segment.
    """
    number_in("cells", cells, 1)
    if segments is None:
        return
    values = array_of(segments)
    if values.dtype.kind not in "iu":
        raise TypeError(f"segments must be whole numbers, one per pixel, not {brief(segments)}")
    if values.size == 0 or values.min() < 0:
        raise ValueError("segments must be numbered from 0 on; received negative numbers or none")


def check_sampling(
    samples: Any, cells: Any, segments: Any, seed: Any, baseline: Any, *, least: int = 2
) -> None:
    """Raise if an option of a method that samples which segments are shown is wrong.

    Args:
        samples: How many samples there are.
        cells: See `check_segments`.
        segments: See `check_segments`.
        seed: Seed of the samples.
        baseline: See `check_baseline`.
        least: The fewest samples that the method takes.
    """
    number_in("samples", samples, least, MOST_COPIES)
    number_in("seed", seed, 0)
    check_segments(segments, cells)
    check_baseline(baseline)


@dataclass(frozen=True)
class Segments:
    """How images are cut.

    Attributes:
        labels: The segment of each pixel, int32, shape (*size).
        count: How many segments there are.
        grid: Their numbers along each axis; None if they are the user's.
    """

    labels: Any
    count: int
    grid: tuple[int, ...] | None

    def shown(self, kept: Any) -> Any:
        """Lay the share of each segment that is shown over the pixels.

        Args:
            kept: Shape (copies, segments).

        Returns:
            Shape (copies, 1, *size): the same for all images of a batch.
        """
        return ops.take(kept, self.labels, axis=1)[:, None]

    def maps(self, values: Any) -> Any:
        """Turn one value per segment into maps: on the grid of cells, or on the pixels.

        Args:
            values: Shape (segments, batch).
        """
        if self.grid is not None:
            return ops.reshape(ops.transpose(values), (-1, *self.grid))
        return ops.take(ops.transpose(values), self.labels, axis=1)


def segments_of(segments: Any, cells: int, images: Images) -> Segments:
    """Cut images into the user's segments, or into a grid.

    Args:
        segments: Shape (*size), or None.
        cells: How many cells the grid has along each axis; no more than pixels.
        images: Shape (batch, *size, channels).

    Raises:
        ValueError: If the segments do not have the images' shape.
    """
    known, lengths = images.shape[1:-1], ops.shape(images)[1:-1]
    if segments is not None:
        values = np.asarray(segments)
        fits = len(known) == values.ndim and all(
            want in (None, have) for want, have in zip(known, values.shape, strict=True)
        )
        if not fits:
            raise ValueError(
                f"segments must have the shape of an image without its channels, {tuple(known)}; "
                f"received {values.shape}"
            )
        names, labels = np.unique(values, return_inverse=True)
        labels = labels.reshape(values.shape)
        return Segments(ops.convert_to_tensor(labels, "int32"), len(names), None)
    grid = tuple(cells if length is None else min(cells, length) for length in known)
    labels = ops.zeros([1] * len(grid), "int32")
    for axis, (number, length) in enumerate(zip(grid, lengths, strict=True)):
        along = ops.arange(length) * number // length
        shape = [1] * len(grid)
        shape[axis] = -1
        labels = labels * number + ops.reshape(along, shape)
    return Segments(labels, prod(grid), grid)
