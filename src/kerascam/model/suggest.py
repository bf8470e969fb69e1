"""Say which layer a class activation map is drawn from, and which others it could be."""

from typing import Any, NamedTuple

import keras

from .._types import Target
from ..arguments import check_target
from ..inputs import conform
from .choice import Choice, choose, shape_words, spatial
from .specs import check_model, input_specs
from .survey import Discovery, discover


class LayerSuggestion(NamedTuple):
    """A layer that a class activation map can be drawn from.

    Attributes:
        path: The path to pass as `layer=`.
        kind: The layer's class.
        shape: The output's, features last, the batch axis None.
        reason: Why this layer is the one taken by default; empty for the others.
        cells: Where its cells lie on the images: how wide they are, in pixels, and where the first
            one begins, if not at the edge; "not followed" if the model's graph does not tell. Of a
            layer that runs several times, `call_index=` chooses one of its runs.

    Example:
        >>> LayerSuggestion("last", "Conv2D", (None, 8, 8, 16), "").shape[1:3]
        (8, 8)
    """

    path: str
    kind: str
    shape: tuple[int | None, ...]
    reason: str
    cells: str = ""


class LayerSuggestions(tuple[LayerSuggestion, ...]):
    """Suggested layers in execution order, shown as a table.

    Example:
        >>> LayerSuggestions([LayerSuggestion("last", "Conv2D", (None, 8, 8, 16), "")])
        last  Conv2D  8×8×16
    """

    def __repr__(self) -> str:
        rows = [
            (s.path, s.kind, shape_words(s.shape), s.cells, f"<- {s.reason}" if s.reason else "")
            for s in self
        ]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)] or [0] * 5
        lines = (
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        )
        return "\n".join(lines)


def suggest_layers(
    model: keras.Model,
    inputs: Any = None,
    *,
    output: int | str | None = None,
    target: Target | None = None,
    input: int | str | None = None,
) -> LayerSuggestions:
    """List the layers that a class activation map of `model` can be drawn from.

    Nothing is computed: the model is traced once and left as it was. Each feature tensor is
    listed once, under the innermost layer that makes it.

    Args:
        model: A built Keras model.
        inputs: A batch to take open lengths from, for a model that takes images of any size
            (224 pixels are assumed otherwise) or does not say what it takes.
        output: The explained output's name or index, for a model with several.
        target: Which number is explained; None is the class's logit, or of several outputs all that
            the model returns.
        input: The explained input's name or index, for a model with several.

    Returns:
        The layers in execution order, with their paths, their shapes and where their cells lie;
        the one that is taken by default carries the reason. Layers from which no map can be drawn,
        such as windows that cannot be put back in their places, are left out.

    Raises:
        TypeError: If `model` is not a Keras model.
        ValueError: If it is not built, or has no layer with a grid.

    Example:
        >>> import keras
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, name="edges"),
        ...     keras.layers.MaxPooling2D(name="pool"), keras.layers.Flatten(),
        ...     keras.layers.Dense(2)])
        >>> suggest_layers(model)
        edges  Conv2D  6×6×4  1×1 px from 1, 1  <- the last features on a grid, 6×6×4, ... pool
        pool   MaxPooling2D  3×3×4  2×2 px from 1, 1
    """
    found = _discover(model, inputs, output, input, target)
    chosen = choose_from(found)
    suggested = (
        LayerSuggestion(
            capture.path,
            capture.kind,
            capture.shape,
            chosen.reason if capture.path == chosen.path else "",
            capture.cells,
        )
        for capture in spatial(found.captures, found.image)
        if capture.used
    )
    return LayerSuggestions(dict.fromkeys(suggested))  # once, however often it runs


def find_target_layer(
    model: keras.Model,
    inputs: Any = None,
    *,
    output: int | str | None = None,
    target: Target | None = None,
    input: int | str | None = None,
) -> str:
    """Find the layer that a class activation map of `model` is drawn from by default.

    The last features on a grid before global pooling, flattening or the output; back over
    pooling and dropout; inside nested models too. `suggest_layers` shows it among the others.

    Args:
        model: A built Keras model.
        inputs: A batch to take open lengths from; see `suggest_layers`.
        output: The explained output's name or index, for a model with several.
        target: Which number is explained; see `suggest_layers`.
        input: The explained input's name or index, for a model with several.

    Returns:
        The layer's path, as in "resnet50/conv5_block3_out".

    Raises:
        TypeError: If `model` is not a Keras model.
        ValueError: If it is not built, or has no layer with a grid.

    Example:
        >>> import keras
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, name="edges"),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)])
        >>> find_target_layer(model)
        'edges'
    """
    return choose_from(_discover(model, inputs, output, input, target)).path


def choose_from(found: Discovery) -> Choice:
    """Choose the layer to draw on from what one trace of a model found."""
    return choose(found.captures, found.image, found.around)


def _discover(
    model: keras.Model,
    inputs: Any,
    output: int | str | None,
    chosen: int | str | None,
    target: Target | None = None,
) -> Discovery:
    check_model(model)
    if target is not None:
        check_target(target)
    specs = input_specs(model, inputs)
    if inputs is None:
        none = [None] * len(specs)
        return discover(model, none, none, output=output, input=chosen, target=target)
    arrays = conform(inputs, specs, "inputs")
    return discover(
        model,
        [array.shape for array in arrays],
        [array.dtype for array in arrays],
        like=inputs,
        output=output,
        target=target,
        input=chosen,
    )
