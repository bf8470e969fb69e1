"""DeepLIFT's rescale rule: a backward step by differences, for operations of a traced graph.

A batch holds images and, in its second half, a baseline of each. Backwards through an operation
that bends, a gradient is multiplied by the difference of its outputs over that of its inputs,
between the two halves, in place of by its derivative.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import partial

import tensorflow as tf

from .._types import Scores
from . import gates, graph, inside, relu

_POINTWISE: dict[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "Abs": tf.abs,
    "Atan": tf.atan,
    "Cos": tf.cos,
    "Elu": tf.nn.elu,
    "Erf": tf.math.erf,
    "Erfc": tf.math.erfc,
    "Exp": tf.exp,
    "Expm1": tf.math.expm1,
    "Log": tf.math.log,
    "Log1p": tf.math.log1p,
    "Relu": tf.nn.relu,
    "Relu6": tf.nn.relu6,
    "Rsqrt": tf.math.rsqrt,
    "Selu": tf.nn.selu,
    "Sigmoid": tf.sigmoid,
    "Sin": tf.sin,
    "Softplus": tf.nn.softplus,
    "Softsign": tf.nn.softsign,
    "Sqrt": tf.sqrt,
    "Square": tf.square,
    "Tanh": tf.tanh,
}
_MAXIMA = {"Max", "MaxPool", "MaxPool3D"}
_RULED = {*_POINTWISE, *_MAXIMA, "LeakyRelu"}
_PRODUCTS = {"Mul", "MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "Einsum"}
# What bends and has no rule, in words.
_WITHOUT_RULE = {
    "If": "branches",
    "LRN": "local response normalization",
    "LogSoftmax": "softmax",
    "Maximum": "maxima of several",
    "Min": "minima",
    "Minimum": "minima",
    "PartitionedCall": "functions",
    "Pow": "powers",
    "Prod": "products of activations",
    "Softmax": "softmax",
    "SquaredDifference": "products of activations",
    "StatefulPartitionedCall": "functions",
    "StatelessIf": "branches",
    "StatelessWhile": "loops",
    "While": "loops",
}
_CALLS = {"PartitionedCall", "StatefulPartitionedCall"}
_KNOWN_TO_BEND = {*_RULED, *_WITHOUT_RULE} - _CALLS
_RULE = "KerascamRescale"
_LIMITS = ("KerascamRescaleLimitFirst", "KerascamRescaleLimitSecond")  # by the input that is one
_GATES = ("KerascamRescaleFirst", "KerascamRescaleSecond")  # by the factor that is a multiple
# Differences below that share of what they are between are rounding.
_ROUNDING = {
    tf.bfloat16: 2.0**-5,
    tf.float16: 2.0**-8,
    tf.float32: 2.0**-20,
    tf.float64: 2.0**-49,
}


def apply(values: tf.Tensor, scores: Scores) -> set[str]:
    """Let operations between some values and the scores follow the rule.

    Args:
        values: Images, and in the second half of the batch their baselines.
        scores: What is to be differentiated, before it is.

    Returns:
        In words, what bends and has no rule: it keeps its gradient.
    """
    operations = graph.between([values], scores)
    reached = {operation.name for operation in operations}
    between = {name for each in operations if relu.is_swish(each) for name in _behind(each)}
    products = gates.find(operations, reached)
    between |= {name for gate in products for name in gate.inside}
    rules = {gate.operation.name: _GATES[gate.place] for gate in products}
    without: set[str] = set()
    for operation in operations:
        rule = rules.get(operation.name, _RULE)
        if graph.is_limit(operation, reached):
            rule = _LIMITS[operation.inputs[0].op.name not in reached]
        if rule != _RULE or operation.type in _RULED or relu.is_swish(operation):
            operation._set_attr("_gradient_op_type", tf.compat.v1.AttrValue(s=rule.encode()))
        elif operation.name not in between:
            without |= _without_rule(operation, reached)
    return without


def _without_rule(operation: tf.Operation, reached: set[str]) -> set[str]:
    kind = operation.type
    inner = [tensor.op.name in reached for tensor in operation.inputs]
    constants = [each for each in operation.inputs if each.op.name not in reached]
    if kind in _CALLS and not _bends_inside(operation):
        return set()
    if kind in _PRODUCTS and sum(inner) > 1:
        return {"products of activations"}
    if kind in ("RealDiv", "DivNoNan") and inner[1]:
        return {"divisions by activations"}
    if kind in ("Select", "SelectV2") and graph.depends(operation.inputs[0], reached):
        return {"choices by activations"}
    if kind == "Mul" and any(graph.depends(each, reached) for each in constants):
        return {"choices by activations"}
    return {_WITHOUT_RULE[kind]} if kind in _WITHOUT_RULE else set()


def _bends_inside(call: tf.Operation) -> bool:
    """Tell whether what an operation calls holds more than sums and products with constants."""
    found, closed, _ = inside.hidden([call], (), lambda each: each.type in _KNOWN_TO_BEND)
    return bool(found or closed)


def _behind(swish: tf.Operation) -> set[str]:
    """Name what lies between SiLU's input and its last operation."""
    given = {tensor.op.name for tensor in swish.inputs[1:]}
    return graph.ancestors([swish.inputs[0]], without=given)


