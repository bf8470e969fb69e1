"""Operations that a change of gradients in the traced graph does not reach."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence

import tensorflow as tf

from . import graph

# What calls functions of the graph, by the names of its attributes.
_BODIES = ("f", "body", "then_branch", "else_branch", "branches")
#: The types of operations that run Python code, which only the process that traced them has.
PYTHON_CODE = frozenset({"EagerPyFunc", "PyFunc", "PyFuncStateless"})
# What runs code that the graph does not hold.
_CLOSED = PYTHON_CODE | {"XlaCallModule", "TPUPartitionedCall"}
_CUSTOM = "CustomGradient"


def hidden(
    operations: Sequence[tf.Operation],
    layers: Collection[str],
    wanted: Callable[[tf.Operation], bool],
) -> tuple[dict[str, int], tuple[str, ...], set[str]]:
    """Find operations that take their gradients from elsewhere than the traced graph.

    They lie in the body of a function, such as a SavedModel's, of a loop, such as a recurrent
    layer's, or of a branch; or where a gradient is computed by the model's own rule, as for
    values that are computed again in the backward pass.

    Args:
        operations: Those of the traced graph that count.
        layers: The names of the model's layers.
        wanted: Whether an operation is looked for.

    Returns:
        How many there are, by where they lie; where code lies that cannot be seen; and the names
        of those of `operations` that a rule of the model's own stands before.
    """
    found: Counter[str] = Counter()
    closed: list[str] = []
    apart: set[str] = set()
    needed = {operation.name for operation in operations}
    for operation in operations:
        place = _place(operation, layers)
        if operation.type in _CLOSED:
            closed.append(place)
        for inner in _inside(operation, set()):
            if inner.type in _CLOSED:
                closed.append(place)
            found[place] += wanted(inner)
        if _has_own_rule(operation):
            for inner in _under_own_rule(operation, needed):
                if inner.name not in apart:
                    found[place] += wanted(inner)
                    apart.add(inner.name)
    return {place: n for place, n in found.items() if n}, tuple(dict.fromkeys(closed)), apart


def runs_closed_code(scores: tf.Tensor) -> bool:
    """Tell whether scores depend on code that the graph does not hold, such as Python's."""
    names = graph.ancestors([scores])
    return any(
        each.type in _CLOSED and each.name in names for each in scores.graph.get_operations()
    )


def _place(operation: tf.Operation, layers: Collection[str]) -> str:
    """Name the layer in whose scope an operation lies, with the layers around it.

    A scope that is opened again gets a number after its name.
    """
    scopes = [
        scope if scope in layers else re.sub(r"_\d+$", "", scope)
        for scope in operation.name.split("/")
    ]
    return "/".join(scope for scope in scopes[1:] if scope in layers) or scopes[-1]


def _inside(operation: tf.Operation, seen: set[str]) -> Iterator[tf.Operation]:
    """Go through the operations of the functions that an operation calls, each function once."""
    for name in _called(operation):
        if name in seen:
            continue
        seen.add(name)
        body = graph.function_graph(operation, name)
        for inner in () if body is None else body.get_operations():
            yield inner
            yield from _inside(inner, seen)


def _called(operation: tf.Operation) -> list[str]:
    attributes = operation.node_def.attr
    names = [attributes[each].func.name for each in _BODIES if each in attributes]
    names += [
        each.name for key in _BODIES if key in attributes for each in attributes[key].list.func
    ]
    return [name for name in names if name]


def _has_own_rule(operation: tf.Operation) -> bool:
    name = operation.node_def.attr["_gradient_op_type"].s.decode()
    return operation.type == "IdentityN" and name.startswith(_CUSTOM)


def _under_own_rule(operation: tf.Operation, needed: set[str]) -> Iterator[tf.Operation]:
    """Go through what lies between a rule's results and its arguments, which follow them."""
    results = [
        given.op
        for given, made in zip(operation.inputs, operation.outputs, strict=True)
        if any(user.name in needed for user in made.consumers())
    ]
    seen = {tensor.op.name for tensor in operation.inputs} - {each.name for each in results}
    while results:
        inner = results.pop()
        if inner.name not in seen:
            seen.add(inner.name)
            yield inner
            results += [tensor.op for tensor in inner.inputs]
