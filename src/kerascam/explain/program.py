"""The computation behind an explanation, as one graph: from the model's inputs to heatmaps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from .. import maps as _maps
from ..model import (
    Compiled,
    Discovery,
    Form,
    InGraph,
    InputForm,
    Question,
    Site,
    Trace,
    compile_graph,
    probe,
)
from ..registry import Method
from ..repeat import driven_by
from .forward import predictions_of
from .handing import by_view, raw_maps
from .notes import notes_of


@dataclass(frozen=True)
class Recipe:
    """What is computed from a trace.

    Attributes:
        method: The method.
        question: What is asked of the model.
        normalize: How heatmaps are scaled.
        options: The method's options.
    """

    method: Method
    question: Question
    normalize: str
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Program:
    """A compiled graph, and what its trace found out.

    Attributes:
        run: Maps the inputs and the classes, (batch,) int32 with -1 for the predicted one, to a
            dict of tensors: heatmaps, maps (one per layer), classes, scores, probabilities,
            statuses, fits (whether the method's requirement holds) and predictions (see
            `predictions_of`).
        class_count: How many classes may be asked for; None if that is unknown.
        gives_probabilities: Whether the explained output ends in a softmax or sigmoid.
        sums_to_one: Whether the probabilities at each place are a softmax's, and so sum to one.
        image_place: Which input the heatmaps lie on; None if none has their axes.
        input_form: How that input is read.
        axes: The axes of that input's grid that heatmaps have.
        places: Where heatmaps lie on the others: pairs of an axis and a place; those that are not
            among them are gone.
        forms: The form of each layer's output.
        notes: What the user should know of this trace.
        discovery: Every layer's output, if the question asked for a survey.
    """

    run: Compiled
    class_count: int | None
    gives_probabilities: bool
    sums_to_one: bool
    image_place: int | None
    input_form: InputForm
    axes: tuple[int, ...] | None
    places: tuple[tuple[int, int], ...]
    forms: tuple[Form, ...]
    notes: tuple[str, ...]
    discovery: Discovery | None


def compile_program(
    model: keras.Model,
    sites: Sequence[Site],
    recipe: Recipe,
    signature: Sequence[tf.TensorSpec],
    like: Any,
    *,
    freeze: bool,
) -> Program:
    """Trace the recipe on the model once, for any batch size and any classes.

    Args:
        model: The model.
        sites: The layers to look at; none for a method that looks at the images alone.
        recipe: What is computed.
        signature: The form of each of the model's inputs.
        like: The structure of the inputs, for a model that does not declare one.
        freeze: Whether the weights become constants.
    """
    traces: list[Trace] = []

    def explain(*tensors: tf.Tensor) -> dict[str, Any]:
        *inputs, classes = tensors
        trace = probe(model, sites, recipe.question, inputs, classes, like)
        traces.append(trace)
        with driven_by(InGraph()):
            return results(trace, recipe)

    specs = [*signature, tf.TensorSpec(signature[0].shape[:1], tf.int32)]
    run = compile_graph(explain, specs, freeze=freeze)
    (trace,) = traces
    return Program(
        run=run,
        class_count=None if trace.head is None else trace.head.class_count,
        gives_probabilities=_gives_probabilities(trace),
        sums_to_one=trace.head is not None and trace.head.sums_to_one,
        image_place=trace.image_place,
        input_form=trace.input_form,
        axes=trace.axes,
        places=trace.places,
        forms=trace.forms,
        notes=notes_of(trace, recipe.method, recipe.question),
        discovery=trace.discovery,
    )


def _gives_probabilities(trace: Trace) -> bool:
    return trace.head is not None and trace.head.probabilities is not None


def results(trace: Trace, recipe: Recipe) -> dict[str, Any]:
    """Compute a program's outputs from a trace."""
    size = _size(trace)
    raw = raw_maps(trace, recipe.method, recipe.options, size)
    statuses = _statuses(trace, raw)
    raw = [_maps.finite_or_zero(maps) for maps in raw]
    heatmaps = _heatmaps(raw, recipe, size, _placed(trace, recipe.method, raw))
    numbers = [_one_per_image(trace.scores, trace.classes)]
    if _gives_probabilities(trace):  # else they are NaN, which says nothing
        numbers.append(trace.probabilities)
    statuses = _maps.of_answer(statuses, heatmaps, numbers)
    return {
        "heatmaps": _maps.finite_or_zero(heatmaps),
        "maps": raw,
        "classes": trace.classes,
        "scores": trace.scores,
        "probabilities": trace.probabilities,
        "statuses": statuses,
        "fits": _fits(trace, recipe.method),
        "predictions": predictions_of(trace.head),
    }


