"""The last step of a model, in the graph that is being traced: a softmax, a sigmoid, or none."""

from typing import Any

from keras import ops

from .._types import Outputs

# Operations that hand every element on, in order: a softmax before them is still the last one.
_PASSING = {"Identity", "Cast", "Reshape", "Squeeze", "ExpandDims", "EnsureShape"}
_NORMALIZING = {"Softmax", "LogSoftmax", "Sigmoid"}
_ELEMENTWISE = {"Mul", "RealDiv", "AddV2", "Sub", "Maximum", "Minimum", "ClipByValue", "Log"}


def find_logits(outputs: Outputs) -> Outputs | None:
    """Find the input of the softmax or sigmoid that `outputs` comes from, of log-softmax too.

    Keras leaves it on the tensor that its own activations return; after `tf.nn.softmax`, a cast
    or a reshape, the traced graph is walked back instead. The model is not touched.

    Args:
        outputs: A tensor of a graph that is being traced, shape (batch, ..., units).

    Returns:
        The logits, of the shape of `outputs`; None if the last step is no softmax or sigmoid.
    """
    noted = getattr(outputs, "_keras_logits", None)
    if noted is not None:
        return noted
    operation = last_step(outputs)
    if operation.type not in _NORMALIZING:
        return None
    return ops.reshape(operation.inputs[0], ops.shape(outputs))


def last_step(outputs: Outputs) -> Any:
    """Return the operation that gave `outputs`, or the one whose elements were handed on."""
    operation = outputs.op
    while operation.type in _PASSING or _takes_only_unit(operation):
        operation = operation.inputs[0].op
    return operation


def _takes_only_unit(operation: Any) -> bool:
    """Tell whether this is `outputs[:, 0]` of a head of one unit."""
    return operation.type == "StridedSlice" and operation.inputs[0].shape[1:] == [1]


def is_changed_probability(outputs: Outputs) -> bool:
    """Tell whether `outputs` is a softmax's or sigmoid's, scaled, shifted or clipped after it.

    Such an output has no logits of its own; its gradient vanishes where the softmax saturates.
    """
    operation = outputs.op
    while operation.type in _PASSING | _ELEMENTWISE:
        operation = operation.inputs[0].op
    return operation is not outputs.op and operation.type in _NORMALIZING
