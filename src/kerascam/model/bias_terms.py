"""What biases add to a score: constants added between the images and the score, in the graph."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import tensorflow as tf

from .._types import Features, Scores
from ..resizing import Edges
from . import gates, graph, relu, scoring
from .forms import followed, grid_on
from .input_form import InputForm

_SUMS = {"Add", "AddV2", "AddN", "BiasAdd", "Sub"}
_PRODUCTS = {"BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "Conv2D", "Conv3D", "Einsum",
             "MatMul", "Mul", "RealDiv"}  # fmt: skip
# A step like these takes values, sums them, or puts them elsewhere.
_LINEAR = {"AvgPool", "AvgPool3D", "BroadcastTo", "Cast", "EnsureShape", "ExpandDims", "GatherNd",
           "GatherV2", "Identity", "Mean", "Neg", "Pad", "Reshape", "SelectV2", "Slice", "Split",
           "SplitV", "Squeeze", "StridedSlice", "Sum", "Tile", "Transpose", "Unpack"}  # fmt: skip
_NORMS = {"FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"}
# What these return is the slope times what they are given, and something more.
_BENT = {"Atan", "Cos", "Elu", "Erf", "Erfc", "Exp", "Expm1", "Log", "Log1p", "Maximum", "Minimum",
         "Pow", "Relu6", "Selu", "Sigmoid", "Sin", "Softplus", "Softsign", "Sqrt", "Square",
         "Tanh"}  # fmt: skip
_CHOICES = {"Select", "SelectV2"}


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
    found = _terms(graph.between(sources, variants[0]), variants)
    layouts = followed(image, [bias.at for bias, _ in found])
    terms, edges, lost = [], [], []
    for bias, term in found:
        layout = layouts.of(bias.at)
        grid = grid_on(image, own, layout)
        if grid is not None:
            cells, covered = grid
            terms.append(cells.to_grid(term))
            edges.append(covered)
        elif layout is not None and len(bias.at.shape) > 2:
            lost.append(bias.at.op.name)
    return Biases(tuple(terms), tuple(edges), _total(found, variants[0]), tuple(lost))


def linear_offset(sources: Sequence[tf.Tensor], variants: Sequence[Scores]) -> Scores | None:
    """Return what the scores have beside a multiple of a layer's output, if they are linear in it.

    That is the bias of the dense layer, where no other layer follows.

    Args:
        sources: The outputs of the layer's runs.
        variants: The scores to differentiate.

    Returns:
        Shape (batch,); None if what follows the layer is not linear.
    """
    operations = graph.between(sources, variants[0])
    reached = {operation.name for operation in operations}
    made = {tensor.op.name for tensor in sources}
    if not all(each.name in made or _is_linear(each, reached) for each in operations):
        return None
    after = [each for each in operations if each.name not in made]
    return _total(_terms(after, variants), variants[0])


def _is_linear(operation: tf.Operation, reached: set[str]) -> bool:
    """Tell whether an operation is a multiple of its input, and perhaps adds a constant."""
    inner = [tensor.op.name in reached for tensor in operation.inputs]
    if operation.type in _PRODUCTS:
        return sum(inner) == 1 and (operation.type != "RealDiv" or inner[0])
    return operation.type in _LINEAR or operation.type in _SUMS


def _terms(
    operations: Sequence[tf.Operation], variants: Sequence[Scores]
) -> list[tuple[_Bias, tf.Tensor]]:
    """List biases, with what each adds to the scores at each of its places."""
    reached = {operation.name for operation in operations}
    products = {gate.operation.name: gate for gate in gates.find(operations, reached)}
    inside = {name for gate in products.values() for name in gate.inside}
    biases = []
    for each in operations:
        if each.name in products:  # an activation that bends, as a whole
            at = each.outputs[0]
            biases.append(_Bias(at, at - _slope(at, products[each.name].number)))
        elif each.name not in inside:
            biases += [bias for bias in _of(each, reached) if bias is not None]
    ends = [bias.at for bias in biases]
    slopes = {
        each.name: tf.gradients(each, ends, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        for each in variants
    }
    terms = []
    for place, bias in enumerate(biases):
        slope = scoring.differentiate(_picked(slopes, place), variants, "a bias")
        terms.append((bias, slope * tf.cast(bias.value, slope.dtype)))
    return terms


def _total(terms: Sequence[tuple[_Bias, tf.Tensor]], scores: Scores) -> Scores:
    """Sum what biases add to each image's score."""
    each = [tf.reduce_sum(tf.reshape(term, [tf.size(scores), -1]), 1) for _, term in terms]
    return tf.add_n([tf.zeros_like(scores), *(tf.cast(one, scores.dtype) for one in each)])


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
    if operation.type in _CHOICES:
        condition, first, second = operation.inputs
        zero = tf.zeros([], at.dtype)
        chosen = [tf.where(condition, first, zero), tf.where(condition, zero, second)]
        return [
            None if inside else _Bias(at, each)
            for each, inside in zip(chosen, inner[1:], strict=True)
        ]
    if operation.type in _NORMS and inner[:3] == [True, False, False]:
        return [_Bias(at, at - _slope(at, operation.inputs[0]))]
    if operation.type in _BENT or relu.is_swish(operation):
        given = [tensor for tensor, inside in zip(operation.inputs, inner, strict=True) if inside]
        if operation.type in graph.EXTREMES and not graph.is_limit(operation, reached):
            return []
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
