"""Fill in hidden pixels from those around them, so that they show no edge."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Bool, Float

Planes = Float[np.ndarray, "height width planes"]
Known = Bool[np.ndarray, "height width planes"]

_MOST = 300  # steps on each level
_ROUGH = 8  # steps on the coarsest grid of a cycle
_SMALL = 8  # pixels along an axis below which a level is the coarsest
_PLANES = 12  # at once, so that they stay near the processor
_WEIGHTS = np.array([[1, 2, 1], [2, 0, 2], [1, 2, 1]]) / 12
_GATHER = np.array([1, 3, 3, 1]) / 4  # along each axis: what enlarging spreads, gathered again


class Grid(NamedTuple):
    """A grid of a cycle, single precision.

    Attributes:
        unknown: 1 at unknown cells, else 0.
        whole: The sum of the weights of each cell's neighbours.
    """

    unknown: Float[np.ndarray, "height width planes"]
    whole: Float[np.ndarray, "height width planes"]


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
    parts = [
        _filled(values[..., first : first + _PLANES], known[..., first : first + _PLANES],
                tolerance)
        for first in range(0, values.shape[-1], _PLANES)
    ]  # fmt: skip
    return np.concatenate(parts, -1)


def _filled(values: Planes, known: Known, tolerance: float) -> Planes:
    values = np.where(known, values, 0.0).astype(np.float64)
    if known.all():
        return values
    height, width, _ = values.shape
    if min(height, width) >= 2 * _SMALL:
        start = _enlarged(_filled(*_halved(values, known), tolerance), height, width)
    else:
        mean = values.sum((0, 1)) / np.maximum(known.sum((0, 1)), 1)
        start = np.broadcast_to(mean, values.shape)
    return _solved(values, known, np.where(known, values, start), tolerance)


def _solved(values: Planes, known: Known, start: Planes, tolerance: float) -> Planes:
    """Solve (W - K) u = 0 at unknown pixels by conjugate gradients, each plane by itself."""
    unknown = (~known).astype(np.float64)
    whole = _spread(np.ones_like(values))
    grids = _grids(~known)
    most = np.where(known, values, -np.inf).max((0, 1))
    least = np.where(known, values, np.inf).min((0, 1))
    enough = tolerance * np.maximum(most - least, np.finfo(np.float64).tiny)
    found = start.copy()
    residual = (_spread(found) - whole * found) * unknown
    corrected = _corrected(residual, grids)
    step, power = corrected.copy(), (residual * corrected).sum((0, 1))
    for _ in range(_MOST):
        unsolved = np.abs(residual).max((0, 1)) > enough
        if not unsolved.any():
            break
        through = (whole * step - _spread(step)) * unknown
        curvature = (step * through).sum((0, 1))
        # A plane that is solved stays as it is, so that it is the same whatever lies beside it.
        length = np.where(unsolved, power / np.where(curvature > 0, curvature, 1), 0)
        found += length * step
        residual -= length * through
        corrected = _corrected(residual, grids)
        # The correction is not quite symmetric: what it keeps of the step before is taken off.
        kept = length * (through * corrected).sum((0, 1))
        before, power = power, (residual * corrected).sum((0, 1))
        step = corrected - kept / np.where(before > 0, before, 1) * step
    return found


def _grids(unknown: Known) -> list[Grid]:
    """Return the grids from the finest on; a coarse cell is unknown if all that it covers is."""
    found = []
    while True:
        ones = np.ones(unknown.shape, np.float32)
        found.append(Grid(unknown.astype(np.float32), _spread(ones)))
        height, width, planes = unknown.shape
        if min(height, width) < _SMALL:  # whatever the planes are, so that each is as alone
            return found
        even = np.pad(unknown, _to_even(unknown), constant_values=True)
        blocks = even.reshape(even.shape[0] // 2, 2, even.shape[1] // 2, 2, planes)
        unknown = np.asarray(blocks.all((1, 3)))


def _corrected(residual: Planes, grids: Sequence[Grid]) -> Planes:
    """Solve roughly for the correction that a residual asks for, by one cycle over the grids."""
    return _cycle(residual.astype(np.float32), grids).astype(np.float64)


def _cycle(residual: np.ndarray, grids: Sequence[Grid]) -> np.ndarray:
    grid = grids[0]
    found = residual / grid.whole
    if len(grids) == 1:
        for _ in range(_ROUGH):
            found += _left(residual, found, grid) / grid.whole
        return found
    left = _left(residual, found, grid)
    even = np.pad(left, _to_even(left))
    gathered = cv2.sepFilter2D(even, -1, _GATHER, _GATHER, borderType=cv2.BORDER_CONSTANT)
    coarse = _cycle(gathered.reshape(even.shape)[1::2, 1::2] * grids[1].unknown, grids[1:])
    found += _enlarged(coarse, *residual.shape[:2]) * grid.unknown
    return found + _left(residual, found, grid) / grid.whole


def _left(residual: np.ndarray, found: np.ndarray, grid: Grid) -> np.ndarray:
    """Return the residual that a correction leaves."""
    return residual - (grid.whole * found - _spread(found)) * grid.unknown


def _to_even(values: np.ndarray) -> tuple[tuple[int, int], ...]:
    """Return what `np.pad` adds so that a grid halves without a rest."""
    height, width, _ = values.shape
    return ((0, height % 2), (0, width % 2), (0, 0))


def _spread(values: Planes) -> Planes:
    return cv2.filter2D(values, -1, _WEIGHTS, borderType=cv2.BORDER_CONSTANT).reshape(values.shape)


def _halved(values: Planes, known: Known) -> tuple[np.ndarray, np.ndarray]:
    """Average the known pixels of blocks of 2 × 2; a block is known if one of its pixels is."""
    height, width, planes = values.shape
    pads = _to_even(values)
    sums, counts = (
        np.pad(each, pads)
        .reshape((height + 1) // 2, 2, (width + 1) // 2, 2, planes)
        .sum((1, 3))
        for each in (values, known.astype(np.float64))
    )  # fmt: skip
    return sums / np.maximum(counts, 1), counts > 0


def _enlarged(values: Planes, height: int, width: int) -> np.ndarray:
    twice = cv2.resize(
        values, (2 * values.shape[1], 2 * values.shape[0]), interpolation=cv2.INTER_LINEAR
    )
    return twice.reshape(2 * values.shape[0], 2 * values.shape[1], -1)[:height, :width]
