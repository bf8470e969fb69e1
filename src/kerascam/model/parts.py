"""Which parts of an output a score is taken from: the end of the graph is run on noise."""

from collections.abc import Container, Iterator, Sequence

import numpy as np
import tensorflow as tf

# Numbers in one run; and in one image, above which nothing is run.
_MOST_NUMBERS, _MOST_OF_IMAGE = 2**20, 2**25


def untaken(
    parts: Sequence[tf.Tensor],
    outputs: Sequence[tf.Tensor],
    scores: tf.Tensor,
    classes: tf.Tensor,
    before: Container[str],
) -> set[str]:
    """Name the operations of the parts that no score is ever taken from.

    A detector joins the boxes of several grids in one output: the score of one box moves with one
    of them. Which, no type of operation tells, as slices, gathered indices, maxima and masks may
    take it. So all that comes after the parts is run on noise, once with each part above the
    others and once below them, for all classes; a part is taken from if a score ever moves with it.

    Args:
        parts: Tensors of the graph that is being traced, which the outputs are put together of.
        outputs: What the target was given.
        scores: What it gave, shape (batch,).
        classes: The classes that it was given, shape (batch,).
        before: The operations that the parts are made by, their own not included.

    Returns:
        The names; none if the end of the graph cannot be run by itself, or moves with no part.
    """
    try:
        end = _End(parts, scores, classes, before)
        return end.untaken(_class_counts(outputs))
    except (LookupError, NotImplementedError, TypeError, ValueError, tf.errors.OpError):
        return set()  # what can be taken is not known: so all of it counts


def _class_counts(outputs: Sequence[tf.Tensor]) -> list[int]:
    """List how many classes there may be, the most first: a class may stand on any axis."""
    lengths = {length for tensor in outputs for length in tensor.shape[1:] if length}
    return [*sorted(lengths, reverse=True), 1]


class _End:
    """The end of a traced graph, from some tensors on."""

    def __init__(
        self,
        parts: Sequence[tf.Tensor],
        scores: tf.Tensor,
        classes: tf.Tensor,
        before: Container[str],
    ) -> None:
        self._parts, self._scores, self._classes = list(parts), scores, classes
        graph = scores.graph
        given = {tensor.name for tensor in (*parts, classes)}
        captured = {inner.name: outer for outer, inner in graph.captures}
        needed: set[str] = set()
        others: dict[str, tf.Tensor] = {}  # asked for their shapes alone
        self._captured: dict[str, tf.Tensor] = {}
        waiting = [scores]
        while waiting:
            tensor = waiting.pop()
            operation = tensor.op
            if tensor.name in given or operation.name in needed:
                continue
            if tensor.name in captured:
                self._captured[tensor.name] = captured[tensor.name]
            elif operation.type == "Placeholder" or operation.name in before:
                others[tensor.name] = tensor
            else:
                needed.add(operation.name)
                waiting.extend(operation.inputs)
        self._others = list(others.values())
        self._definition = _definition(
            [each for each in graph.get_operations() if each.name in needed], graph
        )

    def untaken(self, class_counts: Sequence[int]) -> set[str]:
        """Run the end on noise; see the function of this name."""
        size = sum(_size(tensor) for tensor in self._parts)
        if size > _MOST_OF_IMAGE:
            return set()
        with tf.init_scope(), tf.device("CPU:0"):
            run = tf.function(self._slopes, autograph=False)
            for count in class_counts:
                images = min(count, max(1, _MOST_NUMBERS // size))
                classes = np.linspace(0, count - 1, images).astype(np.int32)
                try:
                    taken = np.any([run(classes, *noise) for noise in self._noises(images)], 0)
                except tf.errors.InvalidArgumentError:  # fewer classes
                    continue
                if not taken.any():  # as of a box that nothing of the noise lies on
                    return set()
                return {
                    part.op.name
                    for part, is_taken in zip(self._parts, taken, strict=True)
                    if not is_taken
                }
        return set()

    def _noises(self, images: int) -> Iterator[list[np.ndarray]]:
        random = np.random.default_rng(0)
        shapes = [_shape(part, images) for part in self._parts]
        kinds = [part.dtype.as_numpy_dtype for part in self._parts]
        for place in range(len(self._parts)):
            for level in (3, -3):
                # Of wide numbers, a softmax too returns some that are the largest of all.
                noises = [
                    random.normal(level, 3.0, shape)
                    if each == place
                    else random.normal(-level, 0.1, shape)
                    for each, shape in enumerate(shapes)
                ]
                yield [noise.astype(kind) for noise, kind in zip(noises, kinds, strict=True)]

    def _slopes(self, classes: tf.Tensor, *values: tf.Tensor) -> list[tf.Tensor]:
        """Tell for each part whether a score moves with it."""
        images = values[0].shape[0]
        capture = tf.compat.v1.get_default_graph().capture
        given = {
            self._classes.name: classes,
            **{part.name: value for part, value in zip(self._parts, values, strict=True)},
            **{name: capture(outer) for name, outer in self._captured.items()},
            **{each.name: tf.zeros(_shape(each, images), each.dtype) for each in self._others},
        }
        known = _inputs_of(self._definition)
        (scores,) = tf.graph_util.import_graph_def(
            self._definition,
            input_map={name: value for name, value in given.items() if name in known},
            return_elements=[self._scores.name],
        )
        slopes = tf.gradients(scores, values)
        return [
            tf.constant(False) if slope is None else tf.reduce_any(tf.not_equal(slope, 0))
            for slope in slopes
        ]


def _definition(operations: Sequence[tf.Operation], graph: tf.Graph) -> tf.compat.v1.GraphDef:
    definition = graph.as_graph_def()  # with its functions
    del definition.node[:]
    for operation in operations:
        node = operation.node_def
        inputs = [name for name in node.input if not name.startswith("^")]
        del node.input[:]
        node.input.extend(inputs)
        node.attr.pop("_class", None)
        definition.node.append(node)
    return definition


def _inputs_of(definition: tf.compat.v1.GraphDef) -> set[str]:
    names = {name for node in definition.node for name in node.input}
    return {name if ":" in name else f"{name}:0" for name in names}


def _shape(tensor: tf.Tensor, images: int) -> list[int]:
    """Return a tensor's shape with so many images.

    Raises:
        ValueError: If a length is open.
    """
    lengths = tensor.shape.as_list()
    if None in lengths[1:]:
        raise ValueError(f"{tensor.name} is of open size")
    return [images, *lengths[1:]] if lengths else []


def _size(tensor: tf.Tensor) -> int:
    return int(np.prod(_shape(tensor, 1)))
