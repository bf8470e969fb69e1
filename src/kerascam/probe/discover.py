"""List what a forward pass computes, layer by layer, without computing anything."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from ..choice import Capture
from ..layers import is_channels_first, walk
from . import graph, shadow, specs
from .outputs import select


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
    found: list[Discovery] = []

    def look(*tensors: tf.Tensor) -> None:
        inputs = specs.pack(model, tensors, like)
        for inline_all in (False, True):
            runs, outputs = _runs(model, inputs, inline_all)
            if not any(graph.is_foreign(tensor) for *_, tensor in runs):
                break
        found.append(_discovery(model, tensors, runs, outputs, output))

    tf.function(look, autograph=False).get_concrete_function(*wanted)
    return found[0]


Run = tuple[str, keras.Operation, list[str], tf.Tensor]


def _runs(model: keras.Model, inputs: Any, inline_all: bool) -> tuple[list[Run], Any]:
    runs: list[Run] = []

    def listener(path: str, layer: keras.Operation) -> shadow.Listener:
        def note(arguments: Any, output: Any) -> None:
            tensors = [t for t in keras.tree.flatten(output) if tf.is_tensor(t)]
            names = [t.name for t in keras.tree.flatten(arguments) if tf.is_tensor(t)]
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
    # Every layer's format, asked once a layer: the walk is long in a large model.
    first = {layer for layer in {id(run[1]): run[1] for run in runs}.values()}
    channels_first = {id(layer) for layer in first if is_channels_first(model, layer)} if (
        _mentions_channels_first(model)
    ) else set()  # fmt: skip
    captures = []
    for path, layer, names, tensor in runs:
        if graph.is_foreign(tensor):  # in a branch or loop of the graph, out of reach
            continue
        shape = tuple(tensor.shape)
        if id(layer) in channels_first and len(shape) > 2:
            shape = (shape[0], *shape[2:], shape[1])
        captures.append(
            Capture(
                path, type(layer).__name__, shape, tensor.name, tuple(names), tensor.op.name in used
            )
        )
    image = max((t.shape for t in tensors), key=len)
    first_format = channels_first and tensors[0].shape.rank == len(image)
    grid = None if len(image) < 3 else tuple(image[2:] if first_format else image[1:-1])
    single = tf.is_tensor(chosen) and chosen.shape.rank is not None
    return Discovery(captures, grid, tuple(chosen.shape) if single else None)


def _mentions_channels_first(model: keras.Model) -> bool:
    return any(getattr(layer, "data_format", None) == "channels_first" for _, layer in walk(model))
