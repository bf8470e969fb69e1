r"""Targets: functions (outputs, classes) -> scores that say which number a map explains.

`outputs` is the model's output tensor, or the one chosen by `output=`; `classes` holds each
image's class, shape (batch,); the result is one score an image, shape (batch,). Any function of
that form is a target; the ones here read the logits under a final softmax or sigmoid.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from . import heads
from ._types import ClassIds, Scores, Target
from .maps import grid_axes
from .regions import region_of, region_score

__all__ = ["binary", "contrast", "counterfactual", "logit", "probability", "region_mean", "value"]


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
        >>> f = tf.function(lambda z: logit(tf.nn.softmax(z), tf.constant([2])), autograph=False)
        >>> f(tf.constant([[1.0, 2.0, 30.0]])).numpy().tolist()
        [30.0]
    """
    return _score(_read(outputs), classes)


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
        >>> f = tf.function(lambda p: probability(p, tf.constant([1])), autograph=False)
        >>> f(tf.constant([[0.25, 0.75]])).numpy().tolist()
        [0.75]
    """
    head = _read(outputs)
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
        >>> f = tf.function(lambda y: value(y, tf.constant([1])), autograph=False)
        >>> f(tf.constant([[3.0, 4.0]])).numpy().tolist()
        [4.0]
    """
    head = heads.read(_single(outputs), binary=False)
    chosen = heads.of_class(head, head.outputs, classes)
    return tf.reduce_mean(chosen, grid_axes(chosen)) if head.dense else chosen


def binary(outputs: Any, classes: ClassIds) -> Scores:
    """Score one unit that is a logit of two classes, with or without a sigmoid behind it.

    For a head such as `Dense(1)` trained with `BinaryCrossentropy(from_logits=True)`, which
    nothing in the model tells apart from a regression.

    Args:
        outputs: Shape (batch, 1) or (batch,).
        classes: Shape (batch,): 1 scores the logit, 0 minus the logit.

    Returns:
        Shape (batch,).

    Example:
        >>> f = tf.function(lambda y: binary(y, tf.constant([0, 1])), autograph=False)
        >>> f(tf.constant([[3.0], [4.0]])).numpy().tolist()
        [-3.0, 4.0]
    """
    return _score(heads.read(_single(outputs), binary=True), classes)


binary.binary = True  # type: ignore[attr-defined]  # read by `reads_binary`


def region_mean(mask: Any = None) -> Target:
    r"""Make a target for segmentation: the mean of the class's logit over a region.

    $$S_c = \frac{1}{|M|} \sum_{ij \in M} y^c_{ij}$$ (Seg-Grad-CAM; Vinogradova, Dibrov, Myers,
    AAAI 2020, arXiv:2002.11434, which sums; the mean only scales the map)

    Args:
        mask: The region M: boolean or weights, shape (*grid) for all images or (batch, *grid),
            on the output's grid. None takes the places where the model predicts the class, or
            all places where it predicts the class nowhere.

    Returns:
        A target.

    Raises:
        ValueError: When it is used on an output without a grid, or with a mask of another shape.

    Example:
        >>> target = region_mean(np.array([[True, False]]))
        >>> f = tf.function(lambda y: target(y, tf.constant([1])), autograph=False)
        >>> f(tf.constant([[[[0.0, 5.0], [0.0, 7.0]]]])).numpy().tolist()
        [5.0]
    """

    def region_mean_score(outputs: Any, classes: ClassIds) -> Scores:
        head = _read(outputs)
        if not head.dense:
            raise ValueError(
                f"target region_mean needs an output with a grid, not one of shape "
                f"{tuple(outputs.shape)}; use targets.logit"
            )
        region = None if mask is None else region_of(mask, head)
        return region_score(head, classes, region)

    region_mean_score.takes_any_batch = mask is None  # type: ignore[attr-defined]
    return region_mean_score


