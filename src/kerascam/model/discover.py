"""List what a forward pass computes, layer by layer, without computing anything."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from ..errors import DoesNotFitError
from . import graph, shadow, specs
from .choice import Capture
from .grids import channels_last_shape
from .interrupts import held_back
from .layers import channels_first, walk
from .outputs import select, tensors_in
from .sites import forward, images_channels_first


class Discovery(NamedTuple):
    """What one trace of a model found.

    Attributes:
        captures: Every run of every layer, in execution order.
        image: The grid of the image input: the input of the highest rank; None without one.
        output_shape: The explained output's shape; None for several outputs.
    """

    captures: list[Capture]
    image: tuple[int | None, ...] | None
    output_shape: tuple[int | None, ...] | None


def discover(
    model: keras.Model, shapes: Sequence[Sequence[int] | None], dtypes: Sequence[Any],
    *, like: Any = None, output: int | str | None = None,
) -> Discovery:  # fmt: skip
    """Trace `model` once and list its layers' outputs.

    Args:
        model: The model, which is left as it was.
        shapes: An example's shape for each input, batch first, or None if there is none.
        dtypes: The examples' dtypes, or None.
        like: The structure of the inputs, for a model that does not declare one.
        output: The explained output's name or index.
    """
    try:
        return _discover(model, shapes, dtypes, like, output, None)
    except DoesNotFitError:
        batch = specs.declared_batch(model)
        if batch is None:
            raise
        return _discover(model, shapes, dtypes, like, output, batch)


def _discover(
    model: keras.Model,
    shapes: Sequence[Sequence[int] | None],
    dtypes: Sequence[Any],
    like: Any,
    output: int | str | None,
    batch: int | None,
) -> Discovery:
    wanted = [
        specs.sized(specs.tensor_spec(spec, shape, dtype, batch), shape)
        for spec, shape, dtype in zip(specs.input_specs(model, like), shapes, dtypes, strict=True)
    ]
    # A bare graph, never run: cheaper to build than a tf.function, and dropped right away.
    graph_of_its_own = tf.__internal__.FuncGraph("discover")
    with held_back(), graph_of_its_own.as_default(), tf.GradientTape() as tape:
        tensors = [tf.compat.v1.placeholder(spec.dtype, spec.shape) for spec in wanted]
        survey = Survey(model)
        outputs, _ = forward(model, specs.pack(model, tensors, like), [], tape, survey.listeners)
        return survey.result(tensors, outputs, output)


class Survey:
    """Hears every layer of a model in one forward pass."""

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        self._runs: list[tuple[str, keras.Operation, list[str], tf.Tensor]] = []

    def listeners(self) -> list[tuple[keras.Operation, shadow.Listener]]:
        """Start again, and return a listener for each layer, under its first path."""
        self._runs = []
        first = {id(layer): (path, layer) for path, layer in reversed(list(walk(self._model)))}
        return [(layer, self._listener(path, layer)) for path, layer in first.values()]

    def _listener(self, path: str, layer: keras.Operation) -> shadow.Listener:
        def hear(arguments: Any, output: Any) -> None:
            tensors = tensors_in(output)
            # A constant that the model was built with comes as an eager tensor, which has no name.
            symbolic = filter(tf.is_symbolic_tensor, tensors_in(arguments))
            names = [tensor.name for tensor in symbolic]
            if tensors and tensors[0].shape.rank is not None:
                self._runs.append((path, layer, names, tensors[0]))

        return hear

    def result(
        self, inputs: Sequence[tf.Tensor], outputs: Any, output: int | str | None
    ) -> Discovery:
        """Put together what was heard.

        Args:
            inputs: The model's input tensors.
            outputs: All that it gave.
            output: The explained output's name or index.
        """
        chosen = select(self._model, outputs, output)
        image = max(inputs, key=lambda tensor: tensor.shape.rank)
        used = graph.ancestors(tensors_in(chosen))
        narrow = graph.bottlenecks([image], tensors_in(chosen))
        turned = channels_first(self._model)
        captures = [
            Capture(
                path,
                type(layer).__name__,
                channels_last_shape(tuple(tensor.shape), id(layer) in turned),
                tensor.name,
                tuple(names),
                used=tensor.op.name in used,
                bottleneck=tensor.op.name in narrow,
            )
            for path, layer, names, tensor in self._runs
            if not graph.is_foreign(tensor)  # in a branch or loop of the graph, out of reach
        ]
        turn = images_channels_first(self._model, image)
        shape = channels_last_shape(tuple(image.shape), turn)
        single = tf.is_tensor(chosen) and chosen.shape.rank is not None
        return Discovery(
            captures, tuple(shape[1:-1]) or None, tuple(chosen.shape) if single else None
        )
