"""List what a forward pass computes, layer by layer, without computing anything."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from .._types import Target
from ..errors import DoesNotFitError
from ..targets import logit
from . import graph, scoring, shadow, specs, which_input
from .choice import Around, Capture, spatial
from .dependence import dependence_of
from .form import NOT_FOLLOWED
from .forms import followed
from .grids import channels_last_shape
from .input_form import InputForm, input_form
from .interrupts import held_back
from .layers import channels_first, walk
from .looked_at import cells_in_words
from .outputs import select, tensors_in
from .parts_of_outputs import part_of, used_part
from .sites import IMAGE_CHANNELS, Runs, Site, forward, images_channels_first

_COUNTED = 3  # images in a trace that shows whether the first axis of a layer is the images


class Discovery(NamedTuple):
    """What one trace of a model found.

    Attributes:
        captures: Every run of every layer, in execution order.
        image: The grid of the image input: the one that is asked for, or else the input of the
            highest rank; None without one.
        around: Names what the score depends on beside some outputs.
    """

    captures: list[Capture]
    image: tuple[int | None, ...] | None
    around: Around


def discover(
    model: keras.Model, shapes: Sequence[Sequence[int] | None], dtypes: Sequence[Any],
    *, like: Any = None, output: int | str | None = None, target: Target | None = None,
    axes: str | None = None, input: int | str | None = None,
) -> Discovery:  # fmt: skip
    """Trace `model` once and list its layers' outputs.

    Args:
        model: The model, which is left as it was.
        shapes: An example's shape for each input, batch first, or None if there is none.
        dtypes: The examples' dtypes, or None.
        like: The structure of the inputs, for a model that does not declare one.
        output: The explained output's name or index.
        target: Which number is explained; None is the class's logit, or of several outputs all
            that the model returns.
        axes: A letter for each axis of the image input, as the user says.
        input: The explained input's name or index.
    """

    def found(batch: int | None) -> Discovery:
        return _discover(model, shapes, dtypes, like, output, target, axes, input, batch)

    try:
        first = found(None)
    except DoesNotFitError:
        batch = specs.declared_batch(model)
        if batch is None:
            raise
        return found(batch)
    if not any(each.used and each.cells.startswith(NOT_FOLLOWED) for each in first.captures):
        return first
    try:
        counted = found(_COUNTED)
    except Exception:  # the model takes no such batch: what was found stands
        return first
    return first._replace(captures=_of_whole_images(first.captures, counted.captures))


def _of_whole_images(captures: Sequence[Capture], counted: Sequence[Capture]) -> list[Capture]:
    """Leave out layers whose cells are not followed and whose first axis is not the images.

    Args:
        captures: What was found for any number of images.
        counted: The same for a number that no other axis has.
    """
    whole = {each.path for each in counted if each.shape[0] in (None, _COUNTED)}
    return [
        replace(each, used=False)
        if each.cells.startswith(NOT_FOLLOWED) and each.path not in whole
        else each
        for each in captures
    ]


def _discover(
    model: keras.Model,
    shapes: Sequence[Sequence[int] | None],
    dtypes: Sequence[Any],
    like: Any,
    output: int | str | None,
    target: Target | None,
    axes: str | None,
    input: int | str | None,
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
        survey = Survey(model, axes)
        outputs, *_ = forward(model, specs.pack(model, tensors, like), [], tape, survey.listeners)
        chosen = select(model, outputs, output)
        if target is None and tf.is_tensor(chosen):
            target = logit
        place = which_input.wanted_place(model, tensors, like, input, tensors_in(chosen), axes)
        if target is None:
            return survey.explainable(survey.result(tensors, chosen, place), tensors, place)
        asked = tf.fill(tf.shape(tensors[0])[:1], -1)
        classes = scoring.settle(scoring.read(chosen, target), asked)
        scores = scoring.score(target, chosen, classes)
        found = survey.result(tensors, chosen, place, scores, classes)
        return survey.explainable(found, tensors, place)


class Survey:
    """Hears every layer of a model in one forward pass."""

    def __init__(self, model: keras.Model, axes: str | None = None) -> None:
        self._model, self._axes = model, axes
        self._heard: list[tuple[str, keras.Operation, list[str], Any]] = []
        self._runs: list[tuple[str, keras.Operation, list[str], tf.Tensor]] = []
        self._ends: Sequence[tf.Tensor] = ()

    def listeners(self) -> list[tuple[keras.Operation, shadow.Listener]]:
        """Start again, and return a listener for each layer, under its first path."""
        self._heard = []
        first = {id(layer): (path, layer) for path, layer in reversed(list(walk(self._model)))}
        return [(layer, self._listener(path, layer)) for path, layer in first.values()]

    def _listener(self, path: str, layer: keras.Operation) -> shadow.Listener:
        def hear(arguments: Any, output: Any) -> None:
            tensors = tensors_in(output)
            # A constant that the model was built with comes as an eager tensor, which has no name.
            symbolic = filter(tf.is_symbolic_tensor, tensors_in(arguments))
            names = [tensor.name for tensor in symbolic]
            if tensors:
                self._heard.append((path, layer, names, output))

        return hear

    def result(
        self,
        inputs: Sequence[tf.Tensor],
        chosen: Any,
        place: int | None,
        scores: tf.Tensor | None = None,
        classes: tf.Tensor | None = None,
    ) -> Discovery:
        """Put together what was heard.

        Args:
            inputs: The model's input tensors.
            chosen: What is handed to the target: one output, or all.
            place: Which input is asked for; None takes the first of the highest rank.
            scores: What the target gave, shape (batch,); None asks for all outputs.
            classes: The classes that it was given.
        """
        self._ends = tensors_in(chosen)
        self._runs = [
            (path if part is None else f"{path}/{part}", layer, names, tensor)
            for path, layer, names, output in self._heard
            for part in [used_part(output, tensors_in(chosen))]
            for tensor in [part_of(output, part)]
            if tensor.shape.rank is not None
        ]
        first = which_input.highest(inputs, range(len(inputs)))
        image = inputs[first if place is None else place]
        found = dependence_of(inputs, image, tensors_in(chosen), scores, classes)
        below, mixed = found.used, set[str]()
        others = [inputs[each] for each in which_input.image_like(inputs) if each != place]
        if place is not None:
            below &= graph.descendants([image])
            mixed = graph.descendants(others) if others else mixed
        turned = channels_first(self._model)
        # In a branch or loop of the graph, they are out of reach.
        runs = [run for run in self._runs if not graph.is_foreign(run[-1])]
        captures = [
            Capture(
                path,
                type(layer).__name__,
                channels_last_shape(tuple(tensor.shape), id(layer) in turned),
                tensor.name,
                tuple(names),
                used=tensor.op.name in below,
                bottleneck=tensor.op.name in found.narrow,
                giving=tensor.op.name in found.giving,
                mixed=tensor.op.name in mixed,
            )
            for path, layer, names, tensor in runs
        ]
        grid = _grid(self._model, image, tensors_in(chosen), self._axes)

        def around(outputs: Sequence[str]) -> frozenset[str]:
            left = found.without({name.partition(":")[0] for name in outputs})
            return frozenset(each.name for *_, each in runs if each.op.name in left)

        return Discovery(captures, grid or None, around)

    def explainable(
        self, found: Discovery, inputs: Sequence[tf.Tensor], place: int | None
    ) -> Discovery:
        """Word where cells lie, and skip the layers that no map can be drawn from.

        Args:
            found: What was heard.
            inputs: The model's input tensors.
            place: Which of them is asked for.
        """
        layers = {path: layer for path, layer, *_ in self._runs}
        turned = channels_first(self._model)
        tensors = {tensor.name: tensor for *_, tensor in self._runs}
        grids = [each for each in spatial(found.captures, found.image) if each.used]
        sites = [
            Site(each.path, layers[each.path], None, id(layers[each.path]) in turned)
            for each in grids
        ]
        seen: list[Runs] = [(tensors[each.output],) for each in grids]
        words = cells_in_words(self._model, sites, seen, inputs, self._ends, self._axes, place)
        runs = Counter(each.path for each in found.captures)
        words = [
            f"{word}, one of {runs[each.path]} runs" if word and runs[each.path] > 1 else word
            for each, word in zip(grids, words, strict=True)
        ]
        cells = {each.output: word for each, word in zip(grids, words, strict=True)}
        captures = [
            replace(each, used=False)
            if (word := cells.get(each.output, "")) is None
            else replace(each, cells=word)
            for each in found.captures
        ]
        return found._replace(captures=captures)


def _grid(
    model: keras.Model, image: tf.Tensor, ends: Sequence[tf.Tensor], axes: str | None
) -> tuple[int | None, ...]:
    """Return the lengths of an input's grid."""
    first = images_channels_first(model, image)
    form = InputForm(0 if first else len(image.shape) - 2)
    if axes is not None or image.shape[-1] not in IMAGE_CHANNELS:  # else these are colours
        form = input_form(image, followed(image, ends), first, axes)
    return tuple(image.shape[axis + 1] for axis in form.grid(len(image.shape)))
