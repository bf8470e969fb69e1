"""What happens to a map after it is computed: resize, normalise, fuse, and say how it came out."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

import keras
from keras import ops

from . import resizing
from ._types import Basis, Heatmaps, Maps, Scores, Statuses
from .errors import brief
from .statuses import LOST, NO_EVIDENCE, OK, ZERO_ACTIVATIONS, ZERO_GRADIENT
from .statuses import NOT_FINITE as NOT_FINITE
from .statuses import STATUSES as STATUSES

Normalization = Literal["max", "minmax", "signed", "none"]


def resize(
    maps: Maps,
    size: Sequence[Any],
    edges: resizing.Edges | None = None,
    shifts: Sequence[float] | None = None,
) -> Heatmaps:
    """Resize maps of any number of grid axes by linear interpolation, corners not aligned.

    In two dimensions this is `tf.image.resize` and OpenCV's `INTER_LINEAR`; the formula is that of
    `resizing.resize`, which pictures are drawn with too.

    Args:
        maps: Shape (batch, *grid).
        size: The new length of each grid axis.
        edges: For each of them, where the first cell begins and how wide a cell is, in new cells;
            it is zero outside. None, also for one axis: the map covers all of it.
        shifts: For each of them, how far what a cell shows lies from the cell, in new cells.

    Returns:
        Shape (batch, *size).

    Example:
        >>> resize(ops.array([[0.0, 1.0]]), [4]).numpy().tolist()
        [[0.0, 0.25, 0.75, 1.0]]
    """
    if len(size) != len(maps.shape) - 1:
        raise ValueError(f"size must have a length for each grid axis of {maps.shape}, got {size}")
    return resizing.resize(maps, size, keras.ops, edges, shifts)


def along(maps: Maps, axes: int) -> Heatmaps:
    """Take the mean over the grid's axes after the first `axes`, which are the layer's own.

    Args:
        maps: Shape (batch, *grid).
        axes: How many axes of the grid run along the image.

    Returns:
        Shape (batch, *grid) with that many axes of the grid.

    Example:
        >>> along(ops.array([[[1.0, 3.0], [0.0, 4.0]]]), 1).numpy().tolist()
        [[2.0, 2.0]]
    """
    over = grid_axes(maps)[axes:]
    return ops.mean(maps, over) if over else maps


def grid_axes(maps: Any, *, features: bool = False) -> list[int]:
    """List the axes between the batch axis and the feature axis, if there is one."""
    return list(range(1, len(maps.shape) - features))


def _by_maximum(maps: Maps) -> Maps:
    maps = ops.relu(maps)
    return ops.divide_no_nan(maps, ops.max(maps, grid_axes(maps), keepdims=True))


def _by_range(maps: Maps) -> Maps:
    low = ops.min(maps, grid_axes(maps), keepdims=True)
    high = ops.max(maps, grid_axes(maps), keepdims=True)
    # By halves, which changes no digit: the range itself may be more than a number can hold.
    return ops.divide_no_nan(maps / 2 - low / 2, high / 2 - low / 2)


def _by_magnitude(maps: Maps) -> Maps:
    return ops.divide_no_nan(maps, ops.max(ops.abs(maps), grid_axes(maps), keepdims=True))


_NORMALIZERS: dict[str, Callable[[Maps], Maps]] = {
    "max": _by_maximum,
    "minmax": _by_range,
    "signed": _by_magnitude,
    "none": lambda maps: maps,
}


def check_normalization(normalize: str) -> None:
    """Raise a ValueError if `normalize` is not one of the known ways."""
    if not isinstance(normalize, str) or normalize not in _NORMALIZERS:  # type: ignore[redundant-expr]
        known = ", ".join(repr(name) for name in get_args(Normalization))
        raise ValueError(f"normalize must be one of {known}, not {brief(normalize)}")


def normalize(maps: Maps, how: str = "max") -> Maps:
    """Scale each image's map on its own.

    Args:
        maps: Shape (batch, *grid).
        how: "max" drops evidence against and divides by the maximum, so that zero stays
            "no evidence" and the strongest place is 1; "minmax" stretches minimum to maximum
            over [0, 1]; "signed" divides by the largest magnitude, giving [-1, 1]; "none"
            leaves the values as they are.

    Returns:
        Shape (batch, *grid). A map without evidence comes out as zeros, never as NaN.

    Example:
        >>> normalize(ops.array([[-2.0, 0.0, 4.0]])).numpy().tolist()
        [[0.0, 0.0, 1.0]]
        >>> normalize(ops.array([[-2.0, 0.0, 4.0]]), "signed").numpy().tolist()
        [[-0.5, 0.0, 1.0]]
    """
    return _NORMALIZERS[how](maps)


def mean(heatmaps: Sequence[Heatmaps], cells: Sequence[int | Any]) -> Heatmaps:
    """Fuse the heatmaps of several layers by their mean.

    Args:
        heatmaps: One per layer, each of shape (batch, *size) and already scaled.
        cells: How many cells each layer's own grid has; not used here.

    Returns:
        Shape (batch, *size).
    """
    del cells
    return ops.sum(ops.stack(list(heatmaps)), 0) / len(heatmaps)


def finite_or_zero(maps: Maps) -> Maps:
    """Replace a whole map by zeros if any of its values is NaN or infinite."""
    finite = ops.reshape(is_finite(maps), [-1] + [1] * len(grid_axes(maps)))
    return ops.where(finite, maps, ops.zeros_like(maps))


def is_finite(maps: Maps) -> Any:
    """Tell of each image whether all its values are finite; shape (batch,)."""
    return ops.all(ops.isfinite(maps), grid_axes(maps))


def status(maps: Maps, activations: Basis, gradients: Basis) -> Statuses:
    """Say of each image's raw map whether it shows evidence, and if not, why.

    Args:
        maps: Shape (batch, *grid), as the method gave them.
        activations: Shape (batch, *cells, features): what the maps were made from.
        gradients: Shape (batch, *cells, features).

    Returns:
        Shape (batch,): indices into `STATUSES`.
    """
    per_feature = list(range(1, len(activations.shape)))
    codes = ops.full((ops.shape(maps)[0],), NO_EVIDENCE, dtype="int32")
    for code, holds in (
        (ZERO_GRADIENT, ops.all(gradients == 0, per_feature)),
        (ZERO_ACTIVATIONS, ops.all(activations == 0, per_feature)),
        (OK, ops.any(maps > 0, grid_axes(maps))),
        (NOT_FINITE, ~is_finite(maps)),
    ):
        codes = ops.where(holds, code, codes)
    return codes


def of_answer(codes: Statuses, heatmaps: Heatmaps, numbers: Sequence[Scores]) -> Statuses:
    """Bring the statuses of raw maps to those of what is returned with them.

    Args:
        codes: Shape (batch,), as `status` returns them.
        heatmaps: Shape (batch, *size), before a whole one is replaced by zeros.
        numbers: Shape (batch,) each: what must be finite too, such as the scores.

    Returns:
        Shape (batch,): "ok" only if the heatmap is not zero everywhere and all is finite.
    """
    shown = ops.any(heatmaps != 0, grid_axes(heatmaps))
    codes = ops.where((codes == OK) & ~shown, LOST, codes)
    for each in (heatmaps, *numbers):
        codes = ops.where(is_finite(each), codes, NOT_FINITE)
    return codes
