"""Scores of a region: what a target means if the output has a grid, as in segmentation."""

from typing import Any

import keras
import numpy as np
from keras import ops

from .._types import ClassIds, Maps, Outputs, Scores
from ..arrays import array_of
from ..errors import brief
from ..maps import grid_axes
from .heads import Head, expand, largest, of_class, signs


def region_score(head: Head, classes: ClassIds, region: Maps | None) -> Scores:
    """Take the mean of each image's class logit over a region.

    Args:
        head: The output, read.
        classes: Shape (batch,).
        region: Weights, shape (batch, *grid); None takes the places where the model predicts
            the class, or all if it predicts it nowhere.
    """
    logits = of_class(head, head.logits, classes)
    logits = expand(signs(head, classes), logits) * logits
    if region is None:
        region = _predicted_region(head, classes, logits)
    axes = grid_axes(logits)
    return ops.divide_no_nan(ops.sum(region * logits, axes), ops.sum(region, axes))


def check_mask(mask: Any) -> None:
    """Raise if a mask is not made of finite numbers; None is none.

    Raises:
        TypeError: If it does not hold numbers.
        ValueError: If it holds NaN or infinity.
    """
    if mask is None:
        return
    weights = array_of(mask)
    if weights.dtype.kind not in "biuf":
        raise TypeError(
            f"target region_mean: mask must be an array of booleans or numbers, not {brief(mask)}"
        )
    if not np.isfinite(weights).all():
        raise ValueError("target region_mean: mask must be finite; it holds NaN or infinity")


def region_of(mask: Any, head: Head) -> Maps:
    """Bring the user's mask to weights for each image, shape (batch, *grid).

    Raises:
        ValueError: If it does not lie on the output's grid.
    """
    region = np.asarray(mask)
    shape = ops.shape(head.logits)[:-1]
    grid = tuple(head.logits.shape[1:-1])
    given = zip(grid, region.shape[-len(grid) :], strict=False)
    if region.ndim - len(grid) not in (0, 1) or any(own not in (None, its) for own, its in given):
        raise ValueError(
            f"target region_mean needs a mask on the output's grid {grid}, "
            f"with or without a batch axis; received shape {region.shape}"
        )
    weights = region.astype(keras.backend.standardize_dtype(head.logits.dtype))
    if region.ndim > len(grid):
        weights = of_open_length(weights, shape[0])
    return ops.broadcast_to(weights, shape)


def of_open_length(values: np.ndarray, batch: Any) -> Any:
    """Return values, one per image, so that their number is looked at when the graph runs.

    Then it is an error of those images, and the graph takes others.

    Args:
        values: Shape (n, ...), or () for all images.
        batch: How many images there are, a tensor if that is open.
    """
    tensor = ops.convert_to_tensor(values)
    return tensor[: ops.maximum(batch, len(values))] if values.ndim else tensor


def _predicted_region(head: Head, classes: ClassIds, logits: Outputs) -> Maps:
    # The places are chosen by the model's own prediction and carry no gradient.
    if head.units == 1:
        here = logits > 0 if head.binary else ops.ones_like(logits, "bool")
    else:
        winners = largest(head.logits)
        here = winners == expand(classes, winners)
    nowhere = ~ops.any(here, grid_axes(logits), keepdims=True)
    return ops.cast(here | nowhere, logits.dtype)
