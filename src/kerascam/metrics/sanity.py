"""Sanity checks: a map must change if the model's weights are others."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from .._host_types import Figures, HostHeatmaps, HostImages
from ..arguments import number_in
from ..arrays import as_type
from ..table import Citation
from .conditions import check_alike, check_share, shows, varies, where
from .registry import METRICS
from .similarity import rank_correlation

#: Images, the numbers of layers, and a seed, to heatmaps of the model with these layers random.
ExplainRandomized: TypeAlias = Callable[[Any, Any, int], Any]

SANITY_CHECKS = Citation(
    "Adebayo, Gilmer, Muelly, Goodfellow, Hardt and Kim",
    2018,
    "Sanity Checks for Saliency Maps",
    "NeurIPS",
    "https://arxiv.org/abs/1810.03292",
)
SMOOTH_AND_EFFICIENT = Citation(
    "Hedström, Weber, Lapuschkin and Höhne",
    2024,
    "Sanity Checks Revisited: An Exploration to Repair the Model Parameter Randomisation Test",
    "arXiv",
    "https://arxiv.org/abs/2401.06465",
)
_BINS = 100


@METRICS.register(
    title="MPRT, cascading",
    higher_is_better=False,
    bounds=(-1, 1),
    citation=SANITY_CHECKS,
    requires=(varies,),
)
def mprt_cascading(
    explain_randomized: ExplainRandomized,
    layer_count: int,
    images: HostImages,
    heatmaps: HostHeatmaps,
    *,
    stages: int = 4,
    seed: int = 0,
) -> Figures:
    r"""Average how alike the map stays while layers lose their training, from the output on.

    $$\frac{1}{K} \sum_{k=1}^{K} \rho\big(M_\theta(x),\; M_{\theta_k}(x)\big)$$

    $\rho$ is Spearman's rank correlation, 0 if a map is the same everywhere; $\theta_k$ are the
    weights with the last $k/K$ of the layers randomized. The paper draws new weights as before the
    training; here the values of each weight are put in random order, which keeps the scale of what
    a layer returns. A map that stays the same says nothing of what was learnt. The model itself is
    not changed.

    Args:
        explain_randomized: Images, numbers of layers and a seed to heatmaps.
        layer_count: How many layers have weights.
        images: Shape (batch, *size, channels).
        heatmaps: Shape (batch, *size).
        stages: K: how many shares of the layers are tried.
        seed: The seed of the random orders.

    Returns:
        Shape (batch,); NaN of a map that is the same everywhere.

    Raises:
        TypeError: If an option has a wrong type.
        ValueError: If the heatmaps do not fit the images, or an option has a wrong value.

    Example:
        >>> images, heat = np.ones((1, 2, 1)), np.array([[0.0, 1.0]])
        >>> mprt_cascading(lambda x, layers, seed: heat, 3, images, heat).tolist()
        [1.0]
    """
    chosen = [range(layer_count - number, layer_count) for number in _spread(layer_count, stages)]
    return _likeness(explain_randomized, chosen, images, heatmaps, seed)


@METRICS.register(
    title="MPRT, independent",
    higher_is_better=False,
    bounds=(-1, 1),
    citation=SANITY_CHECKS,
    requires=(varies,),
)
def mprt_independent(
    explain_randomized: ExplainRandomized,
    layer_count: int,
    images: HostImages,
    heatmaps: HostHeatmaps,
    *,
    stages: int = 4,
    seed: int = 0,
) -> Figures:
    r"""Average how alike the map stays if one layer alone loses its training.

    $$\frac{1}{K} \sum_{k=1}^{K} \rho\big(M_\theta(x),\; M_{\theta^{(k)}}(x)\big)$$

    $\theta^{(k)}$ are the weights with one of $K$ layers randomized, evenly spread from the input
    to the output; all else as for `mprt_cascading`.

    Args:
        explain_randomized: Images, numbers of layers and a seed to heatmaps.
        layer_count: How many layers have weights.
        images: Shape (batch, *size, channels).
        heatmaps: Shape (batch, *size).
        stages: K: how many layers are tried.
        seed: The seed of the random orders.

    Returns:
        Shape (batch,); NaN of a map that is the same everywhere.

    Raises:
        TypeError: If an option has a wrong type.
        ValueError: If the heatmaps do not fit the images, or an option has a wrong value.

    Example:
        >>> images, heat = np.ones((1, 2, 1)), np.array([[0.0, 1.0]])
        >>> mprt_independent(lambda x, layers, seed: 1 - heat, 3, images, heat).tolist()
        [-1.0]
    """
    chosen = [[number - 1] for number in _spread(layer_count, stages)]
    return _likeness(explain_randomized, chosen, images, heatmaps, seed)


@METRICS.register(
    title="Smooth MPRT",
    higher_is_better=False,
    bounds=(-1, 1),
    citation=SMOOTH_AND_EFFICIENT,
    requires=(varies,),
)
def smooth_mprt(
    explain_randomized: ExplainRandomized,
    layer_count: int,
    images: HostImages,
    heatmaps: HostHeatmaps,
    *,
    stages: int = 4,
    samples: int = 8,
    deviation: float = 0.1,
    seed: int = 0,
) -> Figures:
    r"""Average how alike the mean map of noisy images stays while layers lose their training.

    $$\frac{1}{K} \sum_{k=1}^{K} \rho\Big(\tfrac1n \textstyle\sum_i M_\theta(x + \varepsilon_i),\;
    \tfrac1n \sum_i M_{\theta_k}(x + \varepsilon_i)\Big)$$

    The noise of a map counts for less than in `mprt_cascading`, of which all else holds; the paper
    goes from the input to the output, so that what follows a random layer is still trained.

    Args:
        explain_randomized: Images, numbers of layers and a seed to heatmaps.
        layer_count: How many layers have weights.
        images: Shape (batch, *size, channels).
        heatmaps: Shape (batch, *size).
        stages: K: how many shares of the layers are tried.
        samples: n: how many noisy images a mean is of.
        deviation: The standard deviation of the noise, as a share of each image's range of values.
        seed: The seed of the random orders and of the noise, which all images have in common.

    Returns:
        Shape (batch,); NaN of a map that is the same everywhere.

    Raises:
        TypeError: If an option has a wrong type.
        ValueError: If the heatmaps do not fit the images, or an option has a wrong value.

    Example:
        >>> images, heat = np.ones((1, 2, 1)), np.array([[0.0, 1.0]])
        >>> smooth_mprt(lambda x, layers, seed: heat, 3, images, heat).tolist()
        [1.0]
    """
    check_alike(heatmaps, images=images)
    number_in("samples", samples, 1)
    check_share("deviation", deviation)
    flat = images.reshape(len(images), -1).astype(np.float64)
    ranges = (flat.max(1) - flat.min(1)).reshape(-1, *[1] * (images.ndim - 1))
    generator = np.random.default_rng(number_in("seed", seed, 0))
    noise = deviation * generator.standard_normal((samples, *images.shape[1:]))

    def smooth(given: HostImages, layers: Any, seed: int) -> np.ndarray:
        noisy = (as_type(given.dtype, given + each * ranges) for each in noise)
        return np.mean([explain_randomized(each, layers, seed) for each in noisy], 0)

    chosen = [range(number) for number in _spread(layer_count, stages)]
    own = smooth(images, (), seed)
    return where(varies(heatmaps), _likeness(smooth, chosen, images, own, seed))


@METRICS.register(
    title="Efficient MPRT",
    higher_is_better=True,
    bounds=(-1, None),
    citation=SMOOTH_AND_EFFICIENT,
    requires=(varies, shows),
)
def efficient_mprt(
    explain_randomized: ExplainRandomized,
    layer_count: int,
    images: HostImages,
    heatmaps: HostHeatmaps,
    *,
    seed: int = 0,
) -> Figures:
    r"""Compute by how much the map's complexity rises if no layer is trained.

    $$\frac{H(M_{\theta'}) - H(M_\theta)}{H(M_\theta)}$$

    $H$ is the entropy of the histogram of the map's magnitudes, in 100 bins up to their maximum,
    and in $\theta'$ all layers are randomized. It needs no measure of likeness and no order of
    layers; a map that does not depend on the weights has 0. In networks with batch normalisation,
    whose statistics no longer fit, a few values may outgrow all others, which then share one bin,
    and the figure is below 0, though never below −1: compare methods with each other.

    Args:
        explain_randomized: Images, numbers of layers and a seed to heatmaps.
        layer_count: How many layers have weights.
        images: Shape (batch, *size, channels).
        heatmaps: Shape (batch, *size).
        seed: The seed of the random orders.

    Returns:
        Shape (batch,); NaN of a map that is the same everywhere.

    Raises:
        TypeError: If an option has a wrong type.
        ValueError: If the heatmaps do not fit the images, or an option has a wrong value.

    Example:
        >>> images, heat = np.ones((1, 2, 1)), np.array([[0.0, 1.0]])
        >>> efficient_mprt(lambda x, layers, seed: heat, 3, images, heat).tolist()
        [0.0]
    """
    check_alike(heatmaps, images=images)
    again = np.asarray(explain_randomized(images, range(layer_count), number_in("seed", seed, 0)))
    own, other = _histogram_entropy(heatmaps), _histogram_entropy(again)
    return where(varies(heatmaps) & (own > 0), (other - own) / np.where(own > 0, own, 1))


def _spread(layers: int, stages: int) -> list[int]:
    """Choose numbers of layers up to all, evenly spread.

    Example:
        >>> _spread(10, 4), _spread(2, 4)
        ([3, 5, 8, 10], [1, 2])
    """
    shares = np.arange(1, number_in("stages", stages, 1) + 1) / stages
    return sorted({max(1, int(np.ceil(share * layers))) for share in shares})


def _likeness(
    explain: ExplainRandomized,
    chosen: Sequence[Sequence[int]],
    images: HostImages,
    heatmaps: HostHeatmaps,
    seed: int,
) -> Figures:
    check_alike(heatmaps, images=images)
    number_in("seed", seed, 0)
    found = [
        rank_correlation(heatmaps, np.asarray(explain(images, layers, seed))) for layers in chosen
    ]
    return where(varies(heatmaps), np.mean(found, 0))


def _histogram_entropy(heatmaps: HostHeatmaps) -> np.ndarray:
    """Compute the entropy of the histogram of each map's magnitudes; 0 of a constant map."""
    found = []
    for values in np.abs(heatmaps.reshape(len(heatmaps), -1)):
        most = values.max()
        places = np.minimum((values / (most if most > 0 else 1) * _BINS).astype(int), _BINS - 1)
        shares = np.bincount(places) / len(values)
        found.append(-(shares * np.log(np.where(shares > 0, shares, 1))).sum())
    return np.maximum(np.array(found), 0)
