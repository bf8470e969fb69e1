"""Run a model once and differentiate a score by the outputs of some of its layers."""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from .._types import (
    ClassIds,
    Features,
    GradientFunction,
    Images,
    MultiplierFunction,
    ScoreFunction,
    Scores,
)
from ..errors import DoesNotFitError
from ..targets import heads
from . import attention, bias_terms, graph, relu, scoring, specs, which_input
from .again import Again, by_images
from .form import Form
from .input_form import InputForm
from .layer_gradients import by_runs, curvature
from .layers import walk
from .looked_at import forms_of, image_place, image_under, shared_axes
from .outputs import select, tensors_in
from .question import Question
from .sites import Runs, Site, forward
from .survey import Discovery, Survey


class Trace(NamedTuple):
    """What one forward pass, and the backward pass down to the layers, left behind.

    Attributes:
        outputs: The explained output, or all of them.
        head: The explained output, read; None for several outputs.
        classes: Shape (batch,).
        scores: Shape (batch,), float32 (float64 for a float64 model).
        probabilities: Shape (batch,), NaN if the model returns none.
        activations: For each site, shape (batch, *grid, features).
        gradients: For each site, shape (batch, *grid, features); none if they are not wanted.
        curvatures: For each site, the scores' Hessian by its output, times that output; none if
            not wanted.
        offsets: For each site, what the scores have beside a multiple of its output; None if they
            are not linear in it. None if not wanted.
        attentions: Each matrix, shape (batch, heads, queries, keys); none if not wanted.
        attention_gradients: For each of them, of the same shape.
        images: The image input, features last; None if no input has the sites' axes.
        image_place: Which input the images are.
        axes: The axes of the images' grid that heatmaps have; None without images.
        places: Where heatmaps lie on the others, if they lie at one place there: pairs of an axis
            of the images' grid and a place.
        input_form: How that input is read.
        gradient: Maps copies of `images` with other values, shape (copies, batch, *size, channels)
            or without the first axis, to the scores' gradient, at the same classes.
        score: Maps the same to scores, shape (copies, batch) or (batch,).
        multipliers: Maps images and a baseline of each to DeepLIFT's multipliers between them.
        rests: For each site, maps other activations, (copies, batch, *grid, features) or without
            the first axis, to scores; only what follows the site runs.
        gradients_at: For each site, maps other images, or copies of them, to the scores' gradient
            by its output there.
        of_input: What is to be said of the input that the images are.
        forms: For each site, how its output is read, and where its cells lie.
        beside: The sites that were replaced by `rests` though the scores depend on the images
            beside them too; known once they are traced.
        without_rule: What bends on the way and has no rule for multipliers; known once they are
            traced.
        repeated: The sites that one 1×1 convolution makes the logits of, if these have a grid.
        relus: What followed the ReLU rule; None without a rule.
        discovery: Every layer's output; None if no survey was asked for.
        biases: What biases add to the scores; None if that is not wanted.
    """

    outputs: Any
    head: heads.Head | None
    classes: ClassIds
    scores: Scores
    probabilities: Scores
    activations: tuple[Features, ...]
    gradients: tuple[Features, ...]
    curvatures: tuple[Features, ...]
    offsets: tuple[Scores | None, ...]
    attentions: tuple[tf.Tensor, ...]
    attention_gradients: tuple[tf.Tensor, ...]
    images: Images | None
    image_place: int | None
    axes: tuple[int, ...] | None
    places: tuple[tuple[int, int], ...]
    input_form: InputForm
    gradient: GradientFunction
    score: ScoreFunction
    multipliers: MultiplierFunction
    rests: tuple[ScoreFunction, ...]
    gradients_at: tuple[GradientFunction, ...]
    of_input: tuple[str, ...]
    forms: tuple[Form, ...]
    beside: list[str]
    without_rule: set[str]
    repeated: tuple[str, ...]
    relus: relu.ReluCount | None
    discovery: Discovery | None
    biases: bias_terms.Biases | None = None


