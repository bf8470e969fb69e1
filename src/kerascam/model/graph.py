"""Questions to the graph that is being traced."""

from collections import Counter
from collections.abc import Collection, Container, Iterable, Sequence
from typing import Any

import tensorflow as tf

_CALLS = {"PartitionedCall", "StatefulPartitionedCall"}
# These hand on every value, to one place: ExpandDims and Squeeze stand around a convolution in 1D.
_HANDING_ON = {"Identity", "Cast", "BiasAdd", "EnsureShape", "ExpandDims", "Squeeze"}
_SHAPES = {"Shape", "ShapeN", "Size", "Rank"}  # these hand on how many values, not the values
_FLAT = {"Ceil", "Floor", "OnesLike", "Rint", "Round", "Sign", "StopGradient", "ZerosLike"}
EXTREMES = {"Maximum", "Minimum"}


def ancestors(
    tensors: Iterable[tf.Tensor], without: Container[str] = (), *, differentiable: bool = False
) -> set[str]:
    """Name every operation that the tensors depend on, their own included.

    Args:
        tensors: Where the walk begins.
        without: Operations that it does not pass.
        differentiable: Whether only what has a gradient counts.
    """
    waiting = [tensor.op for tensor in tensors]
    names: set[str] = set()
    while waiting:
        operation = waiting.pop()
        if operation.name in names or operation.name in without:
            continue
        names.add(operation.name)
        if not differentiable:
            waiting.extend(tensor.op for tensor in _values(operation))
        elif operation.type not in _FLAT:
            waiting.extend(each.op for each in _values(operation) if _is_continuous(each.dtype))
    return names


def descendants(tensors: Sequence[tf.Tensor], without: Container[str] = ()) -> set[str]:
    """Name every operation that depends on the tensors, their own included.

    Args:
        tensors: Where the walk begins.
        without: Operations that it does not pass.
    """
    names = {tensor.op.name for tensor in tensors}
    # Operations of a graph are made after their inputs.
    for operation in tensors[0].graph.get_operations():
        if operation.name not in without and any(
            tensor.op.name in names for tensor in _values(operation)
        ):
            names.add(operation.name)
    return names


def between(sources: Sequence[tf.Tensor], end: tf.Tensor) -> list[tf.Operation]:
    """List the operations from some tensors to another, along values that have a gradient.

    Args:
        sources: Where the ways begin.
        end: Where they end.

    Returns:
        In the order in which they were made, those of the sources and of the end included.
    """
    needed = ancestors([end], differentiable=True)
    reached = {tensor.op.name for tensor in sources}
    found = []
    # Operations of a graph are made after their inputs.
    for operation in end.graph.get_operations():
        given = [tensor for tensor in operation.inputs if _is_continuous(tensor.dtype)]
        if operation.name in needed and (
            operation.name in reached or any(tensor.op.name in reached for tensor in given)
        ):
            reached.add(operation.name)
            found.append(operation)
    return found


def is_limit(operation: tf.Operation, reached: Collection[str]) -> bool:
    """Tell whether an operation limits each number by a constant, as a clipped ReLU does.

    Args:
        operation: Any.
        reached: The names of those whose results are no constants.
    """
    inner = [tensor for tensor in operation.inputs if tensor.op.name in reached]
    if operation.type not in EXTREMES or len(inner) != 1:
        return False
    given, result = inner[0].shape, operation.outputs[0].shape
    return given.rank is not None and given.as_list() == result.as_list()


def depends(tensor: tf.Tensor, reached: Collection[str]) -> bool:
    """Tell whether a tensor is computed from others, by way of whole numbers or conditions too.

    Args:
        tensor: Any.
        reached: The names of the operations that made the others.
    """
    return not ancestors([tensor]).isdisjoint(reached)


def first_reached(ends: Iterable[tf.Tensor], among: set[str]) -> set[str]:
    """Name those of some tensors that others are computed from, not by way of another of them."""
    waiting, reached, seen = list(ends), set[str](), set[str]()
    while waiting:
        tensor = waiting.pop()
        if tensor.name in among:
            reached.add(tensor.name)
        elif tensor.op.name not in seen:
            seen.add(tensor.op.name)
            waiting.extend(_values(tensor.op))
    return reached


def _values(operation: tf.Operation) -> Sequence[tf.Tensor]:
    return () if operation.type in _SHAPES else operation.inputs


