"""Metrics of what a model says while whole regions are hidden in the order of a map."""

from typing import Any

import numpy as np

from .._host_types import Ask, Figures, HostHeatmaps, HostImages
from ..arguments import number_in
from ..table import Citation
from .cells import cells_of, sums_of
from .conditions import check_alike, varies, where
from .ordering import area, curve, ranks_of, start_of
from .registry import METRICS


@METRICS.register(
    title="IROF",
    higher_is_better=True,
    bounds=(0, 1),
    citation=Citation(
        "Rieger and Hansen",
        2020,
        "IROF: a low resource evaluation metric for explanation methods",
        "ICLR Workshop on AI for Affordable Healthcare",
        "https://arxiv.org/abs/2003.08747",
    ),
    requires=(varies,),
)
def irof(
    probability: Ask,
    images: HostImages,
    heatmaps: HostHeatmaps,
    *,
    cells: int = 8,
    baseline: Any = "mean",
) -> Figures:
    r"""Integrate the share of the probability that is lost while the hottest regions are hidden.

    $$1 - \int_0^1 \min\Big(1, \frac{p(x^{(s)})}{p(x)}\Big)\, ds$$

    $s$ is the share of the regions that are hidden, in the order of their mean heat. The paper's
    regions are superpixels of SLIC; here they are the cells of a grid, which depend on no other
    library and are alike in all images. Cells of equal heat keep the order of their index.

    Args:
        probability: Copies of the images to probabilities.
        images: Shape (batch, *size, channels).
        heatmaps: Shape (batch, *size).
        cells: How many cells there are along each axis.
        baseline: What a hidden cell shows, as for `deletion`; the mean colour in the paper.

    Returns:
        Shape (batch,); NaN of a map that is the same everywhere.

    Raises:
        TypeError: If an option has a wrong type.
        ValueError: If the heatmaps do not fit the images, or an option has a wrong value.

    Example:
        >>> image, heat = np.array([[[1.0], [0.0]]]), np.array([[1.0, 0.0]])
        >>> irof(lambda x: x.sum((-2, -1)), image, heat, baseline=0.0).tolist()
        [0.75]
    """
    check_alike(heatmaps, images=images)
    labels = cells_of(images.shape[1:-1], number_in("cells", cells, 1))
    pixels = np.bincount(labels.ravel())
    ranks = ranks_of(sums_of(heatmaps, labels) / pixels)[:, labels.ravel()]
    counts = np.arange(len(pixels) + 1)
    values = curve(probability, images, start_of(baseline, images), ranks, counts)
    fine = values[0] != 0
    shares = np.minimum(values / np.where(fine, values[0], 1), 1)
    return where(varies(heatmaps) & fine, 1 - area(shares, counts))
