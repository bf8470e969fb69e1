"""Targets for detectors: the score of one box among many, found by where it lies."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from keras import ops

from .._types import ClassIds, Outputs, Scores, Target
from . import heads
from .boxes import (
    BoxFormat,
    Part,
    check_parts,
    conform_box,
    conform_overlap,
    corners,
    intersection_over_union,
    part_of,
)
from .regions import of_open_length
from .vectors import unit_length


def box(
    box: Any,
    *,
    boxes: Part = "boxes",
    scores: Part = "scores",
    box_format: BoxFormat = "xyxy",
    least_overlap: float = 0.5,
) -> Target:
    r"""Make a target for detectors: the class's logit of the box that fits a given one best.

    $$S_c = y^c_{j^*},\qquad j^* = \arg\max_j \mathrm{IoU}(b_j, B)$$

    with IoU the intersection over union. The predicted class is that of this box. The choice of
    the box carries no gradient. A score of an image none of whose boxes overlaps enough is NaN, and
    its status says so: for methods that change the image, under which boxes move, take `detection`.

    Args:
        box: $B$, four numbers for all images, or (batch, 4), in the units and the order of the
            model's boxes.
        boxes: The model's boxes, (batch, n, 4): the name of an output (a path such as
            "detections/boxes"), its place, or a function of all outputs, such as one that decodes
            what anchors return.
        scores: Their class scores, (batch, n, classes), in the same way; logits are read under a
            softmax or sigmoid.
        box_format: "xyxy" and "yxyx" are two opposite corners, "xywh" a corner and the lengths,
            "center_xywh" the centre and the lengths.
        least_overlap: The least intersection over union of a box that is explained.

    Returns:
        A target.

    Raises:
        TypeError: If an argument has a wrong type.
        ValueError: If `box` is not four finite numbers, or a value is wrong; when it is used, if an
            output is not there or has another shape.

    Example:
        >>> import tensorflow as tf
        >>> found = lambda: {
        ...     "boxes": tf.constant([[[0.0, 0, 4, 4], [6, 6, 9, 9]]]),
        ...     "scores": tf.constant([[[1.0, 2.0], [3.0, 4.0]]])}
        >>> target = box([5, 6, 9, 9])  # the second box is three quarters of it
        >>> f = tf.function(lambda: target(found(), tf.constant([1])), autograph=False)
        >>> f().numpy().tolist()
        [4.0]
    """
    check_parts("box", box_format, boxes=boxes, scores=scores)
    least = conform_overlap(least_overlap)
    return Box(conform_box("box", box), boxes, scores, box_format, least)


def detection(
    box: Any,
    *,
    boxes: Part = "boxes",
    scores: Part = "scores",
    objectness: Part | None = None,
    box_format: BoxFormat = "xyxy",
) -> Target:
    r"""Make a target for detectors: how well the best detection matches a given box and class.

    $$S_c = \max_j\; \mathrm{IoU}(b_j, B)\; \frac{p_{jc}}{\|p_j\|}\; o_j$$ (D-RISE;
    Petsiuk et al., CVPR 2021, arXiv:2006.03204, equations 2 to 4 with a one-hot class)

    `RISE(model, cells=16, target=detection(...))` is D-RISE. Where the box goes, or takes another
    class, the score falls, so that methods that hide parts of the image are told of both.

    Args:
        box: $B$; see the target `box`.
        boxes: The model's boxes; see the target `box`.
        scores: The probabilities $p$ of their classes, (batch, n, classes), after a softmax or
            sigmoid; of one class they count as they are.
        objectness: The probability $o$ that a box holds an object, (batch, n) or (batch, n, 1), for
            a model that tells; None counts all boxes alike.
        box_format: See the target `box`.

    Returns:
        A target; scores are from 0 to 1.

    Raises:
        TypeError: If an argument has a wrong type.
        ValueError: If `box` is not four finite numbers, or a value is wrong; when it is used, if an
            output is not there, or `scores` are no probabilities.

    Example:
        >>> import tensorflow as tf
        >>> found = lambda: {
        ...     "boxes": tf.constant([[[0.0, 0, 4, 4]]]), "p": tf.sigmoid([[[0.0, 0.0]]])}
        >>> target = detection([0, 0, 2, 4], scores="p")
        >>> f = tf.function(lambda: target(found(), tf.constant([1])), autograph=False)
        >>> f().numpy().round(3).tolist()  # 0.5 / sqrt(2)
        [0.354]
    """
    given = {} if objectness is None else {"objectness": objectness}
    check_parts("detection", box_format, boxes=boxes, scores=scores, **given)
    return Detection(conform_box("detection", box), boxes, scores, box_format, objectness)


@dataclass(frozen=True, eq=False)
class DetectedBox:
    """What the targets of detectors have in common: a box, and where a model's boxes are found.

    Attributes:
        box: Shape (4,), or (batch, 4).
        boxes: Where the model's boxes are.
        scores: Where their class scores are.
        box_format: What the four numbers of a box are.
        name: What an error calls the target.
    """

    name: ClassVar[str]
    box: np.ndarray
    boxes: Part
    scores: Part
    box_format: BoxFormat

    def overlaps(self, outputs: Any) -> Any:
        """Compute each of the model's boxes' intersection over union with the box, (batch, n)."""
        found = part_of(outputs, self.boxes, "boxes")
        if len(found.shape) != 3 or found.shape[-1] != 4:
            raise ValueError(
                f"target {self.name}: boxes must be of shape (batch, boxes, 4), not "
                f"{tuple(found.shape)}"
            )
        found = ops.cast(found, "float64" if found.dtype == "float64" else "float32")
        box = ops.cast(of_open_length(self.box, ops.shape(found)[0]), found.dtype)
        box = box[:, None] if self.box.ndim == 2 else box[None, None]
        return intersection_over_union(
            corners(found, self.box_format), corners(box, self.box_format)
        )

    def classes_of(self, outputs: Any) -> heads.Head:
        """Read the class scores of all boxes, (batch, n, classes)."""
        found = part_of(outputs, self.scores, "scores")
        if len(found.shape) != 3:
            raise ValueError(
                f"target {self.name}: scores must be of shape (batch, boxes, classes), not "
                f"{tuple(found.shape)}"
            )
        count = part_of(outputs, self.boxes, "boxes").shape[1]
        if None not in (count, found.shape[1]) and count != found.shape[1]:
            raise ValueError(
                f"target {self.name}: boxes and scores must be of the same boxes, in the same "
                f"order; there are {count} boxes and scores of {found.shape[1]}"
            )
        return heads.read(found)

    def read_head(self, outputs: Any) -> heads.Head:
        """Read the best fitting box as the head of a classifier."""
        best, head = heads.largest(self.overlaps(outputs)), self.classes_of(outputs)

        def row(values: Outputs | None) -> Outputs | None:
            if values is None:
                return None
            return ops.take_along_axis(values, heads.expand(best, values), 1)[:, 0]

        return head._replace(
            outputs=row(head.outputs),
            logits=row(head.logits),
            probabilities=row(head.probabilities),
        )

    @property
    def takes_any_batch(self) -> bool:
        """See the function of this name in `reading`."""
        return self.box.ndim == 1


@dataclass(frozen=True, eq=False)
class Box(DetectedBox):
    """The target that `box` makes.

    Attributes:
        least: The least overlap of the box that is explained.
    """

    name = "box"
    least: float

    def __call__(self, outputs: Any, classes: ClassIds) -> Scores:
        """Score each image; NaN if none of its boxes fits."""
        head = self.read_head(outputs)
        scores = heads.signs(head, classes) * heads.of_class(head, head.logits, classes)
        fits = ops.max(self.overlaps(outputs), 1) >= self.least
        return ops.where(fits, scores, ops.full_like(scores, float("nan")))

    def __repr__(self) -> str:
        return f"box({self.box.tolist()})"


@dataclass(frozen=True, eq=False)
class Detection(DetectedBox):
    """The target that `detection` makes.

    Attributes:
        objectness: Where it is found how sure the model is of each box; None counts all alike.
    """

    name = "detection"
    objectness: Part | None

    def __call__(self, outputs: Any, classes: ClassIds) -> Scores:
        """Score each image."""
        head = self.classes_of(outputs)
        chances = head.probabilities
        if chances is None:
            raise ValueError(
                "target detection: scores must be probabilities, the output of a softmax or "
                "sigmoid, as their angle is taken; name such an output, or apply one in a function"
            )
        if head.units != 1:  # with one kind of object there is no angle
            chances = unit_length(chances)
        overlaps = self.overlaps(outputs)
        similarity = ops.cast(heads.of_class(head, chances, classes), overlaps.dtype)
        if self.objectness is not None:
            sure = ops.cast(part_of(outputs, self.objectness, "objectness"), overlaps.dtype)
            similarity = similarity * ops.reshape(sure, ops.shape(similarity))
        return ops.max(overlaps * similarity, 1)

    def __repr__(self) -> str:
        return f"detection({self.box.tolist()})"
