"""Steps that models are put together of at random: each takes a grid of features and gives one.

With positive weights and no bias, what a step gives is largest where it looks at a spot of light.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras
from hypothesis import strategies as st
from keras import layers, ops

Draw = Callable[[Any], Any]


@dataclass
class Plan:
    """A model in the making.

    Attributes:
        draw: Draws from a strategy.
        value: What the steps so far gave, (batch, *grid, features).
        steps: Their names, for the report of a failure.
        named: The layers whose outputs may be explained.
        lasting: Whether a step carries on along the first axis what it saw.
    """

    draw: Draw
    value: Any
    steps: list[str] = field(default_factory=list)
    named: list[str] = field(default_factory=list)
    lasting: bool = False

    @property
    def size(self) -> tuple[int, ...]:
        return tuple(self.value.shape[1:-1])

    @property
    def depth(self) -> int:
        return int(self.value.shape[-1])

    def numbers(self, low: int, high: int, count: int) -> list[int]:
        return [self.draw(st.integers(low, high)) for _ in range(count)]

    def take(self, step: Callable[["Plan"], Any]) -> None:
        """Take a step, and keep its name and its layer's."""
        self.value = step(self)
        self.steps.append(step.__name__)
        self.named.append(self.value._keras_history.operation.name)


def light(kind: Any, *arguments: Any, **options: Any) -> Any:
    """Make a layer of weights without a bias."""
    return kind(*arguments, use_bias=False, **options)


def crop(plan: Plan) -> Any:
    low, high, left, right = plan.numbers(0, 4, 4)
    return layers.Cropping2D(((low, high), (left, right)))(plan.value)


def center_crop(plan: Plan) -> Any:
    height, width = plan.size
    return layers.CenterCrop(height - 2, width - 5)(plan.value)


def pad(plan: Plan) -> Any:
    low, high, left, right = plan.numbers(0, 5, 4)
    return layers.ZeroPadding2D(((low, high), (left, right)))(plan.value)


def turn(plan: Plan) -> Any:
    return layers.Permute((2, 1, 3))(plan.value)


def flip(plan: Plan) -> Any:
    return plan.value[:, ::-1] if plan.draw(st.booleans()) else plan.value[:, :, ::-1]


def rotate(plan: Plan) -> Any:
    return ops.flip(ops.transpose(plan.value, (0, 2, 1, 3)), plan.draw(st.integers(1, 2)))


def roll(plan: Plan) -> Any:
    return ops.roll(plan.value, plan.draw(st.integers(0, 6)), plan.draw(st.integers(1, 2)))


def every_other(plan: Plan) -> Any:
    return plan.value[:, plan.draw(st.integers(0, 1)) :: 2]


def part(plan: Plan) -> Any:
    low, high = plan.numbers(0, 4, 2)
    return plan.value[:, low:, : plan.size[1] - high]


def convolution(plan: Plan) -> Any:
    return light(
        layers.Conv2D, plan.draw(st.integers(2, 4)), plan.draw(st.integers(1, 4)),
        plan.draw(st.integers(1, 2)), padding=plan.draw(st.sampled_from(["same", "valid"])),
        activation="relu",
    )(plan.value)  # fmt: skip


def dilated(plan: Plan) -> Any:
    padding = plan.draw(st.sampled_from(["same", "valid"]))
    return light(layers.Conv2D, 3, 3, dilation_rate=2, padding=padding)(plan.value)


def depthwise(plan: Plan) -> Any:
    return light(layers.DepthwiseConv2D, 3, padding="same")(plan.value)


def separable(plan: Plan) -> Any:
    return light(layers.SeparableConv2D, 3, 3, 2, padding="same")(plan.value)


def transposed(plan: Plan) -> Any:
    kernel, padding = plan.draw(st.integers(2, 4)), plan.draw(st.sampled_from(["same", "valid"]))
    return light(layers.Conv2DTranspose, 3, kernel, 2, padding=padding)(plan.value)


def pooling(plan: Plan) -> Any:
    kind = plan.draw(st.sampled_from([layers.MaxPooling2D, layers.AveragePooling2D]))
    size, padding = plan.draw(st.integers(2, 3)), plan.draw(st.sampled_from(["same", "valid"]))
    return kind(size, 2, padding)(plan.value)


def upsampling(plan: Plan) -> Any:
    how = plan.draw(st.sampled_from(["nearest", "bilinear"]))
    return layers.UpSampling2D(2, interpolation=how)(plan.value)


def resizing(plan: Plan) -> Any:
    height, width = plan.size
    crops = plan.draw(st.booleans())
    return layers.Resizing(height - 4, width - 7, crop_to_aspect_ratio=crops)(plan.value)


def normalized(plan: Plan) -> Any:
    return layers.ReLU()(layers.BatchNormalization(center=False)(plan.value))


def residual(plan: Plan) -> Any:
    branch = light(layers.Conv2D, plan.depth, 3, padding="same", activation="relu")(plan.value)
    return plan.value + branch


