"""Metrics of a map against a mask: where an image shows the evidence is known."""

import math

import numpy as np

from .._host_types import Figures, HostHeatmaps, HostMasks
from ..table import Citation
from .conditions import check_alike, check_share, marked, marked_in_part, shows_evidence, where
from .registry import METRICS

CLEVR_XAI = Citation(
    "Arras, Osman and Samek",
    2022,
    "CLEVR-XAI: A benchmark dataset for the ground truth evaluation of neural network explanations",
    "Information Fusion",
    "https://arxiv.org/abs/2003.07258",
)


@METRICS.register(
    title="Pointing game",
    higher_is_better=True,
    bounds=(0, 1),
    citation=Citation(
        "Zhang, Bargal, Lin, Brandt, Shen and Sclaroff",
        2018,
        "Top-down Neural Attention by Excitation Backprop",
        "International Journal of Computer Vision",
        "https://arxiv.org/abs/1608.00507",
    ),
    requires=(marked, shows_evidence),
)
def pointing_game(heatmaps: HostHeatmaps, masks: HostMasks, *, tolerance: float = 0) -> Figures:
    r"""Tell whether the map's maximum lies in the mask, or near it.

    $$\mathbb{1}\Big[\min_{m \in \text{mask}} \|\arg\max M - m\| \le t\Big]$$

    If several pixels share the maximum, it is the share of them that hit: the chance that one of
    them, picked blindly, does. The paper takes $t = 15$ pixels on photographs of some 500; here it
    is 0 unless you say so, as images of a model are small.

    Args:
        heatmaps: Shape (batch, *size).
        masks: Shape (batch, *size).
        tolerance: How far from the mask a maximum may lie, in pixels.

    Returns:
        Shape (batch,); NaN if the mask is empty, or the map nowhere above zero.

    Raises:
        ValueError: If the shapes differ, or an option has a wrong value.

    Example:
        >>> heat = np.array([[3.0, 1.0, 0.0], [2.0, 2.0, 0.0], [1.0, 0.0, 2.0]])
        >>> pointing_game(heat, np.array([[True, False, False]] * 3)).tolist()
        [1.0, 0.5, 0.0]
    """
    check_alike(heatmaps, masks=masks)
    if not 0 <= tolerance < math.inf:
        raise ValueError(f"tolerance must be 0 pixels or more, and finite, not {tolerance}")
    heat = heatmaps.reshape(len(heatmaps), -1)
    strongest = heat == heat.max(1, keepdims=True)
    near = _widened(masks, tolerance).reshape(heat.shape)
    found = (strongest & near).sum(1) / strongest.sum(1)
    return where(marked(masks) & shows_evidence(heatmaps), found)


@METRICS.register(
    title="Mass in mask",
    higher_is_better=True,
    bounds=(0, 1),
    citation=CLEVR_XAI,
    requires=(marked, shows_evidence),
)
def mass_in_mask(heatmaps: HostHeatmaps, masks: HostMasks) -> Figures:
    r"""Compute the share of the map's positive heat that lies in the mask.

    $$\frac{\sum_{\text{mask}} \max(0, M)}{\sum \max(0, M)}$$

    The paper's relevance mass accuracy, and the energy-based pointing game of Wang et al. (2020,
    Score-CAM, arXiv:1910.01279) with a mask in place of their box. A map that is the same
    everywhere has the mask's share of the image.

    Args:
        heatmaps: Shape (batch, *size).
        masks: Shape (batch, *size).

    Returns:
        Shape (batch,); NaN if the mask is empty, or the map nowhere above zero.

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> mass_in_mask(np.array([[3.0, 1.0, -8.0]]), np.array([[True, False, False]])).tolist()
        [0.75]
    """
    check_alike(heatmaps, masks=masks)
    heat = np.maximum(heatmaps.reshape(len(heatmaps), -1).astype(np.float64), 0)
    total = heat.sum(1)
    inside = (heat * masks.reshape(heat.shape)).sum(1)
    return where(marked(masks) & (total > 0), inside / np.where(total > 0, total, 1))


@METRICS.register(
    title="Rank accuracy",
    higher_is_better=True,
    bounds=(0, 1),
    citation=CLEVR_XAI,
    requires=(marked,),
)
def rank_accuracy(heatmaps: HostHeatmaps, masks: HostMasks) -> Figures:
    r"""Compute the share of the strongest pixels, as many as the mask has, that lie in it.

    $$\frac{|\text{top}_K(M) \cap \text{mask}|}{K}, \qquad K = |\text{mask}|$$

    Pixels that tie for the last places count by their chance of one, whatever their order; a map
    that is the same everywhere has the mask's share of the image.

    Args:
        heatmaps: Shape (batch, *size).
        masks: Shape (batch, *size).

    Returns:
        Shape (batch,); NaN if the mask is empty.

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> mask = np.array([[True, False, True]])
        >>> rank_accuracy(np.array([[3.0, 1.0, 0.0]]), mask).tolist()
        [0.5]
    """
    check_alike(heatmaps, masks=masks)
    heat, inside = heatmaps.reshape(len(heatmaps), -1), masks.reshape(len(masks), -1)
    wanted = inside.sum(1)
    last = np.take_along_axis(-np.sort(-heat, axis=1), np.maximum(wanted - 1, 0)[:, None], 1)
    above, tied = heat > last, heat == last
    chance = (wanted - above.sum(1)) / tied.sum(1)
    hits = (above & inside).sum(1) + chance * (tied & inside).sum(1)
    return where(marked(masks), hits / np.maximum(wanted, 1))


