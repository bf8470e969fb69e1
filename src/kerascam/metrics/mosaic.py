"""Focus: does the heat lie on those parts of a mosaic that show the class?"""

from typing import Any

import numpy as np
from jaxtyping import Num

from .._host_types import Explain, Figures, HostImages
from ..arguments import number_in
from ..arrays import as_type
from ..table import Citation
from .conditions import Flags, where
from .registry import METRICS


def has_others(others: np.ndarray) -> Flags:
    """No image of another class was given, of which a mosaic needs some."""
    return np.isfinite(others.reshape(len(others), -1)).all(1)


@METRICS.register(
    title="Focus",
    higher_is_better=True,
    bounds=(0, 1),
    citation=Citation(
        "Arias-Duart, Parés, Garcia-Gasulla and Giménez-Ábalos",
        2022,
        "Focus! Rating XAI Methods and Finding Biases",
        "FUZZ-IEEE",
        "https://arxiv.org/abs/2109.15035",
    ),
    requires=(has_others,),
)
def focus(
    explain: Explain,
    images: HostImages,
    others: Num[np.ndarray, "batch *size channels"],
    *,
    seed: int = 0,
) -> Figures:
    r"""Compute the share of a mosaic's heat that lies on the parts that show the class.

    $$\frac{\sum_{\text{target}} \max(0, M)}{\sum \max(0, M)}$$

    The mosaic has the image in two of four quarters, on a diagonal that the seed chooses, and an
    image of another class in the other two. The paper has four images, two of each kind; with one
    of each the figure is of that image. All are shrunk, so that the mosaic has the model's size.
    Along one axis there are two halves, along three eight parts, half of them of the class.

    Args:
        explain: Images to heatmaps, of the images' own classes.
        images: Shape (batch, *size, channels).
        others: Of the same shape: for each image one of another class.
        seed: The seed of the choice.

    Returns:
        Shape (batch,); NaN if there is no image of another class, or the mosaic's map has no heat.

    Raises:
        TypeError: If an option has a wrong type.
        ValueError: If an option has a wrong value.

    Example:
        >>> images, others = np.ones((1, 4, 4, 1)), np.zeros((1, 4, 4, 1))
        >>> focus(lambda x: x[..., 0], images, others).tolist()
        [1.0]
    """
    first = int(np.random.default_rng(number_in("seed", seed, 0)).integers(2))
    target = _checkerboard(images.shape[1:-1], first)
    known = has_others(others)
    filled = np.where(known.reshape(-1, *[1] * (images.ndim - 1)), others, 0)
    mosaics = np.where(target[..., None], _tiled(images), _tiled(filled))
    heat = np.maximum(np.asarray(explain(as_type(images.dtype, mosaics))), 0).astype(np.float64)
    flat = heat.reshape(len(heat), -1)
    total = flat.sum(1)
    found = (flat * target.ravel()).sum(1) / np.where(total > 0, total, 1)
    return where(known & (total > 0), found)


def _checkerboard(size: tuple[int, ...], first: int) -> np.ndarray:
    """Return where the target lies: halves of each axis, every other one."""
    parity = np.full([1] * len(size), first)
    for axis, length in enumerate(size):
        half = (np.arange(length) >= length // 2).astype(int)
        parity = parity + half.reshape(-1, *[1] * (len(size) - axis - 1))
    return parity % 2 == 0


def _tiled(images: HostImages) -> np.ndarray:
    """Shrink images to both halves of each axis."""
    found: Any = images.astype(np.float64)
    for axis in range(1, images.ndim - 1):
        length = images.shape[axis]
        halves = [_shrinking(length, part) for part in (length // 2, length - length // 2)]
        weights = np.concatenate(halves)
        found = np.moveaxis(np.tensordot(weights, found, ([1], [axis])), 0, axis)
    return found


def _shrinking(length: int, shorter: int) -> np.ndarray:
    """Return the weights, (shorter, length), that average over equal parts of an axis.

    Example:
        >>> _shrinking(3, 2).round(3).tolist()
        [[0.667, 0.333, 0.0], [0.0, 0.333, 0.667]]
    """
    edges = np.arange(shorter + 1) * length / max(shorter, 1)
    starts, ends = edges[:-1, None], edges[1:, None]
    places = np.arange(length)[None]
    shared = np.minimum(ends, places + 1) - np.maximum(starts, places)
    return np.maximum(shared, 0) / np.where(ends > starts, ends - starts, 1)
