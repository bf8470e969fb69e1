"""Whether a network is as often right as it is sure (Guo et al., 2017, arXiv:1706.04599)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Bins of equal width over the confidences from 0 to 1.
BINS = 15


def bin_of(confidence: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the bin of each confidence: bin m holds the interval (m / 15, (m + 1) / 15].

    Example:
        >>> bin_of(np.array([0.0, 0.05, 0.1, 1.0])).tolist()
        [0, 0, 1, 14]
    """
    edges = np.linspace(0, 1, BINS + 1)
    return np.digitize(confidence, edges[1:-1], right=True).astype(np.int64)


def gap_rows(confidence: NDArray[np.float64], correct: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return what each image adds to its bin: 1 if right, less the confidence.

    Args:
        confidence: Probability of the predicted class of each image.
        correct: Whether the prediction is right.

    Returns:
        Shaped (images, bins); zero in all bins but the image's own.
    """
    rows = np.zeros((len(confidence), BINS))
    rows[np.arange(len(rows)), bin_of(confidence)] = correct - confidence
    return rows


def calibration_error(gaps: NDArray[np.float64], images: int) -> NDArray[np.float64]:
    """Return the expected calibration error from the sums of `gap_rows` over the images.

    With n images, and bin B_m of those whose predicted class has a probability in it,

        ECE = Σ_m |B_m| / n · |accuracy(B_m) − mean confidence(B_m)|
            = Σ_m |Σ_{i in B_m} (correct_i − confidence_i)| / n.

    Args:
        gaps: The sums, shaped (..., bins).
        images: n.

    Example:
        >>> float(calibration_error(np.array([1.0, -2.0]), 10))
        0.3
    """
    return np.asarray(np.abs(gaps).sum(axis=-1) / images)


def errors_if_calibrated(
    confidence: NDArray[np.float64], draws: int, seed: int
) -> NDArray[np.float64]:
    """Draw the calibration errors of a network that is right exactly as often as it is sure.

    In each draw an image is right with the probability of its confidence. Such a network has no
    error but by chance, so these are what an error has to exceed to mean anything on as many
    images.

    Args:
        confidence: Probability of the predicted class of each image.
        draws: How many errors to return.
        seed: The seed of the draws.

    Example:
        >>> errors_if_calibrated(np.ones(50), 2, seed=0)  # always right, and sure of it
        array([0., 0.])
    """
    generator, bins, images = np.random.default_rng(seed), bin_of(confidence), len(confidence)
    errors = np.empty(draws)
    for draw in range(draws):
        gaps = (generator.random(images) < confidence) - confidence
        errors[draw] = np.abs(np.bincount(bins, gaps, BINS)).sum() / images
    return errors


def reliability(
    confidence: NDArray[np.float64], correct: NDArray[np.bool_]
) -> list[dict[str, Any]]:
    """Return what stands in each bin of a reliability diagram, for JSON.

    Args:
        confidence: Probability of the predicted class of each image.
        correct: Whether the prediction is right.

    Returns:
        For each bin its `"low"` and `"high"` edges, the `"count"` of images in it, and their mean
        `"confidence"` and `"accuracy"` (None where the bin is empty).
    """
    bins, edges = bin_of(confidence), np.linspace(0, 1, BINS + 1)
    return [
        {
            "low": float(edges[place]),
            "high": float(edges[place + 1]),
            "count": int(inside.sum()),
            "confidence": float(confidence[inside].mean()) if inside.any() else None,
            "accuracy": float(correct[inside].mean()) if inside.any() else None,
        }
        for place, inside in ((place, bins == place) for place in range(BINS))
    ]
