"""Fill in hidden pixels from those around them, so that they show no edge."""

from collections.abc import Sequence
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
_LOOSER = 16  # times the tolerance on coarser levels, which only give a start
_SINGLE = 1e-6  # a share of the range that single precision resolves


class Grid(NamedTuple):
    """A grid of a cycle.

    Attributes:
        unknown: 1 at unknown cells, else 0.
        whole: The sum of the weights of each cell's neighbours.
        part: What a residual is multiplied with for a step of Jacobi's method: unknown / whole.
    """

    unknown: Plane
    whole: Plane
    part: Plane


def filled(values: Planes, known: Known, tolerance: float = 1e-4) -> Planes:
    r"""Replace unknown pixels so that each is the weighted mean of its neighbours.

    Weights are 1/6 of the four nearest neighbours and 1/12 of the four diagonal ones; at a border,
    those within the image are scaled to a sum of 1. The linear system is solved by conjugate
    gradients, from the solution of one of half the size on; a cycle over all coarser grids corrects
    each step, so that large holes take hardly more steps than small ones.

    Args:
        values: Planes; what stands at unknown pixels does not matter.
        known: Which pixels are known; of each plane one at least.
        tolerance: The largest residual that is left, as a share of the range of the known values;
            above 1e-6, single precision is enough.

    Returns:
        The planes with all pixels known, float64.

    Example:
        >>> ramp = np.arange(5.0)[:, None, None] * np.ones((5, 5, 1))
        >>> known = np.ones((5, 5, 1), bool); known[2, 1:4] = False
        >>> filled(ramp, known)[2, :, 0].round(3)
        array([2., 2., 2., 2., 2.])
    """
    planes = [
        _filled_plane(values[..., place].astype(np.float64), known[..., place], tolerance)
        for place in range(values.shape[-1])
    ]
    return np.stack(planes, -1)


def _filled_plane(values: Plane, known: Mask, tolerance: float) -> Plane:
    if known.all():
        return values
    seen = values[known]
    middle = seen.mean()  # without it, single precision would round small differences away
    precision = np.float32 if tolerance > _SINGLE else np.float64
    around = np.where(known, values - middle, 0).astype(precision)
    enough = tolerance * max(np.ptp(seen), np.finfo(np.float64).tiny)
    return np.where(known, values, middle + _filled(around, known, enough))


def _filled(values: Plane, known: Mask, enough: float) -> Plane:
    """Fill in values that are 0 where they are not known."""
    height, width = values.shape
    if known.all():
        return values
    if min(height, width) >= 2 * _SMALL:
        start = _enlarged(_filled(*_halved(values, known), _LOOSER * enough), height, width)
    else:
        start = np.full_like(values, values.sum() / max(known.sum(), 1))
    return _solved(np.where(known, values, start), _grids(~known, values.dtype), enough)


def _solved(found: Plane, grids: Sequence[Grid], enough: float) -> Plane:
    """Solve (W - K) u = 0 at unknown pixels by conjugate gradients."""
    unknown, whole, _ = grids[0]
    residual = (_spread(found) - whole * found) * unknown
    corrected = _cycle(residual, grids)
    step, power = corrected, _dot(residual, corrected)
    for _ in range(_MOST):
        if np.abs(residual).max() <= enough:
            break
        through = whole * step - _spread(step) * unknown
        length = power / _dot(step, through)
        found = found + length * step
        residual = residual - length * through
        corrected = _cycle(residual, grids)
        # The correction is not quite symmetric: what it keeps of the step before is taken off.
        kept = length * _dot(through, corrected)
        before, power = power, _dot(residual, corrected)
        step = corrected - kept / before * step
    return found


def _dot(first: Plane, second: Plane) -> float:
    """Sum the products; the threads of a BLAS cost more than they bring here."""
    return float(np.einsum("ij,ij", first, second))


def _grids(unknown: Mask, precision: Any) -> list[Grid]:
    """Return the grids from the finest on; a coarse cell is unknown if all that it covers is."""
    found = []
    while True:
        whole = _spread(np.ones(unknown.shape, precision))
        found.append(Grid(unknown.astype(precision), whole, unknown / whole))
        if min(unknown.shape) < _SMALL or not unknown.any():
            return found
        even = _even(unknown, fill=True)
        unknown = even[::2, ::2] & even[1::2, ::2] & even[::2, 1::2] & even[1::2, 1::2]


def _cycle(residual: Plane, grids: Sequence[Grid]) -> Plane:
    """Solve roughly for the correction that a residual asks for, by one cycle over the grids."""
    unknown, _, part = grids[0]
    found = residual * part
    if len(grids) == 1:
        for _ in range(_ROUGH):
            found = _jacobi(residual, found, part)
        return found
    left = _even(_spread(found) * unknown)  # what the step leaves of the residual
    gathered = cv2.sepFilter2D(left, -1, _GATHER, _GATHER, borderType=cv2.BORDER_CONSTANT)
    coarse = _cycle(gathered[1::2, 1::2] * grids[1].unknown, grids[1:])
    found += _enlarged(coarse, *residual.shape) * unknown
    return _jacobi(residual, found, part)


def _jacobi(residual: Plane, found: Plane, part: Plane) -> Plane:
    """Improve a correction, which is 0 at known cells, by a step of Jacobi's method."""
    return (residual + _spread(found)) * part


def _even(values: Any, *, fill: bool = False) -> Any:
    """Add a row and a column, if that is needed, so that a grid halves without a rest."""
    height, width = values.shape
    if height % 2 == width % 2 == 0:
        return values
    return np.pad(values, ((0, height % 2), (0, width % 2)), constant_values=fill)


def _spread(values: Plane) -> Plane:
    return cv2.filter2D(values, -1, _WEIGHTS, borderType=cv2.BORDER_CONSTANT)


def _halved(values: Plane, known: Mask) -> tuple[np.ndarray, np.ndarray]:
    """Average the known pixels of blocks of 2 × 2; a block is known if one of its pixels is."""
    sums, counts = (
        even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]
        for even in map(_even, (values, known.astype(values.dtype)))
    )
    return sums / np.maximum(counts, 1), counts > 0


def _enlarged(values: Plane, height: int, width: int) -> np.ndarray:
    twice = cv2.resize(
        values, (2 * values.shape[1], 2 * values.shape[0]), interpolation=cv2.INTER_LINEAR
    )
    return np.asarray(twice[:height, :width])