def contrast(other: Any, *, weight: float = 1.0, target: Target = logit) -> Target:
    r"""Make a target that asks why this class rather than another: $S_c - w\,S_o$.

    With similar classes as `other` this is the score of Finer-CAM (Zhang et al., CVPR 2025,
    arXiv:2501.11309) for one reference class.

    Args:
        other: The other class, one for all images or one an image, shape (batch,).
        weight: How much of the other class's score is taken away.
        target: The score of each class.

    Returns:
        A target.

    Raises:
        TypeError: If `other` is no class index, nor one an image.
        ValueError: When it is used, if `other` is out of range.

    Example:
        >>> f = tf.function(lambda y: contrast(0)(y, tf.constant([1])), autograph=False)
        >>> f(tf.constant([[3.0, 10.0]])).numpy().tolist()
        [7.0]
    """
    others = np.asarray(other)
    if others.dtype.kind not in "iu" or others.ndim > 1:
        raise TypeError(
            f"target contrast: other must be a class index, or one an image, not {other!r}"
        )
    others = others.astype(np.int32)

    def contrast_score(outputs: Any, classes: ClassIds) -> Scores:
        _check_other(others, outputs)
        # Without its own static length: any batch may be asked for.
        given = tf.compat.v1.placeholder_with_default(others, [None] * others.ndim)
        opposed = tf.broadcast_to(given, tf.shape(classes))
        return target(outputs, classes) - weight * target(outputs, opposed)

    return _like(target, contrast_score, any_batch=others.ndim == 0)


def counterfactual(target: Target = logit) -> Target:
    """Make a target of evidence against the class: minus the score (Grad-CAM paper, section 3.3).

    Args:
        target: The score to turn round.

    Returns:
        A target.

    Example:
        >>> f = tf.function(lambda y: counterfactual()(y, tf.constant([1])), autograph=False)
        >>> f(tf.constant([[3.0, 10.0]])).numpy().tolist()
        [-10.0]
    """

    def counterfactual_score(outputs: Any, classes: ClassIds) -> Scores:
        return -target(outputs, classes)

    return _like(target, counterfactual_score)


def reads_binary(target: Target) -> bool | None:
    """Tell whether `target` takes one unit for two classes; None leaves it to the output."""
    return getattr(target, "binary", None)


def takes_any_batch(target: Target) -> bool:
    """Tell whether `target` certainly holds nothing that belongs to one batch, as a mask does."""
    alone = target in (logit, probability, value, binary)
    return alone or getattr(target, "takes_any_batch", False)


def _like(
    target: Target, made: Callable[[Any, tf.Tensor], tf.Tensor], *, any_batch: bool = True
) -> Target:
    made.takes_any_batch = any_batch and takes_any_batch(target)  # type: ignore[attr-defined]
    if reads_binary(target) is not None:
        made.binary = reads_binary(target)  # type: ignore[attr-defined]
    return made


def _single(outputs: Any) -> tf.Tensor:
    if not tf.is_tensor(outputs):
        names = list(outputs) if isinstance(outputs, dict) else list(range(len(outputs)))
        raise ValueError(
            f"the model has {len(names)} outputs; choose one by output=, one of: "
            f"{', '.join(map(repr, names))}"
        )
    return outputs


def _read(outputs: Any) -> heads.Head:
    return heads.read(_single(outputs))


def _score(head: heads.Head, classes: ClassIds) -> Scores:
    if head.dense:
        return region_score(head, classes, None)
    return heads.signs(head, classes) * heads.of_class(head, head.logits, classes)


def _check_other(others: np.ndarray, outputs: Any) -> None:
    count = heads.read(outputs).class_count if tf.is_tensor(outputs) else None
    if others.min() < 0 or (count is not None and others.max() >= count):
        last = "the last class" if count is None else count - 1
        raise ValueError(f"target contrast: other must be from 0 to {last}, not {others.tolist()}")
