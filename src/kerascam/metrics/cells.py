"""Images cut into a grid of cells, which are hidden as a whole; the same for all images."""

from collections.abc import Sequence
from math import prod

import numpy as np
from jaxtyping import Bool, Float, Int

from .._host_types import Ask, HostHeatmaps, HostImages
from .ordering import asked

Hidden = Bool[np.ndarray, "subsets cells"]


def cells_of(size: Sequence[int], cells: int) -> Int[np.ndarray, "*size"]:
    """Number the cells of a grid, and return that of each pixel.

    Args:
        size: The lengths of an image's axes.
        cells: How many cells there are along each axis; no more than pixels.

    Example:
        >>> cells_of([4], 2).tolist(), cells_of([1, 3], 2).tolist()
        ([0, 0, 1, 1], [[0, 0, 1]])
    """
    labels = np.zeros([1] * len(size), np.int64)
    for axis, length in enumerate(size):
        number = min(cells, length)
        along = np.arange(length) * number // length
        labels = labels * number + along.reshape(-1, *[1] * (len(size) - axis - 1))
    return labels


def count_of(size: Sequence[int], cells: int) -> int:
    """Return how many cells there are."""
    return prod(min(cells, length) for length in size)


def sums_of(heatmaps: HostHeatmaps, labels: np.ndarray) -> Float[np.ndarray, "batch cells"]:
    """Sum maps over each cell."""
    flat = heatmaps.reshape(len(heatmaps), -1).astype(np.float64)
    cells = labels.max() + 1
    return np.stack([np.bincount(labels.ravel(), each, cells) for each in flat])


def random_subsets(cells: int, size: int, count: int, seed: Sequence[int]) -> Hidden:
    """Draw subsets of one size.

    Example:
        >>> random_subsets(5, 2, 3, [0]).sum(1).tolist()
        [2, 2, 2]
    """
    order = np.random.default_rng(seed).random((count, cells)).argsort(1, kind="stable")
    return order.argsort(1, kind="stable") < size


def losses(
    score: Ask, images: HostImages, start: HostImages, labels: np.ndarray, hidden: Hidden
) -> Float[np.ndarray, "subsets batch"]:
    """Compute what the score loses if subsets of the cells are hidden.

    Args:
        score: Copies of the images to scores.
        images: Shape (batch, *size, channels).
        start: What hidden pixels show, of the same shape.
        labels: The cell of each pixel, shape (*size).
        hidden: Which cells each subset hides.
    """
    rows = np.concatenate([np.zeros_like(hidden[:1]), hidden])  # the first hides nothing

    def copies(chosen: np.ndarray) -> np.ndarray:
        return np.where(rows[chosen][:, labels][:, None, ..., None], start, images)

    scores = asked(score, copies, len(rows), images)
    return scores[:1] - scores[1:]
