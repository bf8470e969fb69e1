"""Which images a classifier gets wrong: the surest mistakes and the pairs most confused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def worst_positions(
    labels: NDArray[np.int64], probabilities: NDArray[np.floating[Any]], count: int
) -> NDArray[np.int64]:
    """Return the positions of the mistakes of the highest confidence, the highest first.

    Args:
        labels: Class index of each image.
        probabilities: Shaped (images, classes).
        count: How many to return at most.

    Example:
        >>> worst_positions(np.array([0, 0, 1]), np.array([[0.4, 0.6], [0.1, 0.9], [0, 1]]), 24)
        array([1, 0])
    """
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    surest_first = np.argsort(-probabilities[wrong].max(axis=1), kind="stable")
    return wrong[surest_first[:count]]


def describe(
    positions: NDArray[np.int64],
    paths: Sequence[str],
    labels: NDArray[np.int64],
    probabilities: NDArray[np.floating[Any]],
    classes: Sequence[str],
) -> list[dict[str, Any]]:
    """Say of some images what they are and what they were taken for, for JSON.

    Args:
        positions: The images to describe, as positions in the arrays that follow.
        paths: File of each image.
        labels: Class index of each image.
        probabilities: Shaped (images, classes).
        classes: Names in order of class index.

    Returns:
        For each its `"path"`, `"true"` and `"predicted"` class, and the probabilities that the
        network gave these two, `"true_probability"` and `"predicted_probability"`.
    """
    predicted = probabilities.argmax(axis=1)
    return [
        {
            "path": paths[place],
            "true": classes[labels[place]],
            "predicted": classes[predicted[place]],
            "true_probability": float(probabilities[place, labels[place]]),
            "predicted_probability": float(probabilities[place, predicted[place]]),
        }
        for place in positions.tolist()
    ]


def confused_pairs(
    confusion: Sequence[Sequence[int]], classes: Sequence[str], count: int
) -> list[dict[str, Any]]:
    """Return the pairs of true and predicted class with the most mistakes, the most first.

    Args:
        confusion: Images by true class (rows) and predicted class.
        classes: Names in order of class index.
        count: How many to return at most.

    Returns:
        For each its `"true"` and `"predicted"` class, the `"count"` of mistakes, and the `"share"`
        that these are of the true class's images.

    Example:
        >>> confused_pairs([[8, 2], [0, 5]], ["sea", "forest"], 10)
        [{'true': 'sea', 'predicted': 'forest', 'count': 2, 'share': 0.2}]
    """
    mistakes = [
        (images, images / sum(row), true, predicted)
        for true, row in zip(classes, confusion, strict=True)
        for predicted, images in zip(classes, row, strict=True)
        if true != predicted and images
    ]
    most_first = sorted(mistakes, key=lambda mistake: -mistake[0])
    return [
        {"true": true, "predicted": predicted, "count": images, "share": share}
        for images, share, true, predicted in most_first[:count]
    ]
