"""Which input the layers look at, and which of its axes their outputs run along."""

from collections.abc import Sequence
from dataclasses import replace

import keras
import tensorflow as tf

from .._types import Scores
from ..errors import OpenLengthsError
from . import graph
from .form import Form
from .forms import (
    followed,
    form_of,
    many_runs,
)
from .input_form import InputForm, input_form, keeps_places
from .placing import UNKNOWN, Layouts
from .question import Question
from .sites import Runs, Site, images_channels_first, without_image
from .which_input import check_under, highest


def image_place(
    inputs: Sequence[tf.Tensor],
    scores: Scores,
    axes: str | None,
    wanted: int | None,
    *,
    differentiated: bool,
) -> int:
    """Find the input that the images are, which has a grid, and is floating for a gradient.

    One of a single axis, such as a waveform, has one if the model reads it place by place.

    Args:
        inputs: The model's inputs.
        scores: What depends on them.
        axes: A letter for each axis of the input, as the user says.
        wanted: The one that is asked for; None takes the first of the most axes.
        differentiated: Whether a gradient by it is taken; else whole numbers will do.

    Raises:
        ValueError: If there is none, or the one that is asked for is none.
    """
    fit = [
        place
        for place, tensor in enumerate(inputs)
        if tensor.dtype.is_floating
        or (not differentiated and tensor.dtype.is_integer and len(tensor.shape) > 2)
    ]
    if wanted in fit:
        return wanted
    if axes is not None:
        fit = [place for place in fit if len(inputs[place].shape) == len(axes) + 1] or fit
    large = [place for place in fit if len(inputs[place].shape) > 2]
    if wanted is None and large:
        return highest(inputs, large)
    for place in fit if wanted is None else ():
        if axes is not None or keeps_places(followed(inputs[place], [scores])):
            return place
    shapes = ", ".join(f"{tuple(tensor.shape)} {tensor.dtype.name}" for tensor in inputs)
    which = "" if wanted is None else f", and the one to explain is number {wanted}"
    wants = (
        "a gradient method needs a floating input of shape (batch, *grid, channels); use a class "
        "activation map, or give as layer= the layer that turns whole numbers into numbers with a "
        "gradient"
        if differentiated
        else "a method that hides or mixes parts of the images needs an input of shape (batch, "
        "*grid, channels); use a class activation map, or a gradient method, which can stop at the "
        "embedding of whole numbers"
    )
    raise ValueError(f"images are not among the model's inputs ({shapes}{which}): {wants}")


def forms_of(
    model: keras.Model,
    sites: Sequence[Site],
    seen: Sequence[Runs],
    scores: Scores,
    question: Question,
    inputs: Sequence[tf.Tensor],
    place: int | None,
) -> tuple[InputForm, list[Form]]:
    """Find how the image is read, and the form of each site's output.

    Raises:
        OpenLengthsError: If only lengths that are open can tell how it is read.
    """
    if place is None:
        alone = [site for site, runs in zip(sites, seen, strict=True) if len(runs) > 1]
        if alone:
            raise many_runs(alone[0], seen[sites.index(alone[0])])
        return InputForm(None), [Form(site, None, None, question.grid, (), None) for site in sites]
    image, ends = inputs[place], [tensor for runs in seen for tensor in runs]
    own, layouts = _read(model, image, ends, [scores], question.axes)
    if own.note is not None and question.axes is None and None in image.shape[1:]:
        raise OpenLengthsError(own.note)  # lengths may tell what the operations do not
    forms = (
        form_of(site, runs, image, layouts, own, question.grid, question.measured)
        for site, runs in zip(sites, seen, strict=True)
    )
    return own, [_shifted(form, question) for form in forms]


def _shifted(form: Form, question: Question) -> Form:
    found = [shift for shift in question.shifts if shift.name == form.site.name]
    return replace(form, shift=found[0]) if found and form.axes is not None else form


