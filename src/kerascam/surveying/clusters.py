"""Spectral relevance analysis: groups of images that a model decides by the same things."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

#: How many images are put in order at once; the others follow their nearest among these.
MOST = 2000
_NEIGHBORS = 12
_MOST_CLUSTERS = 8
#: What the largest gap between eigenvalues must be to tell the number of clusters.
_LEAST_GAP = 0.05


@dataclass(frozen=True)
class Spectrum:
    r"""Images in the space of the first eigenvectors of who is near whom (Lapuschkin et al., 2019).

    Each row of features is scaled to length 1. Two images are joined, $A_{ij} = 1$, if one is among
    the nearest neighbours of the other; the space is that of the first eigenvectors of the
    normalized Laplacian $I - D^{-1/2} A D^{-1/2}$.

    Attributes:
        values: The smallest eigenvalues; none if there are too few images to tell clusters.
        vectors: Shape (some images, eigenvectors).
        nearest: For each image, the nearest of those.
        seed: Of k-means.
    """

    values: Float[np.ndarray, " eigenvectors"]
    vectors: Float[np.ndarray, "some eigenvectors"]
    nearest: Int[np.ndarray, " images"]
    seed: int

    @property
    def count(self) -> int:
        """The number of clusters: where the gap between successive eigenvalues is largest.

        Two where no gap is large.
        """
        gaps = np.diff(self.values)
        count = int(np.argmax(gaps)) + 1 if len(gaps) else 1
        return count if count > 1 and gaps[count - 1] >= _LEAST_GAP else 2

    def clusters(self, count: int | None = None) -> Int[np.ndarray, " images"]:
        """Find the clusters by k-means.

        Args:
            count: How many; None for what the gap tells.

        Returns:
            The cluster of each image, the largest first; all 0 if there are too few images.
        """
        from sklearn.cluster import KMeans

        if not len(self.values):
            return np.zeros(len(self.nearest), int)
        count = self.count if count is None else count
        means = KMeans(count, n_init=4, random_state=self.seed)
        found = means.fit_predict(_unit(self.vectors[:, :count]))[self.nearest]
        order = np.argsort(-np.bincount(found, minlength=count), kind="stable")
        return np.asarray(np.argsort(order)[found], int)


def spectrum_of(features: np.ndarray, seed: int = 0) -> Spectrum:
    """Compute the spectrum of some images.

    Args:
        features: Shape (images, ...): finite numbers, such as maps or the relevance of features.
        seed: Of the images that are looked at, if there are many, and of k-means.

    Example:
        >>> random = np.random.default_rng(0)
        >>> two = np.repeat(np.eye(8)[:2], [30, 20], 0)
        >>> spectrum = spectrum_of(two + 0.1 * random.normal(size=two.shape))
        >>> spectrum.count, np.bincount(spectrum.clusters()).tolist()
        (2, [30, 20])
    """
    from sklearn.neighbors import NearestNeighbors

    unit = _unit(np.asarray(features, np.float64).reshape(len(features), -1))
    if len(unit) < 3 * _NEIGHBORS:
        return Spectrum(np.zeros(0), np.zeros((0, 0)), np.zeros(len(unit), int), seed)
    chosen = np.sort(np.random.default_rng(seed).permutation(len(unit))[:MOST])
    values, vectors = _eigenvectors(unit[chosen])
    nearest = np.arange(len(unit))
    if len(chosen) < len(unit):
        near = NearestNeighbors(n_neighbors=1).fit(unit[chosen])
        nearest = near.kneighbors(unit, return_distance=False)[:, 0]
    return Spectrum(values, vectors, nearest, seed)


def _unit(rows: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)


def _eigenvectors(unit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from scipy.linalg import eigh
    from sklearn.neighbors import kneighbors_graph

    joined = kneighbors_graph(unit, _NEIGHBORS, include_self=False).toarray()
    joined = np.maximum(joined, joined.T)
    roots = 1 / np.sqrt(joined.sum(1))
    laplacian = np.eye(len(unit)) - roots[:, None] * joined * roots
    most = min(_MOST_CLUSTERS, len(unit) - 1)
    values, vectors = eigh(laplacian, subset_by_index=(0, most))
    return values, vectors
