"""How much of a map lies on the evidence: measures against a mask, baselines and intervals."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from scene_classification.evaluation.bootstrap import resampled_sums, with_interval
from scene_classification.evaluation.ratio import ratio


def share_inside(heatmaps: NDArray[np.floating], masks: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the share of each map's sum that lies inside its mask.

    share = Σ_mask map / Σ map: the energy-based pointing game of Wang et al. (2020, Score-CAM,
    arXiv:1910.01279), with a mask in place of their bounding box.

    Args:
        heatmaps: Evidence at each pixel, nowhere negative, shaped (images, height, width).
        masks: True where the image shows the evidence, shaped as `heatmaps`.

    Returns:
        Shaped (images,), between 0 and 1; NaN for a map that is zero everywhere.

    Raises:
        ValueError: If the shapes differ or a map holds a negative value or NaN.

    Example:
        >>> share_inside(np.array([[[3.0, 1.0]]]), np.array([[[True, False]]])).tolist()
        [0.75]
    """
    heat = _checked(heatmaps, masks)
    return ratio((heat * masks).sum((1, 2)), heat.sum((1, 2)))


def hits(
    heatmaps: NDArray[np.floating], masks: NDArray[np.bool_], tolerance: float = 0
) -> NDArray[np.float64]:
    """Return whether each map's maximum lies inside its mask: the pointing game.

    The game of Zhang et al. (2018, Excitation Backprop, arXiv:1608.00507). Where several pixels
    share the maximum, the result is the share of them that lies inside: the chance that one of
    them, picked blindly, is a hit.

    Args:
        heatmaps: Evidence at each pixel, nowhere negative, shaped (images, height, width).
        masks: True where the image shows the evidence, shaped as `heatmaps`.
        tolerance: A maximum this near to the mask is a hit as well, in pixels.

    Returns:
        Shaped (images,), 1 for a hit and 0 for a miss; NaN for a map that is zero everywhere.

    Raises:
        ValueError: If the shapes differ or a map holds a negative value or NaN.

    Example:
        >>> hits(np.array([[[3.0, 1.0]], [[2.0, 2.0]]]), np.array([[[True, False]]] * 2)).tolist()
        [1.0, 0.5]
    """
    heat = _checked(heatmaps, masks)
    maxima = (heat == heat.max((1, 2), keepdims=True)) & (heat > 0)
    near = _widened(masks, tolerance)
    return ratio((maxima & near).sum((1, 2)), maxima.sum((1, 2)))


def uniform(size: int) -> NDArray[np.float64]:
    """Return the map of a method that knows nothing: the same everywhere, shaped (size, size).

    Its share inside a mask, and its chance of a hit, is the mask's share of the image.
    """
    return np.ones((size, size))


def centered_gaussian(size: int, sigma: float | None = None) -> NDArray[np.float64]:
    """Return the map of a method that knows only where photographers aim: exp(−r² / 2σ²).

    Args:
        size: Height and width, in pixels.
        sigma: σ, in pixels; None: `size` / 4.

    Returns:
        Shaped (size, size), with r the distance from the image's center.
    """
    sigma = size / 4 if sigma is None else sigma
    offset = np.arange(size) - (size - 1) / 2
    return np.exp(-(offset[:, None] ** 2 + offset**2) / (2 * sigma**2))


def confidence_interval(
    values: NDArray[np.floating], seed: int, resamples: int = 2000
) -> dict[str, float | None]:
    """Return the mean of some values with its 95 % interval by the percentile bootstrap.

    Args:
        values: One value per image; NaN is left out.
        seed: The seed of the draws.
        resamples: How often the images are drawn anew.

    Returns:
        The mean as `"value"`, and `"low"` and `"high"`; all None where no value is left.
    """
    defined = np.asarray(values, np.float64)
    defined = defined[~np.isnan(defined)]
    if not len(defined):
        return with_interval(math.nan, defined)
    sums = resampled_sums(defined[:, None], resamples, seed)[:, 0]
    return with_interval(float(defined.mean()), sums / len(defined))


def _checked(heatmaps: NDArray[np.floating], masks: NDArray[np.bool_]) -> NDArray[np.float64]:
    if heatmaps.shape != masks.shape or heatmaps.ndim != 3:
        raise ValueError(
            f"heatmaps of shape {heatmaps.shape} and masks of shape {masks.shape} must both be "
            "(images, height, width); resize the masks to the maps, or add an axis with [None]"
        )
    if not (heatmaps >= 0).all():
        raise ValueError(
            f"heatmaps must be nowhere negative nor NaN, got a least value of {heatmaps.min()}; "
            "explain with normalize='max'"
        )
    return heatmaps.astype(np.float64)


def _widened(masks: NDArray[np.bool_], radius: float) -> NDArray[np.bool_]:
    """Return masks with all pixels within `radius` of them."""
    if radius < 0:
        raise ValueError(f"tolerance must be 0 pixels or more, got {radius}")
    reach = math.floor(radius)
    height, width = masks.shape[1:]
    padded = np.pad(masks, ((0, 0), (reach, reach), (reach, reach)))
    wide = np.zeros_like(masks)
    for down in range(-reach, reach + 1):
        for right in range(-reach, reach + 1):
            if down**2 + right**2 <= radius**2:
                top, left = reach + down, reach + right
                wide |= padded[:, top : top + height, left : left + width]
    return wide
