"""How far a mean would move with other images (Efron and Tibshirani, 1993)."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

LEVEL = 0.95  # the share of the resamples that an interval holds
_AT_ONCE = 2**24  # draws


@dataclass(frozen=True)
class Interval:
    """A mean over images, with its interval.

    Attributes:
        value: The mean; NaN if no image has a figure.
        low: Where the interval begins.
        high: Where it ends.
        count: How many images the mean is of.

    Example:
        >>> Interval(0.2, 0.1, 0.3, 50).away_from_zero
        True
    """

    value: float
    low: float
    high: float
    count: int

    @property
    def away_from_zero(self) -> bool:
        """Whether the interval holds no zero."""
        return self.low > 0 or self.high < 0


def drawn_means(
    figures: Float[np.ndarray, "rows images"], resamples: int, seed: int
) -> Float[np.ndarray, "resamples rows"]:
    """Draw as many images as there are, with replacement, again and again; average each row.

    All rows are averaged over the same draws, so that differences of rows are paired.

    Args:
        figures: NaN where there is none: it is left out.
        resamples: How many draws.
        seed: Their seed.

    Returns:
        NaN where a draw has no figure.
    """
    images = figures.shape[1]
    if not images:
        return np.full((resamples, len(figures)), np.nan)
    generator = np.random.default_rng(seed)
    defined = np.isfinite(figures)
    values = np.where(defined, figures, 0.0)
    parts, most = [], max(1, _AT_ONCE // max(1, images))
    for first in range(0, resamples, most):
        times = _times_drawn(generator, min(most, resamples - first), images).astype(np.float64)
        counts = times @ defined.T
        sums = times @ values.T
        parts.append(np.where(counts > 0, sums / np.where(counts > 0, counts, 1), np.nan))
    return np.concatenate(parts)


def _times_drawn(
    generator: np.random.Generator, resamples: int, images: int
) -> Int[np.ndarray, "resamples images"]:
    chosen = generator.integers(images, size=(resamples, images))
    flat = (chosen + np.arange(resamples)[:, None] * images).ravel()
    return np.bincount(flat, minlength=resamples * images).reshape(resamples, images)


def interval(
    figures: Float[np.ndarray, " images"], draws: Float[np.ndarray, " resamples"]
) -> Interval:
    """Put the percentile interval of a mean beside it.

    Args:
        figures: One per image, NaN left out.
        draws: The mean of each resample, NaN left out.

    Example:
        >>> interval(np.array([40.0, np.nan, 60.0]), np.arange(101.0))
        Interval(value=50.0, low=2.5, high=97.5, count=2)
    """
    defined = figures[np.isfinite(figures)]
    known = draws[np.isfinite(draws)]
    if not defined.size or not known.size:
        return Interval(np.nan, np.nan, np.nan, 0)
    tail = 50 * (1 - LEVEL)
    low, high = np.percentile(known, [tail, 100 - tail])
    return Interval(float(defined.mean()), float(low), float(high), int(defined.size))
