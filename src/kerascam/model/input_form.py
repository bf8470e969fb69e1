"""How an input is read: where its channels stand, and which of its axes are a grid."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from .placing import Layouts
from .sites import IMAGE_CHANNELS, may_stand_first

# Pick the scores of the classes; `keras.ops.argmax` tells the signs of zeros by their bits.
_OF_TARGETS = {"GatherV2", "Bitcast", "BitwiseAnd"}
_GRIDS = {1: "t", 2: "hw", 3: "dhw", 4: "tdhw"}


@dataclass(frozen=True)
class InputForm:
    """How an input is read.

    Attributes:
        channel: The axis of its channels, the batch axis not counted; None if it has no channels,
            as images of one number per pixel.
        note: What the user should know of it, if anything.
    """

    channel: int | None
    note: str | None = None

    @property
    def channels(self) -> frozenset[int]:
        """The axis of the channels, if there is one."""
        return frozenset() if self.channel is None else frozenset({self.channel})

    def images(self, values: Any) -> Any:
        """Bring the input, or its gradient, to (batch, *grid, channels): a tensor or an array."""
        if self.channel is None:
            return values[..., None]
        if self.channel == len(values.shape) - 2:
            return values
        move = np.moveaxis if isinstance(values, np.ndarray) else keras.ops.moveaxis
        return move(values, self.channel + 1, -1)

    def inputs(self, images: Any) -> Any:
        """Bring (batch, *grid, channels) to the form of the input: the inverse of `images`."""
        if self.channel is None:
            return images[..., 0]
        if self.channel == len(images.shape) - 2:
            return images
        move = np.moveaxis if isinstance(images, np.ndarray) else keras.ops.moveaxis
        return move(images, -1, self.channel + 1)

    def grid(self, rank: int) -> list[int]:
        """List the axes of the grid of an input of a rank, the batch axis not counted."""
        return [axis for axis in range(rank - 1) if axis != self.channel]


def input_form(image: tf.Tensor, layouts: Layouts, first: bool, axes: str | None) -> InputForm:
    """Find how an input is read.

    The first product with weights sums over the channels; if it reads all axes of the input and
    keeps all of them, there are no channels. What can only be colours by its length is not taken
    for rows, though: a model may begin with a product over its rows.

    Args:
        image: The input.
        layouts: It, followed to the layers or to the scores.
        first: Whether layers say that their channels stand first, if no product tells.
        axes: What the user says, a letter for each axis.

    Raises:
        ValueError: If `axes` has more or fewer letters than the input has axes.
    """
    last = len(image.shape) - 2
    found = _by_product(image, layouts)
    if axes is not None:
        return _given(axes, tuple(image.shape[1:]), found)
    if found is not None:
        return found
    if last == 0:
        return InputForm(None)
    if first:
        return InputForm(0)
    if last == 1 and layouts.strangers <= _OF_TARGETS and image.shape[2] != 1:
        return InputForm(None, _guessed("hw"))  # a map with all axes hides nothing
    if last == 2 and image.shape[1] in IMAGE_CHANNELS and image.shape[-1] not in IMAGE_CHANNELS:
        return InputForm(0, _guessed("chw"))  # only the first can be colours by its length
    sure = image.shape[-1] in IMAGE_CHANNELS and image.shape[1] not in IMAGE_CHANNELS
    return InputForm(last, None if sure else _guessed(_GRIDS.get(last, "…") + "c"))


def keeps_places(layouts: Layouts) -> bool:
    """Tell whether a product with weights reads an input place by place, as no dense layer does."""
    return layouts.mixing is not None and bool(layouts.mixing[1])


def _by_product(image: tf.Tensor, layouts: Layouts) -> InputForm | None:
    read, kept = layouts.mixing or (frozenset(), frozenset())
    lengths, last = image.shape[1:], len(image.shape) - 2
    single = {axis for axis, length in enumerate(lengths) if length == 1}
    if read - kept == {last} and last > 0:
        return InputForm(last)
    if len(read - kept) == 1 and last > 0:
        (channel,) = read - kept
        if channel == 0:
            return InputForm(0 if may_stand_first(image) else last)
        return InputForm(channel) if lengths[channel] in IMAGE_CHANNELS else None
    if read != kept or not kept or set(range(last + 1)) - kept - single:
        return None
    if last > 0 and single & {0, last}:  # (height, width, 1), read as if it had no channels
        return InputForm(last if last in single else 0)
    if last == 2 and lengths[-1] in IMAGE_CHANNELS:
        return None
    return InputForm(None)


def _given(axes: str, lengths: tuple[int | None, ...], found: InputForm | None) -> InputForm:
    if len(axes) != len(lengths):
        raise ValueError(
            f"axes={axes!r} must have a letter for each axis of the input, whose shape without "
            f"the batch axis is {lengths}"
        )
    channel = axes.index("c") if "c" in axes else None
    if found is None or None in (channel, found.channel) or channel == found.channel:
        return InputForm(channel)
    return InputForm(
        channel,
        f"axes={axes!r} was taken as given, though the model sums over axis {found.channel} of "
        f"{lengths} first, as over channels",
    )


def _guessed(axes: str) -> str:
    return (
        f"the model does not show where the channels of its input are: axes={axes!r} was assumed; "
        f"give axes= if they are elsewhere"
    )
