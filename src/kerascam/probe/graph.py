"""Questions to the graph that is being traced."""

from collections.abc import Iterable

import tensorflow as tf

CALLS = {"PartitionedCall", "StatefulPartitionedCall"}


def ancestors(tensors: Iterable[tf.Tensor]) -> set[str]:
    """Name every operation that the tensors depend on, their own included."""
    waiting = [tensor.op for tensor in tensors]
    names: set[str] = set()
    while waiting:
        operation = waiting.pop()
        if operation.name not in names:
            names.add(operation.name)
            waiting.extend(tensor.op for tensor in operation.inputs)
    return names


def is_foreign(tensor: tf.Tensor) -> bool:
    """Tell whether a tensor belongs to another graph: that of an inner `tf.function`."""
    return tensor.graph is not tf.compat.v1.get_default_graph()


def is_hidden(tensor: tf.Tensor) -> bool:
    """Tell whether a tensor comes straight out of an inner `tf.function`."""
    return tensor.op.type in CALLS
