"""The computation behind an explanation, as one graph: from the model's inputs to heatmaps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from .. import maps as _maps
from .._types import ClassIds, Heatmaps, LayerMaps, Statuses
from ..model import (
    Compiled,
    Discovery,
    Form,
    InGraph,
    InputForm,
    Question,
    Signature,
    Site,
    Trace,
    compile_graph,
    probe,
    with_classes,
)
from ..registry import Method
from ..repeat import driven_by
from .forward import predictions_of
from .handing import Placed, by_view, estimates, on_image, placed_as, relevances
from .notes import notes_of


@dataclass(frozen=True)
class Recipe:
    """What is computed from a trace.

    Attributes:
        method: The method.
        question: What is asked of the model.
        normalize: How heatmaps are scaled.
        options: The method's options.
        relevance: Whether what each feature adds to the map is computed too.
    """

    method: Method
    question: Question
    normalize: str
    options: Mapping[str, Any]
    relevance: bool = False


@dataclass(frozen=True)
class Program:
    """A compiled graph, and what its trace found out.

    Attributes:
        run: Maps the inputs and the classes, (batch,) int32 with -1 for the predicted one, to a
            dict of tensors: heatmaps, maps (one per layer), their standard_errors (None of what is
            exact) and residual (None if no sum is promised), classes, scores, probabilities,
            statuses, fits (whether the method's requirement holds), predictions (see
            `predictions_of`) and relevance (see `relevances`; None unless the recipe asks).
        has_loop: Whether it asks the model in a loop, of one pass or more.
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
    has_loop: bool
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
    signature: Signature,
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
    driver = InGraph()

    def explain(*tensors: Any) -> dict[str, Any]:
        *inputs, classes = tensors
        trace = probe(model, sites, recipe.question, inputs, classes, like)
        traces.append(trace)
        with driven_by(driver):
            return results(trace, recipe)

    run = compile_graph(explain, with_classes(signature), freeze=freeze)
    (trace,) = traces
    return Program(
        run=run,
        has_loop=driver.met,
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
    found = estimates(trace, recipe.method, recipe.options, size)
    raw = [each.maps for each in found]
    statuses = _statuses(trace, raw)
    raw = [_maps.finite_or_zero(maps) for maps in raw]
    heatmaps = heatmaps_of(
        raw, recipe.method, recipe.normalize, size, _placed(trace, recipe.method, raw)
    )
    numbers = [_one_per_image(trace.scores, trace.classes)]
    if _gives_probabilities(trace):  # else they are NaN, which says nothing
        numbers.append(trace.probabilities)
    statuses = _maps.of_answer(statuses, heatmaps, numbers)
    return {
        "heatmaps": _maps.finite_or_zero(heatmaps),
        "maps": raw,
        "standard_errors": [each.standard_errors for each in found],
        "residual": found[0].residual if len(found) == 1 else None,
        "classes": trace.classes,
        "scores": trace.scores,
        "probabilities": trace.probabilities,
        "statuses": statuses,
        "fits": _fits(trace, recipe.method),
        "predictions": predictions_of(trace.head),
        "relevance": relevances(trace, recipe.method, size) if recipe.relevance else None,
    }


def _size(trace: Trace) -> list[Any] | None:
    """Return the lengths of a heatmap's axes; None if it stays on the layer's own grid."""
    if trace.images is None or trace.axes is None:
        return None
    lengths = ops.shape(trace.images)[1:-1]
    return [lengths[axis] for axis in trace.axes]


def _one_per_image(scores: Any, classes: ClassIds) -> Any:
    """Return the scores; zeros if they are not one per image, as the caller then refuses them."""
    fits = ops.equal(ops.size(scores), ops.size(classes))
    return ops.cond(fits, lambda: scores, lambda: ops.zeros(ops.shape(classes), scores.dtype))


def _placed(trace: Trace, method: Method, raw: LayerMaps) -> list[Placed | None]:
    """Say where each map lies: as its layer's cells do, if it has the layer's grid."""
    if not method.of_each_layer:
        return [None] * len(raw)
    return [
        placed_as(form) if maps.shape[1:] == activations.shape[1:-1] else None
        for maps, activations, form in zip(raw, trace.activations, trace.forms, strict=True)
    ]


def heatmaps_of(
    raw: LayerMaps, method: Method, normalize: str, size: Any, placed: Sequence[Placed | None]
) -> Heatmaps:
    """Bring raw maps to the images, fuse those of several layers, and scale them.

    Args:
        raw: One per layer, each of shape (batch, *grid).
        method: What computed them.
        normalize: How heatmaps are scaled.
        size: The lengths of the axes of the images; None for maps that stay on their own grid.
        placed: Where the cells of each map lie; None if they cover all of the images.

    Returns:
        Shape (batch, *size).
    """
    on_images = [
        maps if size is None else on_image(maps, size, where)
        for maps, where in zip(raw, placed, strict=True)
    ]
    if len(raw) == 1:
        return _maps.normalize(on_images[0], normalize)
    # Layers count alike only on one scale, whatever the scale of the fused map.
    unscaled = "signed" if method.signed else "max"
    scale = unscaled if normalize == "none" else normalize
    scaled = [_maps.normalize(maps, scale) for maps in on_images]
    fused = (method.fuse or _maps.mean)(scaled, [ops.size(maps[0]) for maps in raw])
    return _maps.normalize(fused, normalize)


def _statuses(trace: Trace, raw: LayerMaps) -> Statuses:
    """Say of each image how its map came out; of several layers, one with evidence is enough."""
    gradients = trace.gradients or [ops.ones_like(each) for each in trace.activations]
    bases = list(zip(trace.activations, gradients, strict=True))
    if not bases:  # a map of the images is zero if their gradient is
        bases = [(ops.ones_like(maps[..., None]), maps[..., None]) for maps in raw]
    codes = [
        _maps.status(maps, activations, gradients)
        for maps, (activations, gradients) in zip(raw, bases, strict=False)
    ]
    best, worst = ops.min(ops.stack(codes), 0), ops.max(ops.stack(codes), 0)
    return ops.where(worst == _maps.NOT_FINITE, worst, best)


def _fits(trace: Trace, method: Method) -> Any:
    if method.requires is None:
        return ops.ones_like(trace.classes, "bool")
    fits = []
    for form, *bases in zip(trace.forms, trace.activations, trace.gradients, strict=True):
        apart = method.requires(*(by_view(each, form.views) for each in bases))
        fits.append(ops.all(ops.reshape(apart, (ops.shape(trace.classes)[0], -1)), 1))
    return ops.all(ops.stack(fits), 0)
