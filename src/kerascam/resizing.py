"""Resize grids of numbers by linear interpolation: NumPy arrays and tensors alike."""

from collections.abc import Sequence
from typing import Any, TypeAlias

from .arrays import Arrays

#: For each axis, where the first cell begins and how wide a cell is, both in new cells; negative
#: widths run backwards. None: the cells cover the whole axis.
Edges: TypeAlias = tuple[tuple[float, float] | None, ...]


def resize(grids: Any, size: Sequence[Any], xp: Arrays, edges: Edges | None = None) -> Any:
    r"""Resize the last axes by linear interpolation, corners not aligned.

    The new cell $i$ of $m$ lies at $s_i = (i + \tfrac12)\,n/m - \tfrac12$ of the old grid of $n$,
    kept inside it, and takes its value from the cells before and after it, by their distances.
    With edges $(b, w)$ it lies at $s_i = (i + \tfrac12 - b)/w - \tfrac12$, and is zero outside
    the old grid.

    Args:
        grids: Floats; its last axes are resized, as many as `size` has lengths.
        size: The new length of each of them.
        xp: The operations: `arrays.HOST` for NumPy arrays, `keras.ops` for tensors.
        edges: Where the old cells lie, if they do not cover the whole of each axis.

    Returns:
        The same kind of array in the same dtype, always a new one.

    Example:
        >>> import numpy as np
        >>> from kerascam.arrays import HOST
        >>> resize(np.array([[0.0, 1.0]]), [4], HOST).tolist()
        [[0.0, 0.25, 0.75, 1.0]]
        >>> resize(np.array([[1.0, 1.0]]), [4], HOST, edges=((1, 1),)).tolist()
        [[0.0, 1.0, 1.0, 0.0]]
    """
    rank, edges = len(grids.shape), edges or (None,) * len(size)
    for axis, length, edge in zip(range(rank - len(size), rank), size, edges, strict=True):
        # Whole rows are taken many times as fast as single numbers: so the axis goes to the front.
        grids = xp.moveaxis(_stretch(xp.moveaxis(grids, axis, 0), length, edge, xp), 0, axis)
    return grids


def _stretch(grids: Any, length: Any, edge: tuple[float, float] | None, xp: Arrays) -> Any:
    # One rounding for each operation, and no matrix product, whose sums each library rounds in an
    # order of its own.
    old = xp.shape(grids)[0]
    middles = xp.cast(xp.arange(length), "float64") + 0.5
    if edge is None:
        places = middles * (xp.cast(old, "float64") / xp.cast(length, "float64")) - 0.5
    else:
        begin, width = edge
        places = (middles - begin) / width - 0.5
    kept = xp.clip(places, 0, xp.cast(old - 1, "float64"))
    before = xp.floor(kept)
    share = _column(kept - before, grids, xp)
    before = xp.cast(before, "int32")
    after = xp.minimum(before + 1, old - 1)
    rows = xp.take(grids, before, 0) * (1 - share) + xp.take(grids, after, 0) * share
    if edge is None:
        return rows
    return rows * _column(xp.abs(places - kept) <= 0.5, grids, xp)


def _column(numbers: Any, grids: Any, xp: Arrays) -> Any:
    """Bring one number per row to the dtype of grids, and to as many axes."""
    return xp.reshape(xp.cast(numbers, grids.dtype), (-1, *[1] * (len(grids.shape) - 1)))
