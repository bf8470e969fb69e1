"""How far a figure would move with other test images (Efron and Tibshirani, 1993)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Share of the resamples that an interval holds.
LEVEL = 0.95


def resampled_sums(rows: NDArray[np.float64], resamples: int, seed: int) -> NDArray[np.float64]:
    """Draw as many images as there are, with replacement, again and again, and add their rows.

    A figure that is a function of sums over images (a count, a share) needs no more than this of a
    resample, so the cost of one is a product of a vector and a matrix.

    Args:
        rows: What each image adds to each sum, shaped (images, sums).
        resamples: Number of draws.
        seed: The seed of the draws.

    Returns:
        The sums of each resample, shaped (resamples, sums).
    """
    generator = np.random.default_rng(seed)
    images = len(rows)
    sums = np.empty((resamples, rows.shape[1]))
    for resample in sums:
        times_drawn = np.bincount(generator.integers(images, size=images), minlength=images)
        np.matmul(times_drawn.astype(np.float64), rows, out=resample)
    return sums


def with_interval(value: float, draws: NDArray[np.float64]) -> dict[str, float | None]:
    """Put the percentile interval of a figure beside its value.

    Resamples in which the figure is undefined (NaN) are left aside; where the value itself is
    undefined, so is the interval.

    Args:
        value: The figure on the images as they are.
        draws: The figure on each resample.

    Returns:
        `"value"`, `"low"` and `"high"`, for JSON: None where undefined.

    Example:
        >>> with_interval(50.0, np.arange(101.0))
        {'value': 50.0, 'low': 2.5, 'high': 97.5}
    """
    defined = draws[~np.isnan(draws)]
    if np.isnan(value) or not defined.size:
        return {"value": number(value), "low": None, "high": None}
    tail = 50 * (1 - LEVEL)
    low, high = np.percentile(defined, [tail, 100 - tail])
    return {"value": float(value), "low": float(low), "high": float(high)}


def confidence_interval(
    values: NDArray[np.floating], seed: int, resamples: int = 2000
) -> dict[str, float | None]:
    """Return the mean of some values with its 95 % interval by the percentile bootstrap.

    Args:
        values: One value per image; NaN is left out.
        seed: The seed of the draws.
        resamples: How often the images are drawn again.

    Returns:
        The mean as `"value"`, and `"low"` and `"high"`; all None where no value is left.
    """
    defined = np.asarray(values, np.float64)
    defined = defined[~np.isnan(defined)]
    if not len(defined):
        return with_interval(math.nan, defined)
    sums = resampled_sums(defined[:, None], resamples, seed)[:, 0]
    return with_interval(float(defined.mean()), sums / len(defined))


def number(value: Any) -> float | None:
    """Return a float that JSON can hold: None in place of NaN."""
    return None if np.isnan(value) else float(value)
