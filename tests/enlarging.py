"""Enlarge maps onto the part of the image that their cells cover, by matrices written by hand."""

from collections.abc import Sequence
from typing import Any

import numpy as np


def enlarged(maps: Any, size: Sequence[int], edges: Sequence[tuple[float, float]]) -> np.ndarray:
    """Enlarge maps of shape (batch, *grid) to (batch, *size), zero outside their cells.

    Args:
        maps: The maps.
        size: The image's.
        edges: For each axis, where the first cell begins and how wide a cell is, in pixels.
    """
    found = np.asarray(maps)
    for axis, (length, (begin, width)) in enumerate(zip(size, edges, strict=True), 1):
        cells = found.shape[axis]
        middles, pixels = begin + width * (np.arange(cells) + 0.5), np.arange(length) + 0.5
        hats = np.stack([np.interp(pixels, middles, unit) for unit in np.eye(cells)])
        hats[:, (pixels < begin) | (pixels > begin + width * cells)] = 0
        found = np.moveaxis(np.tensordot(found, hats.astype(found.dtype), (axis, 0)), -1, axis)
    return found
