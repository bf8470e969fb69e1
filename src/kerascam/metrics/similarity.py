"""How alike two maps are, whatever their scale."""

import numpy as np
from jaxtyping import Float

from .._host_types import Figures, HostHeatmaps


def rank_correlation(some: HostHeatmaps, others: HostHeatmaps) -> Figures:
    """Compute Spearman's rank correlation of maps, image by image; 0 if one of them is constant.

    Example:
        >>> rank_correlation(np.array([[1.0, 2.0, 9.0]]), np.array([[0.0, 1.0, 1.5]])).tolist()
        [1.0]
    """
    return correlation(_ranks(some), _ranks(others))


def correlation(some: HostHeatmaps, others: HostHeatmaps) -> Figures:
    """Compute Pearson's correlation of maps, image by image; 0 if one of them is constant.

    Example:
        >>> correlation(np.array([[1.0, 2.0], [1.0, 2.0]]), np.array([[5.0, 9.0], [3.0, 3.0]]))
        array([1., 0.])
    """
    flat = [each.reshape(len(each), -1).astype(np.float64) for each in (some, others)]
    one, other = (each - each.mean(1, keepdims=True) for each in flat)
    norms = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    fine = norms > 0
    found = (one * other).sum(1) / np.where(fine, norms, 1)
    return np.clip(np.where(fine, found, 0.0), -1, 1)


def _ranks(maps: HostHeatmaps) -> Float[np.ndarray, "batch pixels"]:
    """Return the rank of each pixel in its map; of equal values the mean."""
    found = []
    for values in maps.reshape(len(maps), -1):
        _, places, times = np.unique(values, return_inverse=True, return_counts=True)
        found.append((np.cumsum(times) - (times + 1) / 2)[places.reshape(-1)])
    return np.stack(found)
