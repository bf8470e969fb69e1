"""From a model's outputs to what is asked: classes, scores and probabilities."""

from typing import Any

import tensorflow as tf

from .. import heads
from .._types import ClassIds, Scores, Target
from ..targets import reads_binary
from .outputs import describe


def read(chosen: Any, target: Target) -> heads.Head | None:
    """Read the explained output; None where it is several tensors."""
    if not tf.is_tensor(chosen) or not chosen.shape.rank:
        return None
    return heads.read(chosen, binary=reads_binary(target))


def settle(head: heads.Head | None, classes: ClassIds) -> ClassIds:
    """Put the predicted class where -1 asks for it."""
    if head is None:
        return tf.maximum(classes, 0)
    return tf.where(classes < 0, heads.predicted(head), classes)


def score(target: Target, outputs: Any, classes: ClassIds) -> Scores:
    """Ask the target for one number an image.

    Raises:
        TypeError: If the numbers are not floating.
        ValueError: If they are not one an image.
    """
    scores = target(outputs, classes)
    if not tf.is_tensor(scores) or scores.shape.rank != 1:
        shape = getattr(scores, "shape", type(scores).__name__)
        raise ValueError(
            f"target must give one score an image, shape (batch,); it gave {shape} "
            f"for outputs of {describe(outputs)}"
        )
    if not scores.dtype.is_floating:
        raise TypeError(f"target must give floating scores, not {scores.dtype.name}")
    return scores if scores.dtype == tf.float64 else tf.cast(scores, tf.float32)


def probabilities(head: heads.Head | None, classes: ClassIds) -> Scores:
    """Give each image's probability of its class, at least float32; NaN where there is none."""
    if head is None:
        return tf.fill(tf.shape(classes), float("nan"))
    chances = heads.probabilities(head, classes)
    return chances if chances.dtype == tf.float64 else tf.cast(chances, tf.float32)
