"""Models put together at random, with weights that only add: a spot of light stays where it is.

All weights are positive and there is no bias, so that what a layer gives is largest where it looks
at the spot. Wherever the steps move it, the heatmap must be brightest on the spot.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from hypothesis import strategies as st
from keras import layers, ops

Draw = Callable[[Any], Any]
SIDES = st.sampled_from([24, 30, 36])


@dataclass
class Plan:
    """A model in the making.

    Attributes:
        draw: Draws from a strategy.
        image: The input.
        value: What the steps so far gave, (batch, height, width, features).
        steps: Their names, for the report of a failure.
    """

    draw: Draw
    image: Any
    value: Any
    steps: list[str] = field(default_factory=list)

    @property
    def size(self) -> tuple[int, int]:
        return self.value.shape[1], self.value.shape[2]


def crop(plan: Plan) -> Any:
    low, high, left, right = (plan.draw(st.integers(0, 4)) for _ in range(4))
    return layers.Cropping2D(((low, high), (left, right)))(plan.value)


def center_crop(plan: Plan) -> Any:
    height, width = plan.size
    return layers.CenterCrop(height - 2, width - 5)(plan.value)


def pad(plan: Plan) -> Any:
    low, high, left, right = (plan.draw(st.integers(0, 5)) for _ in range(4))
    return layers.ZeroPadding2D(((low, high), (left, right)))(plan.value)


def turn(plan: Plan) -> Any:
    return layers.Permute((2, 1, 3))(plan.value)


def flip(plan: Plan) -> Any:
    return plan.value[:, ::-1] if plan.draw(st.booleans()) else plan.value[:, :, ::-1]


def every_other(plan: Plan) -> Any:
    return plan.value[:, plan.draw(st.integers(0, 1)) :: 2]


def convolution(plan: Plan) -> Any:
    return layers.Conv2D(
        plan.draw(st.integers(2, 4)), plan.draw(st.integers(1, 4)), plan.draw(st.integers(1, 2)),
        padding=plan.draw(st.sampled_from(["same", "valid"])), activation="relu", use_bias=False,
    )(plan.value)  # fmt: skip


def dilated(plan: Plan) -> Any:
    return layers.Conv2D(3, 3, dilation_rate=2, padding="same", use_bias=False)(plan.value)


def depthwise(plan: Plan) -> Any:
    return layers.DepthwiseConv2D(3, padding="same", use_bias=False)(plan.value)


def transposed(plan: Plan) -> Any:
    return layers.Conv2DTranspose(3, 2, 2, use_bias=False)(plan.value)


def pooling(plan: Plan) -> Any:
    kind = plan.draw(st.sampled_from([layers.MaxPooling2D, layers.AveragePooling2D]))
    return kind(2, padding=plan.draw(st.sampled_from(["same", "valid"])))(plan.value)


def upsampling(plan: Plan) -> Any:
    return layers.UpSampling2D(
        2, interpolation=plan.draw(st.sampled_from(["nearest", "bilinear"]))
    )(plan.value)


def resizing(plan: Plan) -> Any:
    height, width = plan.size
    crops = plan.draw(st.booleans())
    return layers.Resizing(height - 4, width - 7, crop_to_aspect_ratio=crops)(plan.value)


def residual(plan: Plan) -> Any:
    depth = plan.value.shape[-1]
    branch = layers.Conv2D(depth, 3, padding="same", activation="relu", use_bias=False)(plan.value)
    return plan.value + branch


def nested(plan: Plan) -> Any:
    inner = keras.Sequential([
        keras.Input(plan.value.shape[1:]), layers.ZeroPadding2D(((2, 0), (0, 1))),
        layers.Conv2D(3, 3, activation="relu", use_bias=False),
    ])  # fmt: skip
    return inner(plan.value)


class Inside(layers.Layer):
    """A layer of layers."""

    def __init__(self) -> None:
        super().__init__()
        self.first = layers.Conv2D(3, 3, 2, padding="same", use_bias=False)
        self.second = layers.ReLU()

    def call(self, inputs: Any) -> Any:
        return self.second(self.first(inputs))


def subclassed(plan: Plan) -> Any:
    return Inside()(plan.value)


def windows(plan: Plan) -> Any:
    """Cut into four windows that are folded into the batch, look at each, and put them back."""
    height, width = (length // 2 * 2 for length in plan.size)
    depth, (rows, columns) = plan.value.shape[-1], (height // 2, width // 2)
    value = ops.reshape(plan.value[:, :height, :width], (-1, 2, rows, 2, columns, depth))
    value = ops.reshape(ops.transpose(value, (0, 1, 3, 2, 4, 5)), (-1, rows, columns, depth))
    value = layers.Conv2D(3, 1, activation="relu", use_bias=False)(value)
    value = ops.transpose(ops.reshape(value, (-1, 2, 2, rows, columns, 3)), (0, 1, 3, 2, 4, 5))
    return ops.reshape(value, (-1, height, width, 3))


def tokens(plan: Plan) -> Any:
    """Lay the grid out as tokens, mix their features, and lay them back."""
    (height, width), depth = plan.size, plan.value.shape[-1]
    value = layers.Reshape((height * width, depth))(plan.value)
    value = layers.Dense(3, activation="relu", use_bias=False)(value)
    return layers.Reshape((height, width, 3))(value)


def channels_first(plan: Plan) -> Any:
    value = ops.transpose(plan.value, (0, 3, 1, 2))
    return ops.transpose(layers.Activation("relu")(value), (0, 2, 3, 1))


STEPS = (
    crop, center_crop, pad, turn, flip, every_other, convolution, dilated, depthwise, transposed,
    pooling, upsampling, resizing, residual, nested, subclassed, windows, tokens, channels_first,
)  # fmt: skip


def of_tokens(plan: Plan) -> Any:
    """Read the grid as tokens after a class token, and average them."""
    (height, width), depth = plan.size, plan.value.shape[-1]
    value = layers.Reshape((height * width, depth))(plan.value)
    value = ops.pad(value, ((0, 0), (1, 0), (0, 0)))
    return ops.max(layers.Dense(3, activation="relu", use_bias=False)(value), 1)


HEADS: dict[str, Callable[[Plan], Any]] = {
    "maximum": lambda plan: layers.GlobalMaxPooling2D()(plan.value),
    "mean": lambda plan: layers.GlobalAveragePooling2D()(plan.value),
    "flat": lambda plan: layers.Flatten()(plan.value),
    "tokens": of_tokens,
}

#: From the input as the user has it to (batch, height, width, channels).
INPUTS: dict[str, Callable[[int, int], tuple[Any, Any]]] = {
    "last": lambda h, w: (i := keras.Input((h, w, 3)), i),
    "first": lambda h, w: (i := keras.Input((3, h, w)), layers.Permute((2, 3, 1))(i)),
    "grey": lambda h, w: (i := keras.Input((h, w, 1)), i),
}


def made(draw: Draw) -> tuple[keras.Model, tuple[int, int], str, list[str]]:
    """Draw a model, the size of its images, the form of its input, and the names of its steps."""
    height, width, form = draw(SIDES), draw(SIDES), draw(st.sampled_from(sorted(INPUTS)))
    image, value = INPUTS[form](height, width)
    plan = Plan(draw, image, value)
    for step in draw(st.lists(st.sampled_from(STEPS), min_size=1, max_size=4)):
        if min(plan.size) < 10 or max(plan.size) > 60:
            break
        plan.value = step(plan)
        plan.steps.append(step.__name__)
    plan.value = layers.Conv2D(3, 1, activation="relu", use_bias=False)(plan.value)
    name = draw(st.sampled_from(sorted(HEADS)))
    score = layers.Dense(2, use_bias=False)(HEADS[name](plan))
    model = keras.Model(image, score)
    for weight in model.trainable_variables:
        weight.assign(np.full(weight.shape, 0.3, "float32"))
    return model, (height, width), form, [*plan.steps, name]
