"""Which of a model's inputs is explained: the one that is asked for, or the likeliest image."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import keras
import tensorflow as tf

from ..errors import brief
from ..inputs import InputSpec, place_of
from . import graph, specs
from .forms import followed
from .input_form import keeps_places
from .sites import Runs, Site


def check_input(model: keras.Model, chosen: Any, own: Sequence[InputSpec] | None) -> None:
    """Raise if a model has no input of this name or index.

    Args:
        model: The model.
        chosen: The name or index; None is never refused.
        own: Its inputs, or None before it is asked: then one that does not name them is trusted.
    """
    if chosen is None:
        return
    if own is not None:
        place_of(chosen, own)
    elif specs.names_inputs(model, chosen):
        place_of(chosen, specs.input_specs(model))


def wanted_place(
    model: keras.Model,
    inputs: Sequence[tf.Tensor],
    like: Any,
    chosen: int | str | None,
    ends: Sequence[tf.Tensor],
    axes: str | None,
) -> int | None:
    """Return which input the user asks for; None if that is left open.

    Args:
        model: The model.
        inputs: One tensor for each of its inputs.
        like: The structure of the inputs, for a model that does not declare one.
        chosen: Its name or index, or None.
        ends: The scores or outputs, which tell whether a row is read place by place.
        axes: A letter for each axis of the input, as the user says.

    Raises:
        ValueError: If there is no such input, or it holds numbers without a grid.
    """
    if chosen is None:
        return None
    own = specs.input_specs(model, like)
    place = place_of(chosen, own)
    row = inputs[place].dtype.is_floating and len(inputs[place].shape) < 3 and axes is None
    if row and not keeps_places(followed(inputs[place], ends)):
        known = ", ".join(repr(own[each].name) for each in image_like(inputs)) or "none here"
        raise ValueError(
            f"input={brief(chosen)} takes values of shape {tuple(inputs[place].shape)}, which have "
            f"no grid to draw a map on; inputs with a grid: {known}"
        )
    return place


def image_like(inputs: Sequence[tf.Tensor]) -> list[int]:
    """List the inputs that have a grid: a batch axis, one axis or more of it, and channels."""
    return [place for place, tensor in enumerate(inputs) if len(tensor.shape) > 2]


def highest(inputs: Sequence[tf.Tensor], places: Sequence[int]) -> int:
    """Return the first input of the most axes: an image before a signal."""
    return max(places, key=lambda place: len(inputs[place].shape))


def one_run_each(
    sites: Sequence[Site], seen: Sequence[Runs], image: tf.Tensor
) -> tuple[list[Site], list[Runs]]:
    """Take, of a layer that runs several times, the one run that looks at an input.

    Args:
        sites: The layers.
        seen: What each gave in each of its runs.
        image: The input that is asked for.

    Returns:
        Both, as they were if several runs see it, or none does.
    """
    settled, outputs = list(sites), list(seen)
    for index, (site, runs) in enumerate(zip(sites, seen, strict=True)):
        own = [run for run, tensor in enumerate(runs) if image.op.name in graph.ancestors([tensor])]
        if site.run is None and len(runs) > 1 and len(own) == 1:
            settled[index], outputs[index] = replace(site, run=own[0]), (runs[own[0]],)
    return settled, outputs


def check_under(
    sites: Sequence[Site],
    below: Sequence[set[str]],
    image: tf.Tensor,
    chosen: int | str | None,
) -> None:
    """Raise if a layer does not depend on the input that the map is drawn on.

    Args:
        sites: The layers.
        below: What each depends on.
        image: The input.
        chosen: As the user names it; None if it was not asked for.
    """
    for site, needed in zip(sites, below, strict=True):
        if image.op.name in needed:
            continue
        if chosen is not None:
            raise ValueError(
                f"layer {site.path!r} does not suit input={brief(chosen)}: it does not depend on "
                f"that input; name another layer, or leave layer= out"
            )
        raise ValueError(
            f"layer {site.path!r} does not depend on the input that the map of layer "
            f"{sites[0].path!r} lies on, and maps of several inputs are not fused; explain each "
            f"layer by itself"
        )


def notes_of_input(
    model: keras.Model,
    inputs: Sequence[tf.Tensor],
    like: Any,
    place: int | None,
    wanted: int | None,
    sites: Sequence[Site],
    seen: Sequence[Runs],
) -> tuple[str, ...]:
    """Say which input was taken if none was asked for, and if a layer looks at others too.

    Args:
        model: The model.
        inputs: Its inputs.
        like: Their structure, for a model that does not declare one.
        place: The input that was taken; None if there is none.
        wanted: The one that was asked for.
        sites: The layers.
        seen: Their outputs.
    """
    others = [each for each in image_like(inputs) if each != place]
    if place is None or not others:
        return ()
    own = [repr(spec.name) for spec in specs.input_specs(model, like)]
    notes = []
    if wanted is None:
        names = ", ".join(own[each] for each in others)
        notes.append(f"the heatmaps lie on input {own[place]}; input= chooses another: {names}")
    for site, runs in zip(sites, seen, strict=True):
        below = graph.ancestors(runs)
        mixed = [own[each] for each in others if inputs[each].op.name in below]
        if mixed:
            notes.append(
                f"layer {site.path} depends on input {', '.join(mixed)} too: its map shows what "
                f"was found in them together"
            )
    return tuple(notes)
