r"""Targets: functions (outputs, classes) -> scores that say which number a map explains.

`outputs` is the model's output tensor, or the one chosen by `output=`; `classes` holds each
image's class, shape (batch,); the result is one score per image, shape (batch,). Any function of
that form is a target; the ones here read the logits under a final softmax or sigmoid.
"""

from typing import Any

import numpy as np
from keras import ops

from .._types import ClassIds, Scores, Target
from ..arguments import check_target, real_number
from ..errors import brief
from ..maps import grid_axes
from . import heads
from .composed import Contrast, Counterfactual, RegionMean, read, single
from .regions import check_mask, region_score

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


binary.binary = True  # type: ignore[attr-defined]  # see `composed.reads_binary`


def region_mean(mask: Any = None) -> Target:
    r"""Make a target for segmentation: the mean of the class's logit over a region.

    $$S_c = \frac{1}{|M|} \sum_{ij \in M} y^c_{ij}$$ (Seg-Grad-CAM; Vinogradova, Dibrov, Myers,
    AAAI 2020, arXiv:2002.11434, which sums; the mean only scales the map)

    Args:
        mask: The region M: boolean or weights, shape (*grid) for all images or (batch, *grid),
            on the output's grid. None takes the places where the model predicts the class, or
            all places if it predicts the class nowhere.

    Returns:
        A target.

    Raises:
        TypeError: If the mask does not hold numbers.
        ValueError: If it holds NaN or infinity; when it is used, if the output has no grid, or
            the mask another shape.

    Example:
        >>> import tensorflow as tf
        >>> target = region_mean(np.array([[True, False]]))
        >>> f = tf.function(lambda y: target(y, tf.constant([1])), autograph=False)
        >>> f(tf.constant([[[[0.0, 5.0], [0.0, 7.0]]]])).numpy().tolist()
        [5.0]
    """
    check_mask(mask)
    return RegionMean(mask)


def contrast(other: Any, *, weight: float = 1.0, target: Target = logit) -> Target:
    r"""Make a target that asks why this class rather than another: $S_c - w\,S_o$.

    With similar classes as `other` this is the score of Finer-CAM (Zhang et al., CVPR 2025,
    arXiv:2501.11309) for one reference class.

    Args:
        other: The other class, one for all images or one per image, shape (batch,).
        weight: How much of the other class's score is taken away.
        target: The score of each class.

    Returns:
        A target.

    Raises:
        TypeError: If `other` is no class index, nor one per image, or another argument is wrong.
        ValueError: If `other` is out of range, at the latest when it is used.

    Example:
        >>> import tensorflow as tf
        >>> f = tf.function(lambda y: contrast(0)(y, tf.constant([1])), autograph=False)
        >>> f(tf.constant([[3.0, 10.0]])).numpy().tolist()
        [7.0]
    """
    try:
        others = np.asarray(other)
    except Exception:  # of several lengths, or of a type that refuses
        others = np.array(None)
    if others.dtype.kind not in "iu" or others.ndim > 1:
        raise TypeError(
            f"target contrast: other must be a class index, or one per image, not {brief(other)}"
        )
    if not others.size or others.min() < 0 or others.max() > np.iinfo(np.int32).max:
        raise ValueError(
            f"target contrast: other must be from 0 to the last class, not {brief(other)}"
        )
    real_number("target contrast: weight", weight)
    check_target(target, "target contrast: target")
    others = others.astype(np.int32)

    return Contrast(others, weight, target)


def counterfactual(target: Target = logit) -> Target:
    """Make a target of evidence against the class: minus the score (Grad-CAM paper, section 3.3).

    Args:
        target: The score to turn round.

    Returns:
        A target.

    Example:
        >>> import tensorflow as tf
        >>> f = tf.function(lambda y: counterfactual()(y, tf.constant([1])), autograph=False)
        >>> f(tf.constant([[3.0, 10.0]])).numpy().tolist()
        [-10.0]
    """
    check_target(target, "target counterfactual: target")
    return Counterfactual(target)


def _score(head: heads.Head, classes: ClassIds) -> Scores:
    if head.dense:
        return region_score(head, classes, None)
    return heads.signs(head, classes) * heads.of_class(head, head.logits, classes)


for _target in (logit, probability, value, binary):
    _target.takes_any_batch = True  # type: ignore[attr-defined]  # see `composed.takes_any_batch`