def _is_continuous(dtype: tf.DType) -> bool:
    return dtype.is_floating or dtype.is_complex or dtype == tf.variant  # a list of tensors


def bottlenecks(
    sources: Iterable[tf.Tensor], ends: Sequence[tf.Tensor], without: Container[str] = ()
) -> set[str]:
    """Name every operation that all ways from the sources to the ends lead through.

    Ways through the operations of `without` do not count.

    An operation is one where the ways into it times the ways out of it are all the ways there
    are. Operations of a graph are made after their inputs, so that one pass each way counts them.
    """
    graph = tf.compat.v1.get_default_graph()
    ways_in = Counter(tensor.op.name for tensor in sources)
    ways_out = Counter(tensor.op.name for tensor in ends)
    needed = ancestors(ends, without)
    operations = [op for op in graph.get_operations() if op.name in needed]
    for operation in operations:
        for tensor in _values(operation):
            ways_in[operation.name] += ways_in[tensor.op.name]
    for operation in reversed(operations):
        for tensor in _values(operation):
            ways_out[tensor.op.name] += ways_out[operation.name]
    every_way = sum(ways_in[tensor.op.name] for tensor in ends)
    return {name for name in needed if ways_in[name] * ways_out[name] == every_way}


def is_pointwise_step(tensor: tf.Tensor, end: tf.Tensor) -> bool:
    """Tell whether `end` is one 1×1 convolution of `tensor`, perhaps with a bias, and no more.

    Its scores may be laid out as boxes, several of a cell, and joined with those of other layers.
    """
    convolved = 0
    operation = end.op
    while operation is not tensor.op:
        if operation.type in ("AddV2", "Add") or _joins_boxes(operation):
            operation = _only_way(operation, tensor)
        elif operation.type.startswith("Conv") and operation.type[4:] in ("2D", "3D"):
            convolved += 1
            operation = operation.inputs[0].op if _is_pointwise(operation) else None
        elif operation.type in _HANDING_ON or _lays_out_boxes(operation):
            operation = operation.inputs[0].op
        else:
            return False
        if operation is None or convolved > 1:
            return False
    return convolved == 1


def _is_pointwise(convolution: tf.Operation) -> bool:
    kernel, strides = convolution.inputs[1].shape, convolution.get_attr("strides")
    return all(length == 1 for length in (*kernel[:-2], *strides))


def _lays_out_boxes(operation: tf.Operation) -> bool:
    """Tell whether the scores of a cell are parted into those of its boxes, class by class."""
    if operation.type != "Reshape":
        return False
    before, after = operation.inputs[0].shape, operation.outputs[0].shape
    return bool(before.rank and after.rank and before[-1] and after[-1]) and (
        before[-1] % after[-1] == 0
    )


def _joins_boxes(operation: tf.Operation) -> bool:
    """Tell whether boxes stand one after the other, each with all its classes."""
    if operation.type != "ConcatV2":
        return False
    axis = tf.get_static_value(operation.inputs[-1])
    rank = operation.outputs[0].shape.rank
    return axis is not None and rank is not None and int(axis) not in (-1, rank - 1)


def _only_way(operation: tf.Operation, tensor: tf.Tensor) -> tf.Operation | None:
    """Return the input that depends on a tensor; None if several do."""
    sides = [side for side in operation.inputs if tensor.op.name in ancestors([side])]
    return sides[0].op if len(sides) == 1 else None


def function_graph(operation: tf.Operation, name: str) -> Any:
    """Return the graph of a function that an operation calls, which an outer graph may hold.

    None if there is none of that name.
    """
    graph = operation.graph
    while graph is not None:
        function = graph._get_function(name)
        if function is not None:
            return function.graph
        graph = getattr(graph, "outer_graph", None)
    return None


def is_foreign(tensor: tf.Tensor) -> bool:
    """Tell whether a tensor belongs to another graph: that of an inner `tf.function`."""
    return tensor.graph is not tf.compat.v1.get_default_graph()


def hides_operations(ends: Iterable[tf.Tensor]) -> bool:
    """Tell whether the ends depend on an inner `tf.function`, of those that XLA need not compile.

    Keras compiles by XLA what TensorFlow cannot run on a CPU otherwise (grouped convolutions);
    nobody looks for a layer there.
    """
    needed = ancestors(ends)
    return any(
        operation.type in _CALLS
        and operation.name in needed
        and not operation.node_def.attr["_XlaMustCompile"].b
        for operation in tf.compat.v1.get_default_graph().get_operations()
    )
