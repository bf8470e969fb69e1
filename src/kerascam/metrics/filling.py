"""Fill in hidden pixels from those around them, so that they show no edge."""

import cv2
import numpy as np
from jaxtyping import Bool, Float

Planes = Float[np.ndarray, "height width planes"]
Known = Bool[np.ndarray, "height width planes"]

_MOST = 300  # steps on each level
_SMALL = 8  # pixels along an axis below which a level is the coarsest
_PLANES = 128  # at once; OpenCV takes 512 at most
_WEIGHTS = np.array([[1, 2, 1], [2, 0, 2], [1, 2, 1]]) / 12


def filled(values: Planes, known: Known, tolerance: float = 1e-4) -> Planes:
    r"""Replace unknown pixels so that each is the weighted mean of its neighbours.

    Weights are 1/6 of the four nearest neighbours and 1/12 of the four diagonal ones; at a border,
    those within the image are scaled to a sum of 1. The linear system is solved by conjugate
    gradients, from the solution of one of half the size on.

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
    most = np.where(known, values, -np.inf).max((0, 1))
    least = np.where(known, values, np.inf).min((0, 1))
    enough = tolerance * np.maximum(most - least, np.finfo(np.float64).tiny)
    found = start.copy()
    residual = (_spread(found) - whole * found) * unknown
    conditioned = residual / whole
    step, power = conditioned.copy(), (residual * conditioned).sum((0, 1))
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
        conditioned = residual / whole
        before, power = power, (residual * conditioned).sum((0, 1))
        step = conditioned + power / np.where(before > 0, before, 1) * step
    return found


def _spread(values: Planes) -> Planes:
    return cv2.filter2D(values, -1, _WEIGHTS, borderType=cv2.BORDER_CONSTANT).reshape(values.shape)


def _halved(values: Planes, known: Known) -> tuple[np.ndarray, np.ndarray]:
    """Average the known pixels of blocks of 2 × 2; a block is known if one of its pixels is."""
    height, width, planes = values.shape
    pads = ((0, height % 2), (0, width % 2), (0, 0))
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
