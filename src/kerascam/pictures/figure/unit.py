"""Heatmaps of any scale, as pictures draw them: within [-1, 1]."""

import numpy as np

from .rows import STRONGEST

BRIGHT_PERCENTILE = 99


def in_unit(heatmaps: np.ndarray, *, of_pixels: bool, scaled: bool) -> tuple[np.ndarray, str]:
    """Give the heatmaps as pictures draw them, within [-1, 1], and what 1 stands for there.

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
    strength, places = np.abs(heat), tuple(range(1, heat.ndim))
    if of_pixels:
        # A value of the map itself, not one between two: the same wherever it is drawn.
        bright = np.percentile(strength, BRIGHT_PERCENTILE, places, method="higher", keepdims=True)
        bright = np.where(bright > 0, bright, strength.max(places, keepdims=True, initial=0))
        heat = np.clip(heat / np.where(bright > 0, bright, 1), -1, 1)
        return heat, f"1: the {BRIGHT_PERCENTILE}th percentile"
    if scaled and not (strength > 1).any():
        return heat, STRONGEST
    top = float(strength.max(initial=0)) or 1.0
    return heat / top, f"1 stands for {top:.3g}"
