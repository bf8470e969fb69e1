"""Resize grids of numbers by linear interpolation: NumPy arrays and tensors alike."""

from collections.abc import Sequence
from typing import Any

from .arrays import Arrays


def resize(grids: Any, size: Sequence[Any], xp: Arrays) -> Any:
    r"""Resize the last axes by linear interpolation, corners not aligned.

    The new cell $i$ of $m$ lies at $s_i = (i + \tfrac12)\,n/m - \tfrac12$ of the old grid of $n$,
    kept inside it, and takes its value from the cells before and after it, by their distances.

    Args:
        grids: Floats; its last axes are resized, as many as `size` has lengths.
        size: The new length of each of them.
        xp: The operations: `arrays.HOST` for NumPy arrays, `keras.ops` for tensors.

    Returns:
        The same kind of array in the same dtype, always a new one.

    Example:
        >>> import numpy as np
        >>> from kerascam.arrays import HOST
        >>> resize(np.array([[0.0, 1.0]]), [4], HOST).tolist()
        [[0.0, 0.25, 0.75, 1.0]]
    """
    rank = len(grids.shape)
    for axis, length in zip(range(rank - len(size), rank), size, strict=True):
        # Whole rows are taken many times as fast as single numbers: so the axis goes to the front.
        grids = xp.moveaxis(_stretch(xp.moveaxis(grids, axis, 0), length, xp), 0, axis)
    return grids


def _stretch(grids: Any, length: Any, xp: Arrays) -> Any:
    # One rounding for each operation, and no matrix product, whose sums each library rounds in an
    # order of its own.
    old = xp.shape(grids)[0]
    scale = xp.cast(old, "float64") / xp.cast(length, "float64")
    places = (xp.cast(xp.arange(length), "float64") + 0.5) * scale - 0.5
    places = xp.clip(places, 0, xp.cast(old - 1, "float64"))
    before = xp.floor(places)
    share = xp.reshape(xp.cast(places - before, grids.dtype), (-1, *[1] * (len(grids.shape) - 1)))
    before = xp.cast(before, "int32")
    after = xp.minimum(before + 1, old - 1)
    return xp.take(grids, before, 0) * (1 - share) + xp.take(grids, after, 0) * share
