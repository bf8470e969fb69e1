"""Pixels in the order of a map, and what a model says while they are hidden in that order.

Pixels of equal value keep the order of their index, so that the same map always gives the same
order.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from keras import ops

from .._host_types import Ask, HostHeatmaps, HostImages
from ..ahead import ahead
from ..baselines import baseline_of, check_baseline
from ..repeat import AT_ONCE

Ranks = Int[np.ndarray, "batch pixels"]
Curve = Float[np.ndarray, "points batch"]


def ranks_of(heatmaps: HostHeatmaps, *, strongest_first: bool = True) -> Ranks:
    """Return the place of each pixel in the order of its map, from 0 on.

    Example:
        >>> ranks_of(np.array([[0.1, 0.9, 0.1]])).tolist()
        [[1, 0, 2]]
        >>> ranks_of(np.array([[0.1, 0.9, 0.1]]), strongest_first=False).tolist()
        [[0, 2, 1]]
    """
    flat = heatmaps.reshape(len(heatmaps), -1)
    order = np.argsort(-flat if strongest_first else flat, axis=1, kind="stable")
    ranks = np.empty(order.shape, np.int32)
    np.put_along_axis(ranks, order, np.arange(order.shape[1], dtype=np.int32)[None], axis=1)
    return ranks


def counts_of(steps: int, pixels: int) -> Int[np.ndarray, " points"]:
    """Return how many pixels are changed after each step, from none to all.

    Example:
        >>> counts_of(4, 10).tolist(), counts_of(9, 2).tolist()
        ([0, 2, 5, 8, 10], [0, 1, 2])
    """
    return np.unique(np.rint(np.linspace(0, pixels, steps + 1)).astype(np.int64))


def start_of(baseline: Any, images: HostImages) -> HostImages:
    """Return what stands for each image with nothing to see; see `baselines.baseline_of`."""
    check_baseline(baseline)
    return np.asarray(baseline_of(baseline, ops.convert_to_tensor(images)))


def asked(
    ask: Ask, copies: Callable[[np.ndarray], Any], count: int, images: HostImages
) -> Float[np.ndarray, "count batch"]:
    """Ask the model about numbered copies of images, as many at once as memory allows.

    While it answers, the next ones are made.

    Args:
        ask: Copies, (n, batch, *size, channels), to numbers, (n, batch).
        copies: Numbers of copies, shape (n,), to these.
        count: How many copies there are.
        images: For their size.
    """
    most = max(1, AT_ONCE // max(1, images[..., 0].size))
    starts = range(0, count, most)
    made = (copies(np.arange(first, min(first + most, count))) for first in starts)
    with ahead(made, 1) as parts:
        return np.concatenate([np.asarray(ask(part), np.float64) for part in parts])


def curve(
    ask: Ask, images: HostImages, others: HostImages, ranks: Ranks, counts: np.ndarray
) -> Curve:
    """Ask about images of which more and more pixels are replaced by those of others.

    Args:
        ask: As for `asked`.
        images: Shape (batch, *size, channels).
        others: Of the same shape.
        ranks: In which order pixels are replaced.
        counts: How many are replaced at each point of the curve.
    """
    ranks = ranks.reshape(images.shape[:-1])

    def copies(chosen: np.ndarray) -> np.ndarray:
        counted = counts[chosen].reshape(-1, *[1] * ranks.ndim)
        return np.where((ranks < counted)[..., None], others, images)

    return asked(ask, copies, len(counts), images)


def area(values: Curve, counts: np.ndarray) -> Float[np.ndarray, " batch"]:
    """Integrate a curve over the share of pixels that are changed, by trapezoids."""
    widths = np.diff(counts) / counts[-1]
    return widths @ ((values[1:] + values[:-1]) / 2)
