"""What biases add to a score: constants that are added on the way from the images, in the graph."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import tensorflow as tf

from .._types import Features, Scores
from ..resizing import Edges
from . import graph, relu, scoring
from .forms import followed, grid_on
from .input_form import InputForm

_SUMS = {"Add", "AddV2", "AddN", "BiasAdd", "Sub"}
_NORMS = {"FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"}
# What these return is the slope times what they are given, and something more.
_BENT = {"Elu", "Relu6", "Selu", "Sigmoid", "Softplus", "Softsign", "Tanh"}


class Biases(NamedTuple):
    """What each bias adds to the scores: itself times the score's gradient where it is added.

    Attributes:
        terms: Of those that are added on a grid of the images, (batch, *grid, features).
        edges: For each of them, what part of the images its grid covers; see `Form`.
        total: What all together add, shape (batch,).
        lost: Names of those that are added on a grid that could not be placed.
    """

    terms: tuple[Features, ...]
    edges: tuple[Edges, ...]
    total: Scores
    lost: tuple[str, ...]


class _Bias(NamedTuple):
    at: tf.Tensor
    value: tf.Tensor


def find(
    sources: Sequence[tf.Tensor],
    image: tf.Tensor,
    own: InputForm,
    variants: Sequence[Scores],
) -> Biases:
    """Find the biases between the images, or a layer, and the scores.

    Args:
        sources: From where on: the image input, or the outputs of a layer's runs.
        image: The image input.
        own: How it is read.
        variants: The scores to differentiate.
    """
    scores = variants[0]
    reached = graph.descendants(sources) & graph.ancestors([scores])
    operations = [
        operation
        for operation in scores.graph.get_operations()
        if operation.name in reached
        and operation.outputs
        and operation.outputs[0].dtype.is_floating
    ]
    biases = [bias for each in operations for bias in _of(each, reached) if bias is not None]
    ends = [bias.at for bias in biases]
    slopes = {
        each.name: tf.gradients(each, ends, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        for each in variants
    }
    layouts = followed(image, ends)
    terms, edges, lost = [], [], []
    total = tf.zeros_like(scores)
    for place, bias in enumerate(biases):
        slope = scoring.differentiate(_picked(slopes, place), variants, "a bias")
        term = slope * tf.cast(bias.value, slope.dtype)
        total += tf.cast(tf.reduce_sum(tf.reshape(term, [tf.size(scores), -1]), 1), total.dtype)
        layout = layouts.of(bias.at)
        grid = grid_on(image, own, layout)
        if grid is not None:
            cells, covered = grid
            terms.append(cells.to_grid(term))
            edges.append(covered)
        elif layout is not None and len(bias.at.shape) > 2:
            lost.append(bias.at.op.name)
    return Biases(tuple(terms), tuple(edges), total, tuple(lost))


def _picked(slopes: dict[str, list[tf.Tensor]], place: int) -> Callable[[Scores], tf.Tensor | None]:
    return lambda scores: slopes[scores.name][place]


def _of(operation: tf.Operation, reached: set[str]) -> list[_Bias | None]:
    """List what an operation adds to a multiple of those of its inputs of the images."""
    at = operation.outputs[0]
    inner = [tensor.op.name in reached for tensor in operation.inputs]
    if operation.type in _SUMS:
        signs = [1, -1] if operation.type == "Sub" else [1] * len(inner)
        return [
            None if inside else _Bias(at, sign * _added(operation, tensor))
            for tensor, inside, sign in zip(operation.inputs, inner, signs, strict=True)
        ]
    if operation.type in _NORMS and inner[:3] == [True, False, False]:
        return [_Bias(at, at - _slope(at, operation.inputs[0]))]
    if operation.type in _BENT or relu.is_swish(operation):
        given = [tensor for tensor, inside in zip(operation.inputs, inner, strict=True) if inside]
        return [_Bias(at, at - _slope(at, given[-1]))]
    return []


def _added(operation: tf.Operation, tensor: tf.Tensor) -> tf.Tensor:
    """Return what is added as it stands in the sum: a bias of channels first needs its axis."""
    if operation.type != "BiasAdd" or operation.get_attr("data_format") != b"NCHW":
        return tensor
    shape = [-1] + [1] * (len(operation.outputs[0].shape) - 2)
    return tf.reshape(tensor, shape)


def _slope(at: tf.Tensor, given: tf.Tensor) -> tf.Tensor:
    """Return an operation's derivative times its input, if each number depends on one alone."""
    return tf.gradients(at, given, grad_ys=given)[0]