@METRICS.register(
    title="AUC",
    higher_is_better=True,
    bounds=(0, 1),
    citation=Citation(
        "Fawcett",
        2006,
        "An introduction to ROC analysis",
        "Pattern Recognition Letters",
        "https://doi.org/10.1016/j.patrec.2005.10.010",
    ),
    requires=(marked_in_part,),
)
def auc(heatmaps: HostHeatmaps, masks: HostMasks) -> Figures:
    r"""Compute the chance that a pixel in the mask has more heat than one outside.

    $$P(M_i > M_j) + \tfrac12 P(M_i = M_j), \qquad i \in \text{mask},\; j \notin \text{mask}$$

    The area under the ROC curve of the map as a detector of the mask.

    Args:
        heatmaps: Shape (batch, *size).
        masks: Shape (batch, *size).

    Returns:
        Shape (batch,); NaN if the mask is empty, or covers the image.

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> auc(np.array([[3.0, 1.0, 1.0]]), np.array([[True, True, False]])).tolist()
        [0.75]
    """
    check_alike(heatmaps, masks=masks)
    pairs = zip(heatmaps.reshape(len(heatmaps), -1), masks.reshape(len(masks), -1), strict=True)
    return where(marked_in_part(masks), np.array([_chance_of_more(*pair) for pair in pairs]))


@METRICS.register(
    title="IoU",
    higher_is_better=True,
    bounds=(0, 1),
    citation=Citation(
        "Zhou, Khosla, Lapedriza, Oliva and Torralba",
        2016,
        "Learning Deep Features for Discriminative Localization",
        "CVPR",
        "https://arxiv.org/abs/1512.04150",
    ),
    requires=(marked, shows_evidence),
)
def iou(heatmaps: HostHeatmaps, masks: HostMasks, *, threshold: float = 0.2) -> Figures:
    r"""Compare the mask with where the map is above a share of its maximum.

    $$\frac{|H \cap \text{mask}|}{|H \cup \text{mask}|}, \qquad H = \{M \ge \tau \max M\}$$

    The paper takes 20 % of the maximum, and the box around the largest connected part of $H$
    against a box; here it is all of $H$ against the mask.

    Args:
        heatmaps: Shape (batch, *size).
        masks: Shape (batch, *size).
        threshold: τ, above 0.

    Returns:
        Shape (batch,); NaN if the mask is empty, or the map nowhere above zero.

    Raises:
        ValueError: If the shapes differ, or an option has a wrong value.

    Example:
        >>> iou(np.array([[3.0, 1.0, 0.0]]), np.array([[True, False, False]])).tolist()
        [0.5]
    """
    check_alike(heatmaps, masks=masks)
    check_share("threshold", threshold)
    heat, inside = heatmaps.reshape(len(heatmaps), -1), masks.reshape(len(masks), -1)
    hot = (heat >= threshold * heat.max(1, keepdims=True)) & (heat > 0)
    either = (hot | inside).sum(1)
    found = (hot & inside).sum(1) / np.maximum(either, 1)
    return where(marked(masks) & shows_evidence(heatmaps), found)


def _chance_of_more(heat: np.ndarray, inside: np.ndarray) -> float:
    """Return the chance for one map; 0 if there is no pair of pixels."""
    _, places = np.unique(heat, return_inverse=True)
    within = np.bincount(places[inside], minlength=places.max() + 1)
    outside = np.bincount(places[~inside], minlength=len(within))
    below = np.cumsum(outside) - outside
    return float(within @ (below + outside / 2) / max(within.sum() * outside.sum(), 1))


def _widened(masks: HostMasks, radius: float) -> HostMasks:
    """Return masks with all pixels within a radius of them."""
    if radius < 1:
        return masks
    import cv2

    if masks.ndim != 3:
        raise ValueError(
            f"tolerance must be 0 for masks that have not two axes; received {radius} and masks of "
            f"shape {masks.shape}"
        )
    # The distance to the nearest zero, exact: of the mask's complement.
    far = [
        cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        if mask.any()
        else np.full(mask.shape, np.inf)
        for mask in masks
    ]
    return np.stack(far) <= radius * (1 + 1e-6)  # of single precision
