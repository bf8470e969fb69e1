"""The score of a class: its logit, its probability, or the output as it is."""

from typing import Any

from keras import ops

from .._types import ClassIds, Scores
from ..maps import grid_axes
from . import heads
from .reading import read, single
from .regions import region_score


def logit(outputs: Any, classes: ClassIds) -> Scores:
    """Score each image by its class's logit, before the softmax or sigmoid: the papers' $y^c$.

    A head of one unit under a sigmoid has two classes: class 1 is the logit, class 0 is minus
    the logit. One unit without a sigmoid is a regression: the number itself. For an output with
    a grid (segmentation) it is `region_mean()`.

    Args:
        outputs: Shape (batch, units), (batch,) or (batch, *grid, units).
        classes: Shape (batch,), from 0 to units - 1.

    Returns:
        Shape (batch,).

    Raises:
        ValueError: If `outputs` holds several tensors; name one by `output=`.

    Example:
        >>> import tensorflow as tf
        >>> f = tf.function(lambda z: logit(tf.nn.softmax(z), tf.constant([2])), autograph=False)
        >>> f(tf.constant([[1.0, 2.0, 30.0]])).numpy().tolist()
        [30.0]
    """
    return _score(read(outputs), classes)


def probability(outputs: Any, classes: ClassIds) -> Scores:
    """Score each image by the probability of its class, after the softmax or sigmoid.

    A saturated probability hardly moves: prefer `logit` unless the question is about the
    probability itself. Without a softmax or sigmoid it is the output as it is.

    Args:
        outputs: Shape (batch, units), (batch,) or (batch, *grid, units).
        classes: Shape (batch,).

    Returns:
        Shape (batch,). Class 0 of a one-unit sigmoid head scores 1 - p.

    Example:
        >>> import tensorflow as tf
        >>> f = tf.function(lambda p: probability(p, tf.constant([1])), autograph=False)
        >>> f(tf.constant([[0.25, 0.75]])).numpy().tolist()
        [0.75]
    """
    head = read(outputs)
    if head.probabilities is None:
        return value(outputs, classes)
    return heads.probabilities(head, classes)


def value(outputs: Any, classes: ClassIds) -> Scores:
    """Score each image by the model's output as it is: regression, similarity, anything.

    Args:
        outputs: Shape (batch, units) or (batch,).
        classes: Shape (batch,): which unit.

    Returns:
        Shape (batch,).

    Example:
        >>> import tensorflow as tf
        >>> f = tf.function(lambda y: value(y, tf.constant([1])), autograph=False)
        >>> f(tf.constant([[3.0, 4.0]])).numpy().tolist()
        [4.0]
    """
    head = heads.read(single(outputs), binary=False)
    chosen = heads.of_class(head, head.outputs, classes)
    return ops.mean(chosen, grid_axes(chosen)) if head.dense else chosen


def binary(outputs: Any, classes: ClassIds) -> Scores:
    """Score one unit that is a logit of two classes, with or without a sigmoid after it.

    For a head such as `Dense(1)` trained with `BinaryCrossentropy(from_logits=True)`, which
    nothing in the model tells apart from a regression.

    Args:
        outputs: Shape (batch, 1) or (batch,).
        classes: Shape (batch,): 1 scores the logit, 0 minus the logit.

    Returns:
        Shape (batch,).

    Example:
        >>> import tensorflow as tf
        >>> f = tf.function(lambda y: binary(y, tf.constant([0, 1])), autograph=False)
        >>> f(tf.constant([[3.0], [4.0]])).numpy().tolist()
        [-3.0, 4.0]
    """
    return _score(heads.read(single(outputs), binary=True), classes)


binary.binary = True  # type: ignore[attr-defined]  # see `reading.reads_binary`


def _score(head: heads.Head, classes: ClassIds) -> Scores:
    if head.dense:
        return region_score(head, classes, None)
    return heads.signs(head, classes) * heads.of_class(head, head.logits, classes)


for _target in (logit, probability, value, binary):
    _target.takes_any_batch = True  # type: ignore[attr-defined]  # see `reading.takes_any_batch`
