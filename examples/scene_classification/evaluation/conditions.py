"""How often a network is right on dark and on bright photographs, and on parts of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from scene_classification.evaluation.bootstrap import resampled_sums, with_interval

#: Groups of equally many photographs, from dark to bright.
GROUPS = ("darkest third", "middle third", "brightest third")
#: Sides of the square middle that is kept, as shares of the photograph's.
CROPS = (1.0, 0.875, 0.75, 0.5)
RESAMPLES = 2000


def by_brightness(
    images: NDArray[np.uint8], right: NDArray[np.bool_], seed: int
) -> dict[str, dict[str, float | None]]:
    """Return the accuracy on each third of the photographs in order of their mean brightness.

    Args:
        images: RGB 0–255, shaped (images, height, width, 3).
        right: Whether each is answered correctly.
        seed: The seed of the resamples of the intervals.

    Example:
        >>> images = np.arange(3, dtype=np.uint8)[:, None, None, None] * np.ones((1, 1, 1, 3), "u1")
        >>> found = by_brightness(images, np.array([True, True, False]), seed=0)
        >>> [one["value"] for one in found.values()]
        [1.0, 1.0, 0.0]
    """
    order = np.argsort(images.reshape(len(images), -1).mean(1), kind="stable")
    thirds = np.array_split(order, len(GROUPS))
    return {name: accuracy(right[third], seed) for name, third in zip(GROUPS, thirds, strict=True)}


def by_crop(
    answer: Callable[[Any], NDArray[np.floating]],
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    seed: int,
) -> dict[str, dict[str, float | None]]:
    """Return the accuracy on the square middle of the photographs, enlarged to their size.

    Args:
        answer: From images, float32 RGB 0–255, to probabilities.
        images: RGB 0–255, shaped (images, side, side, 3).
        labels: The true class index of each.
        seed: The seed of the resamples of the intervals.
    """
    found = {}
    for share in CROPS:
        right = answer(middle(images, share)).argmax(1) == labels
        found[f"{100 * share:g} % of each side"] = accuracy(right, seed)
    return found


def middle(images: NDArray[np.uint8], share: float) -> NDArray[np.float32]:
    """Return the middle of images, a share of each side, enlarged to the size of the whole."""
    side = images.shape[1]
    kept = round(share * side)
    start = (side - kept) // 2
    part = images[:, start : start + kept, start : start + kept].astype(np.float32)
    return np.asarray(part if kept == side else tf.image.resize(part, (side, side)))


def accuracy(right: NDArray[np.bool_], seed: int) -> dict[str, float | None]:
    """Return the share that is right, with its interval."""
    rows = right[:, None].astype(np.float64)
    draws = resampled_sums(rows, RESAMPLES, seed)[:, 0] / len(rows)
    return with_interval(float(right.mean()), draws)
