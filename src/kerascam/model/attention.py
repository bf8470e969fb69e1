"""The attention matrices of a model, found in the traced graph, whatever their layers are."""

from collections import defaultdict
from collections.abc import Sequence

import tensorflow as tf

from .._types import ClassIds, Scores
from . import graph, scoring

_PRODUCTS = {"BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "MatMul", "Einsum"}
# What may stand between a matrix and its product with the values, without changing an entry.
_PASSING = {"Cast", "Identity", "StopGradient", "Snapshot", "Reshape", "Transpose"}


def find(scores: Scores, classes: ClassIds) -> list[tf.Tensor]:
    """List the softmaxes over keys that weigh values: what the scores depend on, in order.

    An attention matrix is the output of a softmax with three or four axes that is multiplied, as
    a matrix, with something else: the values.

    Args:
        scores: Shape (batch,): what is explained.
        classes: Shape (batch,).

    Returns:
        As the model computes them, (batch, heads, queries, keys) or (batch, queries, keys). Each
        refuses, when it runs, to have another number of images than `classes` has.

    Raises:
        ValueError: If there is none.
    """
    needed = graph.ancestors([scores])
    users: dict[str, list[tf.Operation]] = defaultdict(list)
    operations = [
        operation
        for operation in tf.compat.v1.get_default_graph().get_operations()
        if operation.name in needed
    ]
    for operation in operations:
        for tensor in operation.inputs:
            users[tensor.op.name].append(operation)
    found = [
        operation.outputs[0]
        for operation in operations
        if operation.type == "Softmax"
        and operation.outputs[0].shape.rank in (3, 4)
        and _weighs(operation, users)
    ]
    if not found:
        raise ValueError(
            "model has no attention that can be seen: no softmax over keys, with axes (batch, "
            "heads, queries, keys), is multiplied with values on the way to the explained output"
        )
    return found


def _weighs(softmax: tf.Operation, users: dict[str, list[tf.Operation]]) -> bool:
    waiting = list(users[softmax.name])
    while waiting:
        operation = waiting.pop()
        if operation.type in _PRODUCTS:
            return True
        if operation.type in _PASSING:
            waiting.extend(users[operation.name])
    return False


def in_form(matrices: Sequence[tf.Tensor], classes: ClassIds) -> tuple[tf.Tensor, ...]:
    """Bring matrices, or their gradients, to (batch, heads, queries, keys), at least float32."""
    return tuple(_in_form(each, classes) for each in matrices)


def _in_form(matrix: tf.Tensor, classes: ClassIds) -> tf.Tensor:
    images = tf.debugging.assert_equal(
        tf.shape(matrix)[0],
        tf.size(classes),
        "the model's attention has another leading axis than the images: windows or heads are "
        "folded into its batch, and its matrices cannot be told apart by image",
    )
    with tf.control_dependencies([] if images is None else [images]):
        matrix = matrix if matrix.dtype == tf.float64 else tf.cast(matrix, tf.float32)
    return matrix if len(matrix.shape) == 4 else matrix[:, None]


def differentiate(variants: Sequence[Scores], matrices: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """Differentiate the scores by each matrix."""

    def by(matrix: tf.Tensor) -> tf.Tensor:
        def gradient(scores: Scores) -> tf.Tensor | None:
            return tf.gradients(scores, matrix)[0]

        return scoring.differentiate(gradient, variants, "an attention matrix")

    return [by(matrix) for matrix in matrices]
