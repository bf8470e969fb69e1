"""Replace the backward step of every ReLU while a graph is traced, and count them.

The replacement is made at graph level, so that it reaches a ReLU wherever it is: in a layer's
`activation`, in `keras.ops.relu`, in a nested or subclassed model. `tf.gradients` obeys it;
`GradientTape` does not, which Guided Grad-CAM uses: both gradients come from one forward pass.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

import tensorflow as tf

from ..registry import ReluRule
from . import inside

_RELUS = ("Relu", "Relu6")
# Activations that a ReLU rule says nothing about, as they show in a graph.
_OTHERS = {"Elu", "Selu", "LeakyRelu", "Softplus", "Softsign", "Tanh"}
_GELU = {"Erf", "Erfc"}


class ReluCount(NamedTuple):
    """How many ReLUs follow the rule, and which activations do not.

    Attributes:
        replaced: How many ReLUs follow it.
        others: The kinds of other activations.
        hidden: Where ReLUs lie that it does not reach, such as the body of a loop, and how many.
        closed: Where nobody can see whether there are ReLUs.
    """

    replaced: int
    others: tuple[str, ...]
    hidden: dict[str, int]
    closed: tuple[str, ...]


def _part_of(operation: tf.Operation) -> str | None:
    """Name the activation that a ReLU is only a part of: its backward step is not replaced.

    The gate of hard sigmoid and hard SiLU is relu6(x + 3) / 6; PReLU's negative half relu(-x).
    """
    maker = operation.inputs[0].op.type
    users = {user.type for user in operation.outputs[0].consumers()}
    if operation.type == "Relu6" and maker in {"AddV2", "Add"} and users & {"Mul", "RealDiv"}:
        return "HardSigmoid"
    return "PReLU" if maker == "Neg" else None


def _own(operation: tf.Operation, gradient: tf.Tensor) -> tf.Tensor:
    backward = tf.raw_ops.Relu6Grad if operation.type == "Relu6" else tf.raw_ops.ReluGrad
    return backward(gradients=gradient, features=operation.outputs[0])


def _register(rule: str, backward: object) -> str:
    name = f"Kerascam{rule.capitalize()}Relu"
    with suppress(KeyError):  # registered already, if the module is loaded again
        tf.RegisterGradient(name)(backward)
    return name


def _guided(operation: tf.Operation, gradient: tf.Tensor) -> tf.Tensor:
    return _own(operation, gradient if _part_of(operation) else tf.nn.relu(gradient))


def _deconvnet(operation: tf.Operation, gradient: tf.Tensor) -> tf.Tensor:
    return _own(operation, gradient) if _part_of(operation) else tf.nn.relu(gradient)


_GRADIENT_NAMES = {
    "guided": _register("guided", _guided),
    "deconvnet": _register("deconvnet", _deconvnet),
}


@contextmanager
def replaced(rule: ReluRule | None) -> Iterator[None]:
    """Let every ReLU traced inside have the rule's backward step; with None, its own."""
    if rule is None:
        yield
        return
    graph = tf.compat.v1.get_default_graph()
    with graph.gradient_override_map(dict.fromkeys(_RELUS, _GRADIENT_NAMES[rule])):
        yield


def count(rule: ReluRule, reachable: set[str], layers: Collection[str]) -> ReluCount:
    """Count the ReLUs of the current graph that follow the rule.

    Args:
        rule: The rule.
        reachable: The names of the operations that count.
        layers: The names of the model's layers.
    """
    graph = tf.compat.v1.get_default_graph()
    operations = [op for op in graph.get_operations() if op.name in reachable]
    hidden, closed, apart = inside.hidden(operations, layers, _is_whole)
    followers = [
        op for op in operations
        if op.type in _RELUS and op.node_def.attr["_gradient_op_type"].s.decode()
        == _GRADIENT_NAMES[rule] and op.name not in apart
    ]  # fmt: skip
    others = {op.type for op in operations if op.type in _OTHERS}
    others |= {"GELU" for op in operations if op.type in _GELU}
    others |= {"SiLU" for op in operations if is_swish(op)}
    parts = [_part_of(op) for op in followers]
    others |= set(filter(None, parts))
    return ReluCount(parts.count(None), tuple(sorted(others)), hidden, closed)


def _is_whole(operation: tf.Operation) -> bool:
    return operation.type in _RELUS and _part_of(operation) is None


def is_swish(operation: tf.Operation) -> bool:
    """Tell whether an operation is the last of SiLU."""
    # TensorFlow's SiLU is a function with its own gradient around x * sigmoid(x).
    if operation.type != "IdentityN":
        return False
    return any(tensor.op.type == "Mul" for tensor in operation.inputs)
