"""What a graph changes when it runs: variables that a layer assigns to, past Keras's own."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from .graph import function_graph

# Operations that hand their inputs to functions: by attribute, and the first input handed on.
_CALLS = {
    "StatefulPartitionedCall": (("f",), 0),
    "While": (("body",), 0),
    "If": (("then_branch", "else_branch"), 1),
}
_RANDOM_STATES = {"RngReadAndSkip", "RngSkip"}


def assigned_variables(traced: Any) -> list[tf.Variable]:
    """List the variables that a traced function assigns to.

    Args:
        traced: A concrete function.
    """
    return _assigned_by(traced.graph)


def check_assigns_none(graph: Any, kept: str) -> None:
    """Raise a ValueError if a graph assigns to variables, where that cannot be undone.

    Args:
        graph: A function's graph, traced or being traced.
        kept: What the graph is to become, for the message.
    """
    names = ", ".join(repr(variable.name) for variable in _assigned_by(graph))
    if names:
        raise ValueError(
            f"the model assigns to {names} in its call, and {kept}: assign only if training=True, "
            f"or hold the state in a keras.Variable, from add_weight"
        )


def _assigned_by(graph: Any) -> list[tf.Variable]:
    changed = _assigned(graph)
    handles = [outer for outer, inner in graph.captures if inner.name in changed]
    return [each for each in graph.variables if any(each.handle is one for one in handles)]


@contextmanager
def as_they_were(variables: Sequence[tf.Variable]) -> Iterator[None]:
    """Put variables back to their values at the end, also after an error."""
    before = [tf.identity(variable) for variable in variables]
    try:
        yield
    finally:
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)


def _assigned(graph: Any) -> set[str]:
    """Name the tensors of a graph that are handles of variables that it assigns to."""
    names: set[str] = set()
    for operation in graph.get_operations():
        kind = operation.type
        if kind in _CALLS:
            attributes, begin = _CALLS[kind]
            for attribute in attributes:
                names |= _assigned_inside(operation, attribute, begin)
        elif _assigns(kind):
            names.add(operation.inputs[0].name)
    return names


def _assigns(kind: str) -> bool:
    assigning = kind.startswith("Assign") and kind.endswith("VariableOp")
    return assigning or kind.startswith("ResourceScatter") or kind in _RANDOM_STATES


def _assigned_inside(operation: tf.Operation, attribute: str, begin: int) -> set[str]:
    body = function_graph(operation, operation.get_attr(attribute).name)
    if body is None:
        return set()
    names = _assigned(body)
    pairs = zip(operation.inputs[begin:], body.inputs, strict=False)
    return {outer.name for outer, inner in pairs if inner.name in names}
