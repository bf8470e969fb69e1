"""A sanity check: a map must change if the class is another one."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from .._host_types import Figures, HostHeatmaps, HostImages
from ..arguments import number_in
from ..table import Citation
from .conditions import check_alike, varies, where
from .registry import METRICS
from .similarity import rank_correlation

#: Images and a seed to heatmaps of another class.
ExplainAnother: TypeAlias = Callable[[Any, int], Any]


@METRICS.register(
    title="Random logit",
    higher_is_better=False,
    bounds=(-1, 1),
    citation=Citation(
        "Sixt, Granz and Landgraf",
        2020,
        "When Explanations Lie: Why Many Modified BP Attributions Fail",
        "ICML",
        "https://arxiv.org/abs/1912.09818",
    ),
    requires=(varies,),
)
def random_logit(
    explain_another: ExplainAnother,
    images: HostImages,
    heatmaps: HostHeatmaps,
    *,
    seed: int = 0,
) -> Figures:
    r"""Compute how alike the maps of two classes are.

    $$\rho\big(M_c(x),\; M_{c'}(x)\big), \qquad c' \ne c$$

    Spearman's rank correlation, 0 if a map is the same everywhere; the paper takes the structural
    similarity. The other class lies as far from each image's own in the order of the classes, by a
    distance that the seed draws.

    Args:
        explain_another: Images and a seed to heatmaps of another class.
        images: Shape (batch, *size, channels).
        heatmaps: Shape (batch, *size).
        seed: The seed of the choice of the class.

    Returns:
        Shape (batch,); NaN of a map that is the same everywhere.

    Raises:
        TypeError: If an option has a wrong type.
        ValueError: If the heatmaps do not fit the images, the model has no second class, or an
            option has a wrong value.

    Example:
        >>> images, heat = np.ones((1, 2, 1)), np.array([[0.0, 1.0]])
        >>> random_logit(lambda x, seed: 1 - heat, images, heat).tolist()
        [-1.0]
    """
    check_alike(heatmaps, images=images)
    other = np.asarray(explain_another(images, number_in("seed", seed, 0)))
    return where(varies(heatmaps), rank_correlation(heatmaps, other))
