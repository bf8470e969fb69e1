"""Whether a loop goes through its lists one place after the other, as a recurrent layer does."""

from typing import Any

import tensorflow as tf

from .constants import number

_LISTS = ("TensorListGetItem", "TensorListSetItem")


def takes_turns(loop: tf.Operation, body: Any) -> bool:
    """Tell whether each iteration reads and writes the place of lists that is its own number.

    One that always writes the same place, as a layer that returns its last state alone does, keeps
    what the last iteration wrote.

    Args:
        loop: The operation.
        body: The graph of what it repeats.
    """
    counted = {
        inner.name
        for outer, inner, after in zip(loop.inputs, body.inputs, body.outputs, strict=True)
        if inner.dtype.is_integer and _is(number(outer), 0) and _adds_one(inner, _source(after))
    }
    return all(
        _source(operation.inputs[1]).name in counted
        or (operation.type == "TensorListSetItem" and number(operation.inputs[1]) is not None)
        for operation in body.get_operations()
        if operation.type in _LISTS
    )


def _source(tensor: tf.Tensor) -> tf.Tensor:
    while tensor.op.type == "Identity":
        tensor = tensor.op.inputs[0]
    return tensor


def _is(value: Any, wanted: int) -> bool:
    return value is not None and value.size == 1 and float(value.ravel()[0]) == wanted


def _adds_one(before: tf.Tensor, after: tf.Tensor) -> bool:
    if after.op.type not in ("Add", "AddV2"):
        return False
    one, other = map(_source, after.op.inputs)
    return (one.name == before.name and _is(number(other), 1)) or (
        other.name == before.name and _is(number(one), 1)
    )
