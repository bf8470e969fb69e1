"""Models put together at random, with weights that only add: a spot of light stays where it is.

All weights are positive and there is no bias, so that what a layer gives is largest where it looks
at the spot. Wherever the steps move it, the heatmap must be brightest on the spot.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras
import numpy as np
from generated_steps import STEPS, STEPS_1D, STEPS_3D, Draw, Plan, light
from hypothesis import strategies as st
from keras import layers, ops

SIDES = st.sampled_from([18, 24, 30])


def of_tokens(plan: Plan) -> Any:
    """Read the grid as tokens after a class token, and take the strongest."""
    value = layers.Reshape((int(np.prod(plan.size)), plan.depth))(plan.value)
    value = ops.pad(value, ((0, 0), (1, 0), (0, 0)))
    mixed = light(layers.Dense, 3, activation="relu")
    value = mixed(value)
    plan.named.append(mixed.name)
    return ops.max(value, 1)


def of_class_token(plan: Plan) -> Any:
    """Let a class token look at all others, and read it alone."""
    value = layers.Reshape((int(np.prod(plan.size)), plan.depth))(plan.value)
    value = ops.pad(value, ((0, 0), (1, 0), (0, 0)))
    return layers.MultiHeadAttention(1, 2, use_bias=False)(value, value)[:, 0]


def _grid_axes(plan: Plan) -> tuple[int, ...]:
    return tuple(range(1, len(plan.size) + 1))


HEADS: dict[str, Callable[[Plan], Any]] = {
    "maximum": lambda plan: ops.max(plan.value, _grid_axes(plan)),
    "mean": lambda plan: ops.mean(plan.value, _grid_axes(plan)),
    "flat": lambda plan: layers.Flatten()(plan.value),
    "tokens": of_tokens,
    "class token": of_class_token,
}


class Form(NamedTuple):
    """How an image is put in.

    Attributes:
        axes: Its axes, c for the channels.
        channels: How many there are; None if it has no such axis.
    """

    axes: str
    channels: int | None


FORMS = {
    "last": Form("hwc", 3), "first": Form("chw", 3), "grey": Form("hwc", 1),
    "bare": Form("hw", None),
    "clip": Form("thwc", 2), "signal": Form("tc", 2), "signal first": Form("ct", 5),
}  # fmt: skip


def image_input(form: Form, size: tuple[int, ...]) -> tuple[Any, Any]:
    """Make an input, and bring it to (batch, *grid, channels)."""
    if form.channels is None:
        image = keras.Input(size)
        return image, layers.Reshape((*size, 1))(image)
    place = form.axes.index("c")
    image = keras.Input((*size[:place], form.channels, *size[place:]))
    if place == len(size):
        return image, image
    order = [axis + 1 for axis in range(len(size) + 1) if axis != place]
    return image, layers.Permute((*order, place + 1))(image)


@dataclass(frozen=True)
class Made:
    """A model, and what is asked of it.

    Attributes:
        model: The model.
        size: The images' size.
        form: The form of its input.
        wrapped: How it is called.
        layer: The layer to explain; None for the default.
        steps: The names of its steps.
        lasting: Whether a step carries on along the first axis what it saw.
    """

    model: keras.Model
    size: tuple[int, ...]
    form: Form
    wrapped: str
    layer: str | None
    steps: tuple[str, ...]
    lasting: bool


def _drawn_size(draw: Draw, form: Form) -> tuple[int, ...]:
    if form.axes.startswith("t") and len(form.axes) == 4:
        return draw(st.integers(4, 6)), 16, 20
    if "t" in form.axes:
        return (draw(st.sampled_from([48, 60, 64])),)
    return draw(SIDES), draw(SIDES)


_STEPS = {1: STEPS_1D, 2: STEPS, 3: STEPS_3D}
_LEAST, _MOST = {1: 12, 2: 10, 3: 3}, 60


class Called(keras.Model):
    """A model that is subclassed and calls another."""

    def __init__(self, inner: keras.Model) -> None:
        super().__init__(name="called")
        self.inner = inner

    def call(self, inputs: Any) -> Any:
        return self.inner(inputs)


def _wrapped(image: Any, plan: Plan, seen: Any, kind: str) -> keras.Model:
    """Put a head after what was seen, and the whole in a form of model."""
    score = light(layers.Dense, 2)(seen)
    if kind == "dict of outputs":
        return keras.Model(image, {"score": score, "features": plan.value})
    if kind == "table beside":
        table = keras.Input((3,), name="table")
        return keras.Model([image, table], score + light(layers.Dense, 2)(table))
    if kind == "image beside":
        other = keras.Input((12, 12, 3), name="other")
        found = light(layers.Conv2D, 2, 3, activation="relu")(other)
        beside = light(layers.Dense, 2)(layers.GlobalMaxPooling2D()(found))
        return keras.Model([image, other], score + beside)
    model = keras.Model(image, score)
    if kind == "nested":
        outer = keras.Input(image.shape[1:])
        return keras.Model(outer, model(outer))
    if kind == "subclassed":
        called = Called(model)
        called.build((None, *image.shape[1:]))
        return called
    return model


WRAPPED = (
    "plain", "plain", "plain", "dict of outputs", "table beside", "image beside", "nested",
    "subclassed",
)  # fmt: skip


def made(draw: Draw) -> Made:
    """Draw a model, and which of its layers is explained."""
    form = FORMS[draw(st.sampled_from(sorted(FORMS)))]
    size = _drawn_size(draw, form)
    rank = len(size)
    image, value = image_input(form, size)
    plan = Plan(draw, value)
    for step in draw(st.lists(st.sampled_from(_STEPS[rank]), min_size=1, max_size=4)):
        if min(plan.size) < _LEAST[rank] or max(plan.size) > _MOST:
            break
        plan.take(step)
    plan.value = light(layers.Dense, 3, activation="relu")(plan.value)
    head = draw(st.sampled_from(sorted(HEADS)))
    named = list(plan.named)
    kind = draw(st.sampled_from(WRAPPED))
    model = _wrapped(image, plan, HEADS[head](plan), kind)
    for weight in model.trainable_variables:
        weight.assign(np.full(weight.shape, 0.3, "float32"))
    layer = draw(st.sampled_from([None, None, *named]))
    steps = (*plan.steps, head, kind)
    return Made(model, size, form, kind, layer, steps, plan.lasting)
