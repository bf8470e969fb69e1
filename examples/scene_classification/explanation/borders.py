"""What the maps of many photographs have in common: heat at the borders, and each class's mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import keras
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from kerascam import GradCAM
from kerascam.metrics import mass_in_mask
from scene_classification.evaluation.bootstrap import confidence_interval

#: The border is this share of each side, on every side.
BORDER = 1 / 8
BATCH = 64


class Common(NamedTuple):
    """What `common_maps` found.

    Attributes:
        border: The share of Grad-CAM's heat in the border, with its interval.
        area: The border's share of the picture: what a map that is the same everywhere has there.
        means: The mean map of each class, each map scaled to the sum 1, shaped
            (classes, height, width).
    """

    border: dict[str, float | None]
    area: float
    means: NDArray[np.float64]


def common_maps(
    network: keras.Model, images: NDArray[np.uint8], labels: NDArray[np.int64], seed: int
) -> Common:
    """Explain photographs by Grad-CAM for their true class, and see what their maps share.

    Args:
        network: A classifier that takes RGB 0–255.
        images: Shaped (images, side, side, 3).
        labels: The true class index of each.
        seed: The seed of the resamples of the interval.
    """
    cam = GradCAM(network)
    heat = np.concatenate(
        [
            np.asarray(
                cam(
                    images[start : start + BATCH].astype(np.float32),
                    labels[start : start + BATCH].tolist(),
                ).heatmaps
            )
            for start in range(0, len(images), BATCH)
        ]
    ).astype(np.float64)
    mask = border(heat.shape[1])
    shares = mass_in_mask(heat, np.broadcast_to(mask, heat.shape))
    sums = heat.sum((1, 2), keepdims=True)
    scaled = np.divide(heat, sums, out=np.zeros_like(heat), where=sums > 0)
    means = [scaled[labels == label].mean(0) for label in range(network.output_shape[-1])]
    return Common(confidence_interval(shares, seed=seed), float(mask.mean()), np.stack(means))


def border(side: int) -> NDArray[np.bool_]:
    """Return where the border of a square picture is.

    Example:
        >>> border(8).sum()  # 8 × 8 cells less 6 × 6 within
        np.int64(28)
    """
    width = round(BORDER * side)
    mask = np.ones((side, side), np.bool_)
    mask[width : side - width, width : side - width] = False
    return mask


def draw_means(means: NDArray[np.float64], classes: Sequence[str]) -> Figure:
    """Draw the mean map of each class, all on one scale."""
    figure = Figure(figsize=(1.5 * len(classes), 1.9), layout="constrained")
    grid = figure.subplots(1, len(classes), squeeze=False)[0]
    for axes, mean, name in zip(grid, means, classes, strict=True):
        axes.imshow(mean, cmap="inferno", vmin=0, vmax=float(means.max()))
        axes.set_title(name, fontsize=11)
        axes.set_axis_off()
    return figure
