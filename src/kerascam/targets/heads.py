"""Read a model's output: the logits under its last softmax or sigmoid, and what it predicts."""

from typing import Any, NamedTuple

from keras import ops

from .._types import ClassIds, Outputs, Scores
from ..maps import grid_axes
from .last_step import find_logits, last_step


class Head(NamedTuple):
    """One output of a model, read.

    Attributes:
        outputs: As the model returns them, shape (batch, *grid, units); units is 1 if the model
            returns one number per image.
        logits: The scores under the last softmax or sigmoid, or `outputs` if there is none.
        probabilities: Shaped as `outputs`; None if there is no softmax or sigmoid.
        binary: Whether one unit stands for two classes: 1 for a positive logit, else 0.
    """

    outputs: Outputs
    logits: Outputs
    probabilities: Outputs | None
    binary: bool

    @property
    def units(self) -> int | None:
        """How many units the output has, if that is known."""
        return self.outputs.shape[-1]

    @property
    def dense(self) -> bool:
        """Whether the output has a grid: one prediction per place, as in segmentation."""
        return len(self.outputs.shape) > 2

    @property
    def sums_to_one(self) -> bool:
        """Whether the probabilities at each place are a softmax's own, and so sum to one."""
        operation = self.outputs.op
        while operation.type in ("Identity", "Cast", "EnsureShape"):
            operation = operation.inputs[0].op
        is_softmax = operation.type in ("Softmax", "LogSoftmax")
        return self.probabilities is not None and is_softmax

    @property
    def class_count(self) -> int | None:
        """How many classes may be asked for."""
        return 2 if self.binary else self.units


def read(outputs: Outputs, *, binary: bool | None = None) -> Head:
    """Read one output tensor.

    Args:
        outputs: Shape (batch,), (batch, units) or (batch, *grid, units).
        binary: Whether one unit stands for two classes; None finds out: it does under a sigmoid.
    """
    logits = find_logits(outputs)
    probabilities = None
    if logits is not None:
        is_log = last_step(outputs).type == "LogSoftmax"
        probabilities = ops.exp(outputs) if is_log else outputs
    if binary is None:  # a softmax over one unit is no sigmoid: it always returns 1
        binary = logits is not None and last_step(outputs).type != "Softmax"
    logits = outputs if logits is None else logits
    if len(outputs.shape) == 1:
        outputs, logits = outputs[:, None], logits[:, None]
        probabilities = None if probabilities is None else probabilities[:, None]
    return Head(outputs, logits, probabilities, binary and outputs.shape[-1] == 1)


def predicted(head: Head) -> ClassIds:
    """Name each image's predicted class.

    The largest logit; for one unit under a sigmoid, 1 where its logit is positive, else 0; for
    one unit without, 0 (a number is no class). On a grid, the class with the largest mean logit
    over the grid, or 1 (the foreground) for one unit.
    """
    batch = ops.shape(head.logits)[:1]
    if head.units == 1:
        if not head.binary:
            return ops.zeros(batch, "int32")
        if head.dense:
            return ops.ones(batch, "int32")
        return ops.cast(head.logits[:, 0] > 0, "int32")
    logits = head.logits
    if head.dense:
        logits = ops.mean(logits, grid_axes(logits, features=True))
    return largest(logits)


def largest(values: Outputs) -> Any:
    """Return the first place of the largest value along the last axis, int32."""
    # Keras's argmax takes 0.0 for larger than -0.0.
    return ops.argmax(ops.where(values == 0, ops.zeros_like(values), values), -1)


def of_class(head: Head, values: Outputs, classes: ClassIds) -> Outputs:
    """Take each image's entry of `values`, shape (batch, *grid, units), for its own class."""
    if head.units == 1:
        return values[..., 0]
    return ops.take_along_axis(values, expand(classes, values), -1)[..., 0]


def probabilities(head: Head, classes: ClassIds) -> Scores:
    """Return each image's probability of its own class; NaN if the model returns none.

    On a grid it is the mean over the grid. Class 0 of a binary head has 1 - p.
    """
    if head.probabilities is None:
        return ops.full(ops.shape(classes), float("nan"), head.outputs.dtype)
    chance = of_class(head, head.probabilities, classes)
    if head.binary:
        chance = ops.where(expand(classes, chance) == 1, chance, 1 - chance)
    return ops.mean(chance, grid_axes(chance)) if head.dense else chance


def signs(head: Head, classes: ClassIds) -> Scores:
    """Return 1 for each image, or -1 if its class is 0 of a binary head; shape (batch,)."""
    if not head.binary:
        return ops.ones_like(classes, head.logits.dtype)
    return ops.cast(2 * classes - 1, head.logits.dtype)


def expand(values: Outputs, like: Outputs) -> Outputs:
    """Reshape `values`, one per image, to the axes of `like`."""
    return ops.reshape(values, [-1] + [1] * (len(like.shape) - 1))