def branches(plan: Plan) -> Any:
    one = light(layers.Conv2D, 2, 1)(plan.value)
    other = light(layers.Conv2D, 2, 5, padding="same")(plan.value)
    pooled = layers.MaxPooling2D(3, 1, "same")(plan.value)
    return layers.Concatenate()([one, other, pooled])


def excited(plan: Plan) -> Any:
    found = layers.GlobalAveragePooling2D(keepdims=True)(plan.value)
    return plan.value * light(layers.Dense, plan.depth, activation="sigmoid")(found)


def hourglass(plan: Plan) -> Any:
    """Go down and up again, beside a way straight through, as a U-Net does."""
    height, width = (length // 2 * 2 for length in plan.size)
    value = plan.value[:, :height, :width]
    low = light(layers.Conv2D, 3, 3, padding="same")(layers.MaxPooling2D()(value))
    return layers.Concatenate()([value, layers.UpSampling2D()(low)])


def nested(plan: Plan) -> Any:
    inner = keras.Sequential([
        keras.Input(plan.value.shape[1:]), layers.ZeroPadding2D(((2, 0), (0, 1))),
        light(layers.Conv2D, 3, 3, activation="relu"),
    ])  # fmt: skip
    return inner(plan.value)


class Inside(layers.Layer):
    """A layer of layers."""

    def __init__(self) -> None:
        super().__init__()
        self.first = light(layers.Conv2D, 3, 3, 2, padding="same")
        self.second = layers.ReLU()

    def call(self, inputs: Any) -> Any:
        return self.second(self.first(inputs))


def subclassed(plan: Plan) -> Any:
    return Inside()(plan.value)


class Counting(layers.Layer):
    """A layer that counts its calls, and works on."""

    def build(self, shape: Any) -> None:
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, inputs: Any) -> Any:
        self.calls.assign_add(1.0)
        return inputs * 1.0


def counting(plan: Plan) -> Any:
    return Counting()(plan.value)