def _read(
    model: keras.Model,
    image: tf.Tensor,
    ends: Sequence[tf.Tensor],
    others: Sequence[tf.Tensor],
    axes: str | None,
) -> tuple[InputForm, Layouts]:
    """Follow an image to some tensors, or else to others; tell what its axes are.

    What comes after these tensors may tell it too.
    """
    layouts = followed(image, ends or others)
    shown = followed(image, others) if ends and layouts.mixing is None else layouts
    own = input_form(image, shown, images_channels_first(model, image), axes)
    if any(layouts.of(tensor) == UNKNOWN for tensor in ends):
        # Colours that are stacked or picked are lost as places, and none if they are features.
        layouts = followed(image, ends, own.channel)
    return own, layouts


def cells_in_words(
    model: keras.Model,
    sites: Sequence[Site],
    seen: Sequence[Runs],
    inputs: Sequence[tf.Tensor],
    outputs: Sequence[tf.Tensor],
    axes: str | None,
    wanted: int | None = None,
) -> list[str | None]:
    """Word where the cells of each site lie; None of a site from which no map can be drawn."""
    known: dict[int, tuple[InputForm, Layouts]] = {}
    ends = [tensor for runs in seen for tensor in runs]
    found: list[str | None] = []
    for site, runs in zip(sites, seen, strict=True):
        try:
            place = image_under([site], [runs], inputs, axes, wanted, wanted)
            if place is None:
                found.append(None)
                continue
            if place not in known:
                known[place] = _read(model, inputs[place], ends, outputs, axes)
            own, layouts = known[place]
            form = form_of(site, runs, inputs[place], layouts, own)
            form.read(runs)  # raises for tokens that fit no grid
            found.append(form.words)
        except ValueError:
            found.append(None)
    return found


def shared_axes(
    forms: Sequence[Form], rank: int
) -> tuple[tuple[int, ...] | None, tuple[tuple[int, int], ...]]:
    """Return the axes of the images' grid that heatmaps have, and where they lie on the others.

    Raises:
        ValueError: If layers lie on different ones.
    """
    if not forms:
        return tuple(range(rank - 2)) if rank else None, ()
    first, *others = forms
    for form in others:
        if (form.axes, form.places) != (first.axes, first.places):
            raise ValueError(
                f"layers {first.site.path!r} and {form.site.path!r} cannot be fused: they lie on "
                f"different axes of the images; explain each by itself"
            )
    return first.axes, first.places


def image_under(
    sites: Sequence[Site],
    seen: Sequence[Runs],
    inputs: Sequence[tf.Tensor],
    axes: str | None,
    wanted: int | None,
    chosen: int | str | None,
) -> int | None:
    """Find the input that the first site looks at.

    Of several, it is one of its rank, or an image under its tokens, or that of most axes.

    Args:
        sites: The layers.
        seen: What each gave in each of its runs.
        inputs: The model's inputs.
        axes: A letter for each axis of the input, as the user says.
        wanted: The one that is asked for, or None.
        chosen: As the user names it.

    Raises:
        ValueError: If a site looks at no input, or not at the one that is taken.
    """
    if not seen:
        return None
    below = [graph.ancestors(runs) for runs in seen]
    for site, needed in zip(sites, below, strict=True):
        if needed.isdisjoint(tensor.op.name for tensor in inputs):
            raise without_image(site)
    rank = len(seen[0][0].shape) + (len(seen[0]) > 1)  # runs side by side have an axis of theirs
    under = [place for place, tensor in enumerate(inputs) if tensor.op.name in below[0]]
    if axes is not None:
        under = [each for each in under if len(inputs[each].shape) == len(axes) + 1] or under
    ranks = (rank, rank + 1) if rank == 3 else (rank,)
    fit = [place for length in ranks for place in under if len(inputs[place].shape) == length]
    place = wanted if wanted is not None else next(iter(fit), highest(inputs, under))
    check_under(sites, below, inputs[place], chosen)
    return place
