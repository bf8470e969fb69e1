"""Heatmaps of any scale, as pictures draw them: within [-1, 1]."""

from typing import Any

import numpy as np

from ...arrays import HOST, Arrays
from .rows import STRONGEST

BRIGHT_PERCENTILE = 99


def in_unit(heatmaps: np.ndarray, *, of_pixels: bool, scaled: bool) -> tuple[np.ndarray, str]:
    """Return the heatmaps as pictures draw them, within [-1, 1], and what 1 stands for there.

    A few pixels hold the maximum of a gradient method's heatmap and would leave the rest dark, so
    that such pictures are drawn up to its 99th percentile (as in the SmoothGrad paper).

    Args:
        heatmaps: Shape (batch, *size); left as they are.
        of_pixels: Whether a gradient method made them.
        scaled: Whether each is scaled to 1.

    Returns:
        Shape (batch, *size), float32, and a few words.

    Example:
        >>> in_unit(np.array([[0.0, 4.0]]), of_pixels=False, scaled=False)
        (array([[0., 1.]], dtype=float32), '1 stands for 4')
    """
    heat = heatmaps.astype(np.float32)
    strength = np.abs(heat)
    if of_pixels:
        return brightened(heat, HOST), f"1: the {BRIGHT_PERCENTILE}th percentile"
    if scaled and not (strength > 1).any():
        return heat, STRONGEST
    top = float(strength.max(initial=0)) or 1.0
    return heat / top, f"1 stands for {top:.3g}"


def brightened(heat: Any, xp: Arrays) -> Any:
    """Draw each heatmap up to the percentile: beyond it, all is as bright.

    Args:
        heat: Shape (batch, *size), floats.
        xp: The operations on arrays of their kind.

    Returns:
        The same shape, within [-1, 1]; up to the maximum if the percentile is 0.

    Example:
        >>> brightened(np.array([[0.0, 2.0, 4.0]]), HOST)
        array([[0. , 0.5, 1. ]])
    """
    strength = xp.reshape(xp.abs(heat), (xp.shape(heat)[0], -1))
    count = xp.shape(strength)[1]
    # A value of the map itself, not one between two: the same wherever it is drawn.
    share = xp.cast(count - 1, "float64") * (BRIGHT_PERCENTILE / 100)
    largest = xp.top_k(strength, count - xp.cast(xp.ceil(share), "int32"))[0]
    top = xp.where(largest[:, -1] > 0, largest[:, -1], largest[:, 0])
    top = xp.reshape(xp.where(top > 0, top, xp.ones_like(top)), (-1, *[1] * (len(heat.shape) - 1)))
    return xp.clip(heat / top, -1, 1)