def windows(plan: Plan) -> Any:
    """Cut into four windows that are folded into the batch, look at each, and put them back."""
    height, width = (length // 2 * 2 for length in plan.size)
    rows, columns = height // 2, width // 2
    value = ops.reshape(plan.value[:, :height, :width], (-1, 2, rows, 2, columns, plan.depth))
    value = ops.transpose(value, (0, 1, 3, 2, 4, 5))
    value = ops.reshape(value, (-1, rows, columns, plan.depth))
    look = light(layers.Conv2D, 3, 1, activation="relu")
    value = look(value)
    plan.named.append(look.name)
    value = ops.transpose(ops.reshape(value, (-1, 2, 2, rows, columns, 3)), (0, 1, 3, 2, 4, 5))
    return ops.reshape(value, (-1, height, width, 3))


def tokens(plan: Plan) -> Any:
    """Lay the grid out as tokens, mix their features, and lay them back."""
    height, width = plan.size
    value = layers.Reshape((height * width, plan.depth))(plan.value)
    mix = light(layers.Dense, 3, activation="relu")
    value = mix(value)
    plan.named.append(mix.name)
    return layers.Reshape((height, width, 3))(value)


def attention(plan: Plan) -> Any:
    """Cut into patches, and let each look at all of them beside itself."""
    patches = light(layers.Conv2D, 4, 3, 3)(plan.value)
    height, width = patches.shape[1:-1]
    value = layers.Reshape((height * width, 4))(patches)
    seen = layers.MultiHeadAttention(2, 2, use_bias=False)(value, value)
    plan.named.append(value._keras_history.operation.name)
    return layers.Reshape((height, width, 4))(value + 0.01 * seen)


def heads(plan: Plan) -> Any:
    """Deal the features out to two heads before the grid, and gather them again."""
    height, width = plan.size
    value = light(layers.Dense, 4)(plan.value)
    value = ops.transpose(ops.reshape(value, (-1, height, width, 2, 2)), (0, 3, 1, 2, 4))
    value = layers.ReLU()(value)
    plan.named.append(value._keras_history.operation.name)
    return ops.reshape(ops.transpose(value, (0, 2, 3, 1, 4)), (-1, height, width, 4))


def focus(plan: Plan) -> Any:
    """Put every other row and column on top of each other."""
    height, width = (length // 2 * 2 for length in plan.size)
    value = plan.value[:, :height, :width]
    return ops.concatenate([value[:, i::2, j::2] for i in (0, 1) for j in (0, 1)], -1)


def shuffle(plan: Plan) -> Any:
    """Deal features out to a grid twice as fine."""
    height, width = plan.size
    value = ops.reshape(light(layers.Dense, 8)(plan.value), (-1, height, width, 2, 2, 2))
    value = ops.transpose(value, (0, 1, 3, 2, 4, 5))
    return ops.reshape(value, (-1, 2 * height, 2 * width, 2))


def channels_first(plan: Plan) -> Any:
    value = layers.Activation("relu")(ops.transpose(plan.value, (0, 3, 1, 2)))
    return ops.transpose(value, (0, 2, 3, 1))


def rows_as_steps(plan: Plan) -> Any:
    """Go through each row by itself, as through a frame."""
    return layers.TimeDistributed(light(layers.Conv1D, 3, 3, padding="same"))(plan.value)


STEPS = (
    crop, center_crop, pad, turn, flip, rotate, roll, every_other, part, convolution, dilated,
    depthwise, separable, transposed, pooling, upsampling, resizing, normalized, residual,
    branches, excited, hourglass, nested, subclassed, counting, windows, tokens, attention, heads,
    focus, shuffle, channels_first, rows_as_steps,
)  # fmt: skip


def frame_by_frame(plan: Plan) -> Any:
    """Run a network on each frame."""
    inner = Plan(plan.draw, keras.Input(plan.value.shape[2:]))
    start = inner.value
    for step in plan.draw(st.lists(st.sampled_from(STEPS), min_size=1, max_size=2)):
        if min(inner.size) >= 10:
            inner.take(step)
    plan.steps += inner.steps
    inner.value = light(layers.Dense, 3)(inner.value)
    return layers.TimeDistributed(keras.Model(start, inner.value))(plan.value)


def frames_in_batch(plan: Plan) -> Any:
    """Fold the frames into the batch, look at each, and put them back."""
    length, height, width = plan.size
    value = ops.reshape(plan.value, (-1, height, width, plan.depth))
    look = light(layers.Conv2D, 3, 3, 2, padding="same", activation="relu")
    value = look(value)
    plan.named.append(look.name)
    return ops.reshape(value, (-1, length, *value.shape[1:]))


def convolution_3d(plan: Plan) -> Any:
    stride = plan.draw(st.sampled_from([1, 2, (1, 2, 2)]))
    padding = plan.draw(st.sampled_from(["same", "valid"]))
    return light(layers.Conv3D, 3, 3, stride, padding=padding, activation="relu")(plan.value)


def pooling_3d(plan: Plan) -> Any:
    return layers.MaxPooling3D(plan.draw(st.sampled_from([2, (1, 2, 2)])), padding="same")(
        plan.value
    )


def crop_3d(plan: Plan) -> Any:
    _, low, _, right = plan.numbers(0, 3, 4)
    return layers.Cropping3D(((1, 0), (low, 1), (0, right)))(plan.value)


def pad_3d(plan: Plan) -> Any:
    return layers.ZeroPadding3D(((2, 0), (0, 3), (1, 0)))(plan.value)


def turn_3d(plan: Plan) -> Any:
    return layers.Permute((3, 1, 2, 4))(plan.value)


def lasting_2d(plan: Plan) -> Any:
    plan.lasting = True
    return light(layers.ConvLSTM2D, 2, 3, padding="same", return_sequences=True)(plan.value)


def time_last(plan: Plan) -> Any:
    value = layers.ReLU()(ops.transpose(plan.value, (0, 2, 3, 1, 4)))
    plan.named.append(value._keras_history.operation.name)
    return ops.transpose(value, (0, 3, 1, 2, 4))


STEPS_3D = (
    frame_by_frame, frames_in_batch, convolution_3d, pooling_3d, crop_3d, pad_3d, turn_3d,
    lasting_2d, time_last,
)  # fmt: skip


def convolution_1d(plan: Plan) -> Any:
    kernel, stride = plan.draw(st.integers(1, 5)), plan.draw(st.integers(1, 3))
    padding = plan.draw(st.sampled_from(["same", "valid", "causal"]))
    return light(layers.Conv1D, 3, kernel, stride, padding=padding, activation="relu")(plan.value)


def pooling_1d(plan: Plan) -> Any:
    return layers.MaxPooling1D(2, padding="same")(plan.value)


def crop_1d(plan: Plan) -> Any:
    return layers.Cropping1D(tuple(plan.numbers(0, 6, 2)))(plan.value)


def pad_1d(plan: Plan) -> Any:
    return layers.ZeroPadding1D(tuple(plan.numbers(0, 6, 2)))(plan.value)


def flip_1d(plan: Plan) -> Any:
    return plan.value[:, ::-1]


def upsampling_1d(plan: Plan) -> Any:
    return layers.UpSampling1D(2)(plan.value)


def segments(plan: Plan) -> Any:
    """Cut into pieces that are folded into the batch, look at each, and put them back."""
    (length,) = (each // 4 * 4 for each in plan.size)
    value = ops.reshape(plan.value[:, :length], (-1, length // 4, plan.depth))
    look = light(layers.Conv1D, 3, 3, padding="same")
    value = look(value)
    plan.named.append(look.name)
    return ops.reshape(value, (-1, length, 3))


def lasting_1d(plan: Plan) -> Any:
    plan.lasting = True
    return light(layers.GRU, 3, return_sequences=True, reset_after=False)(plan.value)


def as_columns(plan: Plan) -> Any:
    """Look at a signal as at an image of one row."""
    value = light(layers.Conv2D, 3, (1, 3), padding="same")(plan.value[:, None])
    plan.named.append(value._keras_history.operation.name)
    return value[:, 0]


STEPS_1D = (
    convolution_1d, pooling_1d, crop_1d, pad_1d, flip_1d, upsampling_1d, segments, lasting_1d,
    as_columns,
)  # fmt: skip