def probe(
    model: keras.Model,
    sites: Sequence[Site],
    question: Question,
    inputs: Sequence[tf.Tensor],
    classes: ClassIds,
    like: Any = None,
) -> Trace:
    """Run `model` once on `inputs` and differentiate each image's score by the sites' outputs.

    To be called while a graph is traced. The backward pass ends at the sites.

    Args:
        model: Left as it was, also after an error.
        sites: The layers to look at; none for a gradient method.
        question: What is asked.
        inputs: One tensor for each of the model's inputs, batch first.
        classes: Shape (batch,), int32; -1 asks for the predicted class.
        like: The structure of the inputs, for a model that does not declare one.

    Raises:
        ValueError: If a site runs not once or its output has no grid, the score does not depend
            on it, or the target does not return one number per image.
    """
    survey = Survey(model, question.axes)
    with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
        if question.differentiates_images:
            tape.watch([tensor for tensor in inputs if tensor.dtype.is_floating])
        with relu.replaced(question.relu_rule):
            outputs, seen, sites = forward(
                model,
                specs.pack(model, inputs, like),
                sites,
                tape,
                survey.listeners if question.survey else tuple,
            )
            chosen = select(model, outputs, question.output)
            _check_batch(model, inputs, chosen)
            head = scoring.read(chosen, question.target)
            classes = scoring.settle(head, classes)
            scores = scoring.score(question.target, chosen, classes)
        variants = scoring.variants(model, scores)
    wanted = which_input.wanted_place(model, inputs, like, question.input, [scores], question.axes)
    if wanted is not None:
        sites, seen = which_input.one_run_each(sites, seen, inputs[wanted])
    image = image_under(sites, seen, inputs, question.axes, wanted, question.input)
    by_images_too = question.differentiates_images and not (sites and question.stops_at_layers)
    if by_images_too or (image is None and question.looks_at_images):
        taken = wanted if image is None else image
        image = image_place(
            inputs, scores, question.axes, taken, differentiated=question.differentiates_images
        )
    gradients = [
        by_runs(tape, variants, site, runs)
        for site, runs in zip(sites, seen, strict=True)
        if question.differentiates_layers
    ]
    matrices = attention.find(scores, classes) if question.looks_at_attention else []
    own, forms = forms_of(model, sites, seen, scores, question, inputs, image)
    if any(form.size is None for form in forms) and not question.looks_at_images:
        image = None
    images = None if image is None else own.images(inputs[image])
    rank = 0 if images is None else len(images.shape)
    again = Again(model, question, inputs, classes, like, image, rank, own, scores.dtype)

    def gradient(wanted: Images) -> Images:
        if wanted is images and image is not None:  # they have been run
            return own.images(by_images(question, tape, variants, inputs[image]))
        return again.gradient(wanted)

    activations = tuple(form.read(runs) for form, runs in zip(forms, seen, strict=True))
    axes, places = shared_axes(forms, rank)
    trace = Trace(
        outputs=chosen,
        head=head,
        classes=classes,
        scores=scores,
        probabilities=scoring.probabilities(head, classes),
        activations=activations,
        gradients=tuple(
            form.read(runs)
            for form, runs in zip(forms if gradients else (), gradients, strict=True)
        ),
        curvatures=tuple(
            form.read(curvature(variants, form.site, runs))
            for form, runs in zip(forms, seen, strict=True)
            if "curvature" in question.needs
        ),
        offsets=tuple(
            bias_terms.linear_offset(runs, variants) if "offset" in question.needs else None
            for runs in seen
        ),
        attentions=attention.in_form(matrices, classes),
        attention_gradients=attention.in_form(
            attention.differentiate(variants, matrices)
            if "attention_gradients" in question.needs
            else [],
            classes,
        ),
        images=images,
        image_place=image,
        axes=axes,
        places=places,
        input_form=own,
        gradient=gradient,
        score=lambda wanted: scores if wanted is images else again.score(wanted),
        multipliers=again.multipliers,
        rests=tuple(
            partial(again.rest, form, runs, len(read.shape))
            for form, runs, read in zip(forms, seen, activations, strict=True)
        ),
        gradients_at=tuple(partial(again.gradients_at, form) for form in forms),
        of_input=which_input.notes_of_input(model, inputs, like, image, wanted, sites, seen),
        forms=tuple(forms),
        beside=again.beside,
        without_rule=again.without_rule,
        repeated=tuple(
            site.path
            for site, runs in zip(sites, seen, strict=True)
            if head is not None and head.dense and graph.is_pointwise_step(runs[-1], head.logits)
        ),
        relus=_count_relus(model, question, scores),
        discovery=survey.result(inputs, chosen, wanted, scores, classes)
        if question.survey
        else None,
    )
    stops = bool(sites) and question.stops_at_layers
    if question.looks_at_biases and image is not None:
        sources = seen[0] if stops else [inputs[image]]
        trace = trace._replace(biases=bias_terms.find(sources, inputs[image], own, variants))
    return _stopped(trace, again, seen) if stops else trace


def _stopped(trace: Trace, again: Again, seen: Sequence[Runs]) -> Trace:
    """Let the output of the first site stand for the images."""
    (form, *others), runs, features = trace.forms, seen[0], trace.activations[0]
    if others:
        raise ValueError("layer must be one for a gradient method: it stands for the images")
    rank = len(features.shape)
    grid = None if trace.images is None else trace.images.shape[1:-1]
    return trace._replace(
        images=features,
        image_place=trace.image_place if grid == features.shape[1:-1] else None,
        activations=(),
        gradients=(),
        rests=(),
        gradients_at=(),
        offsets=(),
        forms=(),
        axes=tuple(range(rank - 2)),
        places=(),
        gradient=partial(again.rest_gradient, form, runs, rank),
        score=partial(again.rest, form, runs, rank),
        multipliers=partial(again.rest_multipliers, form, runs, rank),
    )


def _check_batch(model: keras.Model, inputs: Sequence[tf.Tensor], outputs: Any) -> None:
    """Raise if a model that declares its batch size answers that many images, and no others.

    Raises:
        DoesNotFitError: As of layers that keep states, which hold those of each image of a batch.
    """
    batch = specs.declared_batch(model)
    if batch is None or inputs[0].shape[0] is not None:
        return
    if any(tensor.shape.rank and tensor.shape[0] == batch for tensor in tensors_in(outputs)):
        raise DoesNotFitError(f"the model answers batches of {batch} images, which it declares")


def _count_relus(model: keras.Model, question: Question, scores: Scores) -> relu.ReluCount | None:
    if question.relu_rule is None:
        return None
    return relu.count(
        question.relu_rule, graph.ancestors([scores]), {layer.name for _, layer in walk(model)}
    )
