"""Activations that multiply a number by a function of itself, in the graph: GELU, hard SiLU."""

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

import tensorflow as tf

# These work on each number by itself.
_ELEMENTWISE = {
    "Abs", "Add", "AddV2", "Cast", "Elu", "Erf", "Erfc", "Exp", "Identity", "Log", "Log1p",
    "Maximum", "Minimum", "Mul", "Neg", "Pow", "RealDiv", "Relu", "Relu6", "Sigmoid", "Softplus",
    "Softsign", "Sqrt", "Square", "Sub", "Tanh",
}  # fmt: skip
_MULTIPLES = {"Cast", "Identity", "Mul", "Neg", "RealDiv"}


class Gate(NamedTuple):
    """An activation that is a product.

    Attributes:
        operation: The product.
        place: Which of its factors is a multiple of the number.
        number: What it is a function of.
        inside: The names of the operations between.
    """

    operation: tf.Operation
    place: int
    number: tf.Tensor
    inside: frozenset[str]


def find(operations: Sequence[tf.Operation], reached: Collection[str]) -> list[Gate]:
    """Find the products of a number and a function of itself.

    Args:
        operations: Those that count, in the order in which they were made.
        reached: Their names: what else a product is of is a constant.
    """
    gates = (_gate(each, reached) for each in operations if each.type == "Mul")
    return [gate for gate in gates if gate is not None]


def _gate(product: tf.Operation, reached: Collection[str]) -> Gate | None:
    if not all(tensor.op.name in reached for tensor in product.inputs):
        return None
    for place in (0, 1):
        numbers = [*_multiples(product.inputs[place], reached)]
        for steps, number in enumerate(numbers):
            inside = _between(product.inputs[1 - place], number, reached)
            if inside is not None and _same_shape(number, product.outputs[0]):
                own = {each.op.name for each in numbers[:steps]}
                return Gate(product, place, number, frozenset(inside | own))
    return None


def _multiples(tensor: tf.Tensor, reached: Collection[str]) -> Iterator[tf.Tensor]:
    """Go back from a tensor to what it is a multiple of, itself first."""
    while True:
        yield tensor
        inner = [each for each in tensor.op.inputs if each.op.name in reached]
        if tensor.op.type not in _MULTIPLES or len(inner) != 1:
            return
        if tensor.op.type == "RealDiv" and tensor.op.inputs[0] is not inner[0]:
            return
        (tensor,) = inner


def _between(tensor: tf.Tensor, number: tf.Tensor, reached: Collection[str]) -> set[str] | None:
    """Name the operations from a number to a function of it; None if it is one of others too."""
    waiting, names = [tensor], set[str]()
    while waiting:
        each = waiting.pop()
        if each.name == number.name or each.op.name in names:
            continue
        if each.op.name not in reached:  # a constant
            continue
        if each.op.type not in _ELEMENTWISE or not _same_shape(each, number):
            return None
        names.add(each.op.name)
        waiting.extend(each.op.inputs)
    return names


def _same_shape(one: tf.Tensor, other: tf.Tensor) -> bool:
    return one.shape.rank is not None and one.shape.as_list() == other.shape.as_list()
