"""Metrics of the map alone: how few pixels hold its heat."""

import numpy as np

from .._host_types import Figures, HostHeatmaps
from ..table import Citation
from .conditions import check_alike, shows, where
from .registry import METRICS


@METRICS.register(
    title="Sparseness",
    higher_is_better=True,
    bounds=(0, 1),
    citation=Citation(
        "Chalasani, Chen, Chowdhury, Jha and Wu",
        2020,
        "Concise Explanations of Neural Networks using Adversarial Training",
        "ICML",
        "https://arxiv.org/abs/1810.06583",
    ),
    requires=(shows,),
)
def sparseness(heatmaps: HostHeatmaps) -> Figures:
    r"""Compute the Gini index of the map's magnitudes.

    $$1 - 2 \sum_{k=1}^{d} \frac{|M|_{(k)}}{\|M\|_1} \cdot \frac{d - k + \tfrac12}{d}$$

    $|M|_{(k)}$ are the magnitudes of the $d$ pixels, the smallest first. A map of one pixel has
    $1 - 1/d$, one that is the same everywhere 0.

    Args:
        heatmaps: Shape (batch, *size).

    Returns:
        Shape (batch,); NaN of a map that is zero everywhere.

    Raises:
        ValueError: If a map is not finite.

    Example:
        >>> sparseness(np.array([[0.0, 3.0, 0.0, 0.0], [2.0, 2.0, 2.0, 2.0]])).tolist()
        [0.75, 0.0]
    """
    shares = np.sort(_shares(heatmaps), axis=1)
    pixels = shares.shape[1]
    weights = (pixels - np.arange(pixels) - 0.5) / pixels
    return where(shows(heatmaps), np.maximum(1 - 2 * shares @ weights, 0))


@METRICS.register(
    title="Entropy",
    higher_is_better=False,
    bounds=(0, None),
    citation=Citation(
        "Bhatt, Weller and Moura",
        2020,
        "Evaluating and Aggregating Feature-based Model Explanations",
        "IJCAI",
        "https://arxiv.org/abs/2005.00631",
    ),
    requires=(shows,),
)
def entropy(heatmaps: HostHeatmaps) -> Figures:
    r"""Compute the entropy of how the map's magnitudes are spread over the pixels.

    $$-\sum_i q_i \ln q_i, \qquad q_i = \frac{|M_i|}{\|M\|_1}$$

    The paper's complexity. A map of one pixel has 0, one that is the same everywhere $\ln d$.

    Args:
        heatmaps: Shape (batch, *size).

    Returns:
        Shape (batch,), in nats; NaN of a map that is zero everywhere.

    Raises:
        ValueError: If a map is not finite.

    Example:
        >>> entropy(np.array([[0.0, 3.0], [2.0, 2.0]])).tolist()
        [0.0, 0.6931]
    """
    shares = _shares(heatmaps)
    logs = np.log(np.where(shares > 0, shares, 1))
    return where(shows(heatmaps), np.abs((shares * logs).sum(1)))


def _shares(heatmaps: HostHeatmaps) -> np.ndarray:
    """Return the magnitudes of each map, (batch, pixels), divided by their sum."""
    check_alike(heatmaps)
    flat = np.abs(heatmaps.reshape(len(heatmaps), -1).astype(np.float64))
    total = flat.sum(1, keepdims=True)
    return flat / np.where(total > 0, total, 1)
