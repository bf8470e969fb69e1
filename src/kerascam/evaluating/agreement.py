"""Whether two metrics put methods in the same order."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from .bootstrap import Interval, interval

_LEAST = 3  # of fewer, every order correlates by 1 or −1


def rank_correlations(
    names: Sequence[str],
    means: Float[np.ndarray, "subjects metrics"],
    draws: Float[np.ndarray, "resamples subjects metrics"],
) -> dict[tuple[str, str], Interval]:
    """Correlate the ranks of the means of each pair of metrics.

    Args:
        names: The metrics' names.
        means: Each turned so that more is better; NaN where there is none.
        draws: The means of resampled images.

    Returns:
        Spearman's correlation of each pair; NaN of fewer than three that both metrics know.
    """
    found = {}
    for one in range(len(names)):
        for other in range(one + 1, len(names)):
            known = np.isfinite(means[:, one]) & np.isfinite(means[:, other])
            pair = means[known][:, [one, other]]
            value = _spearman(pair[None])
            drawn = _spearman(draws[:, known][..., [one, other]])
            enough = known.sum() >= _LEAST
            found[names[one], names[other]] = (
                replace(interval(value, drawn), count=int(known.sum()))
                if enough
                else Interval(np.nan, np.nan, np.nan, int(known.sum()))
            )
    return found


def _spearman(pairs: Float[np.ndarray, "draws subjects 2"]) -> Float[np.ndarray, " draws"]:
    """Correlate ranks, tied ones in the mean; NaN if all are tied.

    Example:
        >>> _spearman(np.array([[[1.0, 5.0], [2.0, 6.0], [3.0, 9.0]]])).tolist()
        [1.0]
    """
    below = pairs[:, :, None] > pairs[:, None]
    tied = pairs[:, :, None] == pairs[:, None]
    ranks = below.sum(2) + tied.sum(2) / 2
    ranks = ranks - ranks.mean(1, keepdims=True)
    norms = np.sqrt((ranks**2).sum(1).prod(1))
    products = ranks.prod(2).sum(1)
    fine = (norms > 0) & np.isfinite(pairs).all((1, 2))
    return np.where(fine, products / np.where(norms > 0, norms, 1), np.nan)
