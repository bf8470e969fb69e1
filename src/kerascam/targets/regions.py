"""Scores of a region: what a target means if the output has a grid, as in segmentation."""

from typing import Any

import numpy as np
import tensorflow as tf

from .._types import ClassIds, Scores
from ..errors import brief
from ..maps import grid_axes
from .heads import Head, expand, of_class, signs


def region_score(head: Head, classes: ClassIds, region: tf.Tensor | None) -> Scores:
    """Take the mean of each image's class logit over a region.

    Args:
        head: The output, read.
        classes: Shape (batch,).
        region: Weights that fit (batch, *grid); None takes the places where the model predicts
            the class, or all if it predicts it nowhere.
    """
    logits = of_class(head, head.logits, classes)
    logits = expand(signs(head, classes), logits) * logits
    if region is None:
        region = _predicted_region(head, classes, logits)
    axes = grid_axes(logits)
    region = tf.broadcast_to(region, tf.shape(logits))
    return tf.math.divide_no_nan(tf.reduce_sum(region * logits, axes), tf.reduce_sum(region, axes))


def check_mask(mask: Any) -> None:
    """Raise if a mask is not made of finite numbers; None is none.

    Raises:
        TypeError: If it does not hold numbers.
        ValueError: If it holds NaN or infinity.
    """
    if mask is None:
        return
    try:
        weights = np.asarray(mask)
    except Exception:  # of several lengths, or of a type that refuses
        weights = np.array(None)
    if weights.dtype.kind not in "biuf":
        raise TypeError(
            f"target region_mean: mask must be an array of booleans or numbers, not {brief(mask)}"
        )
    if not np.isfinite(weights).all():
        raise ValueError("target region_mean: mask must be finite; it holds NaN or infinity")


def region_of(mask: Any, head: Head) -> tf.Tensor:
    """Bring the user's mask to weights that fit (batch, *grid).

    Raises:
        ValueError: If it does not lie on the output's grid.
    """
    region = np.asarray(mask)
    grid = head.logits.shape[1:-1]
    if region.ndim not in (len(grid), len(grid) + 1) or not grid.is_compatible_with(
        region.shape[-len(grid) :]
    ):
        raise ValueError(
            f"target region_mean needs a mask on the output's grid {tuple(grid)}, "
            f"with or without a batch axis; received shape {region.shape}"
        )
    weights = region.astype(head.logits.dtype.as_numpy_dtype)
    weights = weights if region.ndim == len(grid) + 1 else weights[None]
    # Without its own static batch: any may be asked for.
    return tf.compat.v1.placeholder_with_default(weights, [None, *weights.shape[1:]])


def _predicted_region(head: Head, classes: ClassIds, logits: tf.Tensor) -> tf.Tensor:
    # The places are chosen by the model's own prediction and carry no gradient.
    if head.units == 1:
        here = logits > 0 if head.binary else tf.ones_like(logits, tf.bool)
    else:
        winners = tf.argmax(head.logits, -1, output_type=tf.int32)
        here = winners == expand(classes, winners)
    nowhere = ~tf.reduce_any(here, grid_axes(logits), keepdims=True)
    return tf.cast(here | nowhere, logits.dtype)
