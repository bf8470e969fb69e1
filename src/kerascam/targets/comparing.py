"""Targets made of other targets: one class rather than others, and what speaks against a class.

They are objects: functions defined inside functions could not be pickled.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from .._types import ClassIds, Scores, Target
from ..arguments import check_target, number_in, real_number
from ..arrays import array_of
from ..errors import brief
from . import heads
from .class_scores import logit
from .reading import head_of, reads_binary, takes_any_batch
from .regions import of_open_length


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
    others = array_of(other)
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


@dataclass(frozen=True, eq=False)
class Contrast:
    """The target that `contrast` makes."""

    others: np.ndarray
    weight: float
    target: Target

    def __call__(self, outputs: Any, classes: ClassIds) -> Scores:
        """Score each image."""
        _check_other(self.others, self.read_head(outputs))
        batch = ops.shape(classes)
        opposed = ops.broadcast_to(of_open_length(self.others, batch[0]), batch)
        return self.target(outputs, classes) - self.weight * self.target(outputs, opposed)

    def __repr__(self) -> str:
        return (
            f"contrast({self.others.tolist()}, weight={self.weight}, target={_named(self.target)})"
        )

    @property
    def takes_any_batch(self) -> bool:
        """See the function of this name."""
        return self.others.ndim == 0 and takes_any_batch(self.target)

    @property
    def binary(self) -> bool | None:
        """See `reads_binary`."""
        return reads_binary(self.target)

    def read_head(self, outputs: Any) -> heads.Head | None:
        """See `head_of`."""
        return head_of(self.target, outputs)


def _check_other(others: np.ndarray, head: heads.Head | None) -> None:
    count = None if head is None else head.class_count
    if others.min() < 0 or (count is not None and others.max() >= count):
        last = "the last class" if count is None else count - 1
        raise ValueError(f"target contrast: other must be from 0 to {last}, not {others.tolist()}")


def finer(*, count: int = 3, weight: float = 0.6, target: Target = logit) -> Target:
    r"""Make a target of what sets a class apart from those that the model takes for most similar.

    $$S = S_c - \frac{w}{n} \sum_{t=1}^n S_{d_t}$$ (Finer-CAM; Zhang et al., CVPR 2025,
    arXiv:2501.11309)

    $d_1, ..., d_n$ are the classes whose logits are nearest to that of class $c$, of each image by
    itself. As a class activation map is linear in the score's gradient before its ReLU, Grad-CAM of
    this target is the Finer-CAM of the paper.

    Args:
        count: How many similar classes; all others if there are fewer.
        weight: How much of their mean score is taken away; 0 is the target itself.
        target: The score of each class.

    Returns:
        A target.

    Raises:
        TypeError: If an argument has a wrong type.
        ValueError: If `count` is less than 1; when it is used, if there are no other classes.

    Example:
        >>> import tensorflow as tf
        >>> target = finer(count=1, weight=0.5)
        >>> f = tf.function(lambda y: target(y, tf.constant([1])), autograph=False)
        >>> f(tf.constant([[3.0, 10.0, 8.0]])).numpy().tolist()  # 10 - 0.5 * 8
        [6.0]
    """
    number_in("target finer: count", count, 1)
    real_number("target finer: weight", weight)
    check_target(target, "target finer: target")
    return Finer(count, weight, target)


@dataclass(frozen=True, eq=False)
class Finer:
    """The target that `finer` makes."""

    count: int
    weight: float
    target: Target

    def __call__(self, outputs: Any, classes: ClassIds) -> Scores:
        """Score each image."""
        head = self.read_head(outputs)
        units = 0 if head is None or head.dense else head.units or 0
        if head is None or units < 2:
            raise ValueError(
                "target finer needs the scores of several classes, shape (batch, classes); for "
                "other outputs name the other class by targets.contrast"
            )
        own = self.target(outputs, classes)
        away = ops.abs(head.logits - heads.of_class(head, head.logits, classes)[:, None])
        # The class itself is as near as can be, and is no other class.
        away = ops.where(ops.arange(units)[None] == classes[:, None], float("inf"), away)
        nearest = ops.argsort(away, -1)[:, : min(self.count, units - 1)]
        others = [self.target(outputs, each) for each in ops.unstack(nearest, axis=1)]
        return own - self.weight * sum(others) / len(others)

    def __repr__(self) -> str:
        return f"finer(count={self.count}, weight={self.weight}, target={_named(self.target)})"

    @property
    def takes_any_batch(self) -> bool:
        """See the function of this name."""
        return takes_any_batch(self.target)

    def read_head(self, outputs: Any) -> heads.Head | None:
        """See `head_of`."""
        return head_of(self.target, outputs)


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


@dataclass(frozen=True, eq=False)
class Counterfactual:
    """The target that `counterfactual` makes."""

    target: Target

    def __call__(self, outputs: Any, classes: ClassIds) -> Scores:
        """Score each image."""
        return -self.target(outputs, classes)

    def __repr__(self) -> str:
        return f"counterfactual({_named(self.target)})"

    @property
    def takes_any_batch(self) -> bool:
        """See the function of this name."""
        return takes_any_batch(self.target)

    @property
    def binary(self) -> bool | None:
        """See `reads_binary`."""
        return reads_binary(self.target)

    def read_head(self, outputs: Any) -> heads.Head | None:
        """See `head_of`."""
        return head_of(self.target, outputs)


def _named(target: Target) -> str:
    return str(getattr(target, "__qualname__", repr(target)))
