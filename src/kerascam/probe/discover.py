"""List what a forward pass computes, layer by layer, without computing anything."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from ..choice import Capture
from ..grids import channels_last_shape
from ..layers import channels_first, walk
from . import graph, shadow, specs
from .outputs import select, tensors_in
from .sites import images_channels_first


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
        shapes: An example's shape for each input, batch first, or None where there is none.
        dtypes: The examples' dtypes, or None.
        like: The structure of the inputs, for a model that does not declare one.
        output: The explained output's name or index.
    """
    wanted = [
        specs.sized(specs.tensor_spec(spec, shape, dtype), shape)
        for spec, shape, dtype in zip(specs.input_specs(model, like), shapes, dtypes, strict=True)
    ]
    # A bare graph, never run: cheaper to build than a tf.function, and dropped right away.
    with tf.__internal__.FuncGraph("discover").as_default():
        tensors = [tf.compat.v1.placeholder(spec.dtype, spec.shape) for spec in wanted]
        inputs = specs.pack(model, tensors, like)
        for inline_all in (False, True):
            runs, outputs = _runs(model, inputs, inline_all)
            if not graph.hides_operations(tensors_in(outputs)):
                break
        return _discovery(model, tensors, runs, outputs, output)


Run = tuple[str, keras.Operation, list[str], tf.Tensor]


def _runs(model: keras.Model, inputs: Any, inline_all: bool) -> tuple[list[Run], Any]:
    runs: list[Run] = []

    def listener(path: str, layer: keras.Operation) -> shadow.Listener:
        def note(arguments: Any, output: Any) -> None:
            tensors = tensors_in(output)
            names = [tensor.name for tensor in tensors_in(arguments)]
            if tensors and tensors[0].shape.rank is not None:
                runs.append((path, layer, names, tensors[0]))

        return note

    first = {id(layer): (path, layer) for path, layer in reversed(list(walk(model)))}
    listeners = [(layer, listener(path, layer)) for path, layer in first.values()]
    return runs, shadow.run(model, inputs, listeners, inline_all=inline_all)


def _discovery(
    model: keras.Model,
    tensors: Sequence[tf.Tensor],
    runs: list[Run],
    outputs: Any,
    output: int | str | None,
) -> Discovery:
    chosen = select(model, outputs, output)
    used = graph.ancestors(keras.tree.flatten(chosen))
    image = max(tensors, key=lambda tensor: tensor.shape.rank)
    narrow = graph.bottlenecks([image], keras.tree.flatten(chosen))
    turned = channels_first(model)
    captures = []
    for path, layer, names, tensor in runs:
        if graph.is_foreign(tensor):  # in a branch or loop of the graph, out of reach
            continue
        shape = channels_last_shape(tuple(tensor.shape), id(layer) in turned)
        captures.append(
            Capture(
                path,
                type(layer).__name__,
                shape,
                tensor.name,
                tuple(names),
                used=tensor.op.name in used,
                bottleneck=tensor.op.name in narrow,
            )
        )
    shape = channels_last_shape(tuple(image.shape), images_channels_first(model, image))
    grid = tuple(shape[1:-1]) or None
    single = tf.is_tensor(chosen) and chosen.shape.rank is not None
    return Discovery(captures, grid, tuple(chosen.shape) if single else None)
