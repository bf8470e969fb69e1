"""Fill in hidden pixels from those around them, so that they show no edge."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import cv2
import numpy as np
from jaxtyping import Bool, Float

Planes = Float[np.ndarray, "height width planes"]
Known = Bool[np.ndarray, "height width planes"]
Plane = Float[np.ndarray, "height width"]
Mask = Bool[np.ndarray, "height width"]

_MOST = 300  # steps on each level
_ROUGH = 8  # steps on the coarsest grid of a cycle
_SMALL = 8  # pixels along an axis below which a level is the coarsest
_WEIGHTS = np.array([[1, 2, 1], [2, 0, 2], [1, 2, 1]]) / 12
_GATHER = np.array([1, 3, 3, 1]) / 4  # along each axis: what enlarging spreads, gathered again


class Grid(NamedTuple):
    """A grid of a cycle, single precision.

    Attributes:
        unknown: 1 at unknown cells, else 0.
        whole: The sum of the weights of each cell's neighbours.
    """

    unknown: Plane
    whole: Plane


def filled(values: Planes, known: Known, tolerance: float = 1e-4) -> Planes:
    r"""Replace unknown pixels so that each is the weighted mean of its neighbours.

    Weights are 1/6 of the four nearest neighbours and 1/12 of the four diagonal ones; at a border,
    those within the image are scaled to a sum of 1. The linear system is solved by conjugate
    gradients, from the solution of one of half the size on; a cycle over all coarser grids corrects
    each step, so that large holes take hardly more steps than small ones.

    Args:
        values: Planes; what stands at unknown pixels does not matter.
        known: Which pixels are known; of each plane one at least.
        tolerance: The largest residual that is left, as a share of the range of the known values.

    Returns:
        The planes with all pixels known, float64.

    Example:
        >>> ramp = np.arange(5.0)[:, None, None] * np.ones((5, 5, 1))
        >>> known = np.ones((5, 5, 1), bool); known[2, 1:4] = False
        >>> filled(ramp, known)[2, :, 0]
        array([2., 2., 2., 2., 2.])
    """
    # One plane stays near its processor, and gives the same whatever lies beside it.
    planes = [
        np.ascontiguousarray(values[..., place], np.float64) for place in range(values.shape[-1])
    ]
    masks = [np.ascontiguousarray(known[..., place]) for place in range(values.shape[-1])]
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        found = threads.map(partial(_filled, tolerance=tolerance), planes, masks)
        return np.stack(list(found), -1)


def _filled(values: Plane, known: Mask, tolerance: float) -> Plane:
    values = np.where(known, values, 0.0)
    if known.all():
        return values
    height, width = values.shape
    if min(height, width) >= 2 * _SMALL:
        start = _enlarged(_filled(*_halved(values, known), tolerance), height, width)
    else:
        start = np.full(values.shape, values.sum() / max(known.sum(), 1))
    return _solved(values, known, np.where(known, values, start), tolerance)


def _solved(values: Plane, known: Mask, start: Plane, tolerance: float) -> Plane:
    """Solve (W - K) u = 0 at unknown pixels by conjugate gradients."""
    unknown = (~known).astype(np.float64)
    whole = _spread(np.ones_like(values))
    grids = _grids(~known)
    enough = tolerance * max(np.ptp(values[known]), np.finfo(np.float64).tiny)
    found = start.copy()
    residual = (_spread(found) - whole * found) * unknown
    corrected = _corrected(residual, grids)
    step, power = corrected, _dot(residual, corrected)
    for _ in range(_MOST):
        if np.abs(residual).max() <= enough:
            break
        through = (whole * step - _spread(step)) * unknown
        length = power / _dot(step, through)
        found += length * step
        residual -= length * through
        corrected = _corrected(residual, grids)
        # The correction is not quite symmetric: what it keeps of the step before is taken off.
        kept = length * _dot(through, corrected)
        before, power = power, _dot(residual, corrected)
        step = corrected - kept / before * step
    return found


def _dot(first: Plane, second: Plane) -> float:
    """Sum the products, in this thread: a library's own threads would wait for each other."""
    return float(np.einsum("ij,ij", first, second))


def _grids(unknown: Mask) -> list[Grid]:
    """Return the grids from the finest on; a coarse cell is unknown if all that it covers is."""
    found = []
    while True:
        ones = np.ones(unknown.shape, np.float32)
        found.append(Grid(unknown.astype(np.float32), _spread(ones)))
        if min(unknown.shape) < _SMALL or not unknown.any():
            return found
        even = np.pad(unknown, _to_even(unknown), constant_values=True)
        unknown = even[::2, ::2] & even[1::2, ::2] & even[::2, 1::2] & even[1::2, 1::2]


def _corrected(residual: Plane, grids: Sequence[Grid]) -> Plane:
    """Solve roughly for the correction that a residual asks for, by one cycle over the grids."""
    return _cycle(residual.astype(np.float32), grids).astype(np.float64)


def _cycle(residual: Plane, grids: Sequence[Grid]) -> Plane:
    grid = grids[0]
    found = residual / grid.whole
    if len(grids) == 1:
        for _ in range(_ROUGH):
            found += _left(residual, found, grid) / grid.whole
        return found
    left = _left(residual, found, grid)
    even = np.pad(left, _to_even(left))
    gathered = cv2.sepFilter2D(even, -1, _GATHER, _GATHER, borderType=cv2.BORDER_CONSTANT)
    coarse = _cycle(gathered[1::2, 1::2] * grids[1].unknown, grids[1:])
    found += _enlarged(coarse, *residual.shape) * grid.unknown
    return found + _left(residual, found, grid) / grid.whole


def _left(residual: Plane, found: Plane, grid: Grid) -> Plane:
    """Return the residual that a correction leaves."""
    return residual - (grid.whole * found - _spread(found)) * grid.unknown


def _to_even(values: Any) -> tuple[tuple[int, int], ...]:
    """Return what `np.pad` adds so that a grid halves without a rest."""
    height, width = values.shape
    return ((0, height % 2), (0, width % 2))


def _spread(values: Plane) -> Plane:
    return cv2.filter2D(values, -1, _WEIGHTS, borderType=cv2.BORDER_CONSTANT)


def _halved(values: Plane, known: Mask) -> tuple[np.ndarray, np.ndarray]:
    """Average the known pixels of blocks of 2 × 2; a block is known if one of its pixels is."""
    pads = _to_even(values)
    sums, counts = (
        even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]
        for even in (np.pad(each, pads) for each in (values, known.astype(np.float64)))
    )
    return sums / np.maximum(counts, 1), counts > 0


def _enlarged(values: Plane, height: int, width: int) -> np.ndarray:
    twice = cv2.resize(
        values, (2 * values.shape[1], 2 * values.shape[0]), interpolation=cv2.INTER_LINEAR
    )
    return np.asarray(twice[:height, :width])