def _size(trace: Trace) -> list[Any] | None:
    """Return the lengths of a heatmap's axes; None if it stays on the layer's own grid."""
    if trace.images is None or trace.axes is None:
        return None
    lengths = keras.ops.shape(trace.images)[1:-1]
    return [lengths[axis] for axis in trace.axes]


def _one_per_image(scores: tf.Tensor, classes: tf.Tensor) -> tf.Tensor:
    """Return the scores; zeros if they are not one per image, as the caller then refuses them."""
    fits = tf.equal(tf.size(scores), tf.size(classes))
    return tf.cond(fits, lambda: scores, lambda: tf.zeros(tf.shape(classes), scores.dtype))


def _placed(trace: Trace, method: Method, raw: list[tf.Tensor]) -> list[Form | None]:
    """Return the form that says where each map lies: its layer's, if it has the layer's grid."""
    if not method.of_each_layer:
        return [None] * len(raw)
    return [
        form if maps.shape[1:] == activations.shape[1:-1] else None
        for maps, activations, form in zip(raw, trace.activations, trace.forms, strict=True)
    ]


def _heatmaps(
    raw: list[tf.Tensor], recipe: Recipe, size: Any, placed: Sequence[Form | None]
) -> tf.Tensor:
    on_images = [
        maps if size is None else _on_image(_maps.along(maps, len(size)), size, form)
        for maps, form in zip(raw, placed, strict=True)
    ]
    if len(raw) == 1:
        return _maps.normalize(on_images[0], recipe.normalize)
    # Layers count alike only on one scale, whatever the scale of the fused map.
    unscaled = "signed" if recipe.method.signed else "max"
    scale = unscaled if recipe.normalize == "none" else recipe.normalize
    scaled = [_maps.normalize(maps, scale) for maps in on_images]
    fused = (recipe.method.fuse or _maps.mean)(scaled, [tf.size(maps[0]) for maps in raw])
    return _maps.normalize(fused, recipe.normalize)


def _on_image(maps: tf.Tensor, size: Any, form: Form | None) -> tf.Tensor:
    if form is None:
        return _maps.resize(maps, size)
    return _maps.resize(maps, size, form.edges, form.shifts)


def _statuses(trace: Trace, raw: list[tf.Tensor]) -> tf.Tensor:
    """Say of each image how its map came out; of several layers, one with evidence is enough."""
    gradients = trace.gradients or [tf.ones_like(each) for each in trace.activations]
    bases = list(zip(trace.activations, gradients, strict=True))
    if not bases:  # a map of the images is zero if their gradient is
        bases = [(tf.ones_like(maps[..., None]), maps[..., None]) for maps in raw]
    codes = [
        _maps.status(maps, activations, gradients)
        for maps, (activations, gradients) in zip(raw, bases, strict=False)
    ]
    best, worst = tf.reduce_min(tf.stack(codes), 0), tf.reduce_max(tf.stack(codes), 0)
    return tf.where(worst == _maps.NOT_FINITE, worst, best)


def _fits(trace: Trace, method: Method) -> tf.Tensor:
    if method.requires is None:
        return tf.ones_like(trace.classes, tf.bool)
    fits = []
    for form, *bases in zip(trace.forms, trace.activations, trace.gradients, strict=True):
        apart = method.requires(*(by_view(each, form.views) for each in bases))
        fits.append(tf.reduce_all(tf.reshape(apart, [tf.shape(trace.classes)[0], -1]), 1))
    return tf.reduce_all(tf.stack(fits), 0)
