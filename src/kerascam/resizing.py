"""Resize grids of numbers by linear interpolation: NumPy arrays and tensors alike."""

from collections.abc import Sequence
from typing import Any, TypeAlias

from .arrays import HOST, Arrays

#: For each axis, where the first cell begins and how wide a cell is, both in new cells; negative
#: widths run backwards. None: the cells cover the whole axis.
Edges: TypeAlias = tuple[tuple[float, float] | None, ...]


def resize(
    grids: Any,
    size: Sequence[Any],
    xp: Arrays,
    edges: Edges | None = None,
    shifts: Sequence[float] | None = None,
) -> Any:
    r"""Resize the last axes by linear interpolation, corners not aligned.

    The new cell $i$ of $m$ lies at $s_i = (i + \tfrac12)\,n/m - \tfrac12$ of the old grid of $n$,
    kept inside it, and takes its value from the cells before and after it, by their distances.
    With edges $(b, w)$ it lies at $s_i = (i + \tfrac12 - b)/w - \tfrac12$, and is zero outside
    the old grid. What lies off by shifts $d$ is taken from there: $s_i$ is that of $i - d$, and the
    part of the axis that the old grid covers stays the same.

    Args:
        grids: Floats; its last axes are resized, as many as `size` has lengths.
        size: The new length of each of them.
        xp: The operations: `arrays.HOST` for NumPy arrays, `keras.ops` for tensors.
        edges: Where the old cells lie, if they do not cover the whole of each axis.
        shifts: For each axis, how far what a cell shows lies from the cell, in new cells.

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
    rank, edges, shifts = (
        len(grids.shape),
        edges or (None,) * len(size),
        shifts or [0.0] * len(size),
    )
    axes = range(rank - len(size), rank)
    for axis, length, edge, shift in zip(axes, size, edges, shifts, strict=True):
        # Whole rows are taken many times as fast as single numbers: so the axis goes to the front.
        rows = _stretch(xp.moveaxis(grids, axis, 0), length, edge, shift, xp)
        grids = xp.moveaxis(rows, 0, axis)
    return grids


def _stretch(
    grids: Any, length: Any, edge: tuple[float, float] | None, shift: float, xp: Arrays
) -> Any:
    # One rounding for each operation, and no matrix product, whose sums each library rounds in an
    # order of its own.
    old = xp.shape(grids)[0]
    # Lengths known beforehand need no operations in a graph: a quarter of a small one's trace.
    known = isinstance(old, int) and isinstance(length, int)
    where = HOST if known else xp
    before, after, share, inside = _places(old, length, edge, shift, where)
    share = _column(share, grids, where, xp)
    rows = xp.take(grids, before, 0) * (1 - share) + xp.take(grids, after, 0) * share
    return rows if inside is None else rows * _column(inside, grids, where, xp)


def _places(
    old: Any, length: Any, edge: tuple[float, float] | None, shift: float, xp: Arrays
) -> Any:
    """Return of each new cell the old ones before and after it, the latter's share, and "inside".

    The last is None without edges: then all are.
    """
    middles = xp.cast(xp.arange(length), "float64") + 0.5
    if edge is None:
        per_cell = xp.cast(old, "float64") / xp.cast(length, "float64")
        places, step = middles * per_cell - 0.5, shift * per_cell
    else:
        begin, width = edge
        places, step = (middles - begin) / width - 0.5, shift / width
    last = xp.cast(old - 1, "float64")
    inside = None if edge is None else xp.abs(places - xp.clip(places, 0, last)) <= 0.5
    kept = xp.clip(places - step if shift else places, 0, last)
    floor = xp.floor(kept)
    before = xp.cast(floor, "int32")
    return before, xp.minimum(before + 1, old - 1), kept - floor, inside


def _column(numbers: Any, grids: Any, where: Arrays, xp: Arrays) -> Any:
    """Bring one number per row to the dtype of grids, and to as many axes."""
    return xp.cast(where.reshape(numbers, (-1, *[1] * (len(grids.shape) - 1))), grids.dtype)
