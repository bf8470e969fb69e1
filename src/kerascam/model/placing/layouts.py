"""Read a traced graph: what the axes of each tensor run along, from the image onwards."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf

from .. import graph
from . import blocks, joins, movements, products
from .atoms import BATCH, IMAGE, Atom, Layout, feature
from .constants import called_with, number
from .loops import takes_turns
from .rules import RULES, UNKNOWN, Known, LostError, Step, joined, lengths

# Their rules are found by the types of operations.
_RULES_OF = (blocks, joins, movements, products)
# Operations that work on each number by itself, or along an axis that stays what it was.
ELEMENTWISE = frozenset((
    "Abs", "Add", "AddN", "AddV2", "Angle", "Atan", "Atan2", "BiasAdd", "Cast", "Ceil",
    "CheckNumerics", "ClipByValue", "ComplexAbs", "Conj", "Cos", "Cosh", "Cumprod", "Cumsum",
    "Div", "DivNoNan", "Elu", "EnsureShape", "Equal", "Erf", "Erfc", "Exp", "Expm1",
    "FakeQuantWithMinMaxArgs", "FakeQuantWithMinMaxVars", "FakeQuantWithMinMaxVarsPerChannel",
    "Floor", "FloorDiv", "FloorMod", "FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3",
    "Greater", "GreaterEqual", "Imag", "Inv", "IsFinite", "IsInf",
    "IsNan", "L2Loss", "LRN", "LeakyRelu", "Less", "LessEqual", "Log", "Log1p", "LogSoftmax",
    "LogicalAnd", "LogicalNot", "LogicalOr", "Maximum", "Minimum", "Mod", "Mul", "MulNoNan",
    "Neg", "NotEqual", "Pow", "Real", "RealDiv", "Reciprocal", "Relu", "Relu6",
    "Rint", "Round", "Rsqrt", "Select", "SelectV2", "Selu", "Sigmoid", "Sign", "Sin", "Sinh",
    "Softmax", "Softplus", "Softsign", "Sqrt", "Square", "SquaredDifference",
    "Sub", "Tan", "Tanh", "TruncateDiv", "Xdivy", "Xlog1py",
))  # fmt: skip
# Operations that hand each tensor on as it is.
HANDING_ON = frozenset({"Identity", "IdentityN", "PreventGradient", "Snapshot", "StopGradient"})
_NO_VALUES = frozenset({"Shape", "ShapeN", "Size", "Rank", "ZerosLike", "OnesLike"})
_CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})
_BRANCHES = frozenset({"If", "StatelessIf"})
_LOOPS = frozenset({"While", "StatelessWhile"})


@dataclass
class Layouts:
    """What the axes of the tensors of a graph run along.

    Attributes:
        found: By tensor name, for all that depend on the image; UNKNOWN after an operation that
            the rules do not know.
        mixing: The first operation whose output holds sums over an axis of the image while it
            still runs along others: pairs of the axes that it reads and those that it keeps.
        strangers: The types of the operations that the rules do not know.
    """

    found: dict[str, Known] = field(default_factory=dict)
    mixing: tuple[frozenset[int], frozenset[int]] | None = None
    strangers: set[str] = field(default_factory=set)

    def of(self, tensor: tf.Tensor) -> Known | None:
        """Return what is known of a tensor; None if it does not depend on the image."""
        return self.found.get(tensor.name)


def image_layout(shape: Sequence[int | None], channel: int | None = None) -> Layout:
    """Return the layout of the image input itself.

    Args:
        shape: Its shape, batch first.
        channel: Which axis its channels run along, the batch axis not counted; None if that is
            not known: it is then an axis like the others.
    """
    lengths = tuple(shape)
    grid = (
        feature(n) if axis == channel else (Atom(IMAGE, n, axis=axis, step=1.0),)
        for axis, n in enumerate(lengths[1:])
    )
    return Layout(((Atom(BATCH, lengths[0]),), *grid))


def layouts_of(
    image: tf.Tensor, operations: Sequence[tf.Operation], channel: int | None = None
) -> Layouts:
    """Follow the image through the operations of a graph.

    Args:
        image: The image input, batch first.
        operations: Those of its graph, in the order in which they were made.
        channel: As of `image_layout`.
    """
    layouts = Layouts({image.name: image_layout(tuple(image.shape), channel)})
    _follow(layouts, layouts.found, operations)
    return layouts


def _follow(layouts: Layouts, found: dict[str, Known], operations: Sequence[tf.Operation]) -> None:
    for operation in operations:
        if operation.type in _NO_VALUES:
            continue
        given = [found.get(tensor.name) for tensor in operation.inputs]
        if any(layout is not None for layout in given):
            results = _through(layouts, operation, given)
            for tensor, layout in zip(operation.outputs, results, strict=False):
                if layout is not None:
                    found[tensor.name] = layout
            _note_mixing(layouts, operation, given, results)


def _through(
    layouts: Layouts, operation: tf.Operation, given: Sequence[Known | None]
) -> Sequence[Known | None]:
    kind, unknown = operation.type, [UNKNOWN] * len(operation.outputs)
    try:
        if kind in HANDING_ON:
            return given
        if kind in _CALLS:
            return _inside(layouts, _function(operation, "f"), given, operation.inputs)
        if kind in _BRANCHES:
            return _either(layouts, operation, given[1:])
        if kind in _LOOPS:
            return _around(layouts, operation, given)
        if kind in ELEMENTWISE:
            results: Sequence[Known] = [joined(given, lengths(operation.outputs[0]))] * len(unknown)
        elif kind in RULES and UNKNOWN not in given:
            results = RULES[kind](Step(operation, given))
        else:
            results = unknown
    except LostError:
        results = unknown
    if UNKNOWN in results and (UNKNOWN not in given or not _is_known(kind)):
        layouts.strangers.add(kind)
    return results


def _is_known(kind: str) -> bool:
    return kind in ELEMENTWISE or kind in RULES


def _function(operation: tf.Operation, attribute: str) -> Any:
    found = graph.function_graph(operation, operation.get_attr(attribute).name)
    if found is None:
        raise LostError
    return found


def _either(
    layouts: Layouts, operation: tf.Operation, given: Sequence[Known | None]
) -> Sequence[Known | None]:
    """Go through the branch that is taken; through both, if only the run tells, if they agree."""
    condition = number(operation.inputs[0])
    names = ["then_branch", "else_branch"]
    if condition is not None and not np.isnan(condition):
        names = names[:1] if condition else names[1:]
    bodies = [_function(operation, name) for name in names]
    found = [_inside(layouts, body, given, operation.inputs[1:]) for body in bodies]
    return [each[0] if len(set(each)) == 1 else UNKNOWN for each in zip(*found, strict=True)]


def _inside(
    layouts: Layouts, body: Any, given: Sequence[Known | None], inputs: Sequence[tf.Tensor]
) -> Sequence[Known | None]:
    """Go through the body of a function.

    Args:
        layouts: Filled on the way.
        body: Its graph.
        given: What is known of each of its inputs.
        inputs: The tensors that stand for these outside; none in a loop, where they change.
    """
    found: dict[str, Known] = {
        tensor.name: layout
        for tensor, layout in zip(body.inputs, given, strict=False)
        if layout is not None
    }
    with called_with(body.inputs, inputs):
        _follow(layouts, found, body.get_operations())
    return [found.get(tensor.name) for tensor in body.outputs]


def _around(
    layouts: Layouts, operation: tf.Operation, given: Sequence[Known | None]
) -> Sequence[Known | None]:
    """Go through the body of a loop, such as that of a recurrent layer, until nothing changes.

    What an iteration writes at its place of a list lies where what it read from another list lay:
    if both places are counted by the loop.
    """
    body = _function(operation, "body")
    if not takes_turns(operation, body):
        raise LostError
    once = _inside(layouts, body, given, ())
    again = _inside(layouts, body, once, ())
    return [one if one == other else UNKNOWN for one, other in zip(once, again, strict=True)]


def _note_mixing(
    layouts: Layouts,
    operation: tf.Operation,
    given: Sequence[Known | None],
    results: Sequence[Known | None],
) -> None:
    if layouts.mixing is not None or operation.type not in products.MIXING:
        return
    if any(layout is UNKNOWN for layout in (*given, *results)):
        return
    read, kept = _image_axes(given), _image_axes(results)
    fixed = {axis for layout in results if isinstance(layout, Layout) for axis, _ in layout.fixed}
    if kept or fixed:
        layouts.mixing = frozenset(read | fixed), frozenset(kept | fixed)


def _image_axes(layouts: Sequence[Known | None]) -> set[int]:
    return set().union(*(layout.image_axes for layout in layouts if isinstance(layout, Layout)))