def _rescaled(
    operation: tf.Operation, *gradients: tf.Tensor, place: int = 0
) -> list[tf.Tensor | None]:
    """Return the gradients of an operation's inputs by the rule: none but of that at a place."""
    if operation.type == "IdentityN":
        place = 1  # SiLU hands on its result, then its input
    given, result = operation.inputs[place], operation.outputs[0]
    # The multipliers of both halves are those that lead to the scores of the first.
    first, _ = _halves(gradients[0])
    gradient = tf.concat([first, first], 0)
    before, after = _difference(given), _difference(result)
    if operation.type in _MAXIMA:
        # What the larger maximum has more than the other goes to where it was taken.
        shares = tf.concat([first * tf.nn.relu(after), -first * tf.nn.relu(-after)], 0)
        numerator = tf.add_n(_halves(_ordinary(operation, given, shares)))
    else:
        numerator = first * after
    apart = _apart(given, before)
    found = numerator / tf.where(apart, before, tf.ones_like(before))
    found = tf.where(apart, found, _halves(_ordinary(operation, given, gradient))[0])
    others: list[tf.Tensor | None] = [None] * (len(operation.inputs) - 1)
    return [*others[:place], tf.concat([found, found], 0), *others[place:]]


def _gated(operation: tf.Operation, gradient: tf.Tensor, place: int) -> list[tf.Tensor]:
    """Return the gradients of the factors of an activation that is a product, by the rule."""
    given, other = operation.inputs[place], operation.inputs[1 - place]
    first, _ = _halves(gradient)
    before, after = _difference(given), _difference(operation.outputs[0])
    apart = _apart(given, before)
    found = first * after / tf.where(apart, before, tf.ones_like(before))
    # All of it goes by way of the one factor; where that does not differ, by both.
    own = tf.where(apart, found, first * _halves(other)[0])
    rest = tf.where(apart, tf.zeros_like(found), first * _halves(given)[0])
    both = [tf.concat([each, each], 0) for each in (own, rest)]
    return both if place == 0 else both[::-1]


def _apart(given: tf.Tensor, difference: tf.Tensor) -> tf.Tensor:
    """Tell where two halves differ by more than rounding."""
    size = tf.add_n([tf.abs(half) for half in _halves(given)])
    return tf.abs(difference) > _ROUNDING[difference.dtype] * size


def _halves(tensor: tf.Tensor) -> list[tf.Tensor]:
    return tf.split(tensor, 2)


def _difference(tensor: tf.Tensor) -> tf.Tensor:
    first, second = _halves(tensor)
    return first - second


def _ordinary(operation: tf.Operation, given: tf.Tensor, gradient: tf.Tensor) -> tf.Tensor:
    """Return the gradient by the operation's own derivative: that of one that is made again."""
    return tf.gradients(_again(operation, given), given, grad_ys=gradient)[0]


def _again(operation: tf.Operation, given: tf.Tensor) -> tf.Tensor:
    kind = operation.type
    if kind in _POINTWISE:
        return _POINTWISE[kind](given)
    if kind == "LeakyRelu":
        return tf.nn.leaky_relu(given, operation.get_attr("alpha"))
    if kind == "IdentityN":
        return tf.nn.silu(given, *operation.inputs[2:])
    if kind in graph.EXTREMES:
        limit = next(each for each in operation.inputs if each.name != given.name)
        return (tf.maximum if kind == "Maximum" else tf.minimum)(given, limit)
    if kind == "Max":
        return tf.reduce_max(given, operation.inputs[1], operation.get_attr("keep_dims"))
    names = ["ksize", "strides", "padding", "data_format"]
    names += ["explicit_paddings"] * (kind == "MaxPool")
    settings = {name: operation.get_attr(name) for name in names}
    return getattr(tf.raw_ops, kind)(input=given, **settings)


with suppress(KeyError):  # registered already, if the module is loaded again
    tf.RegisterGradient(_RULE)(_rescaled)
    for _place, (_gate, _limit) in enumerate(zip(_GATES, _LIMITS, strict=True)):
        tf.RegisterGradient(_gate)(partial(_gated, place=_place))
        tf.RegisterGradient(_limit)(partial(_rescaled, place=_place))
