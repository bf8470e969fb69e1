"""The stages of a residual network, read off the network itself."""

from __future__ import annotations

import re
from itertools import groupby
from typing import Any, NamedTuple

import keras


class StageFacts(NamedTuple):
    """One row of the table of stages.

    Attributes:
        name: Such as `"stage 2"`.
        size: Height, width and channels of what it hands on.
        blocks: Its residual blocks; 0 for the stem and the head.
        parameters: Its weights, batch statistics included.
        receptive_field: Height and width, in pixels of the image, that one cell of its output sees
            at most; None for the head, which sees everything.
    """

    name: str
    size: tuple[int, ...]
    blocks: int
    parameters: int
    receptive_field: int | None


def stages_of(network: keras.Model) -> list[StageFacts]:
    """Describe a network that `residual_network` built, for images of a known size.

    The receptive field r of a cell and the distance j of neighbours, both in pixels, begin at 1. A
    convolution or pooling of kernel k and stride s makes them r + (k − 1) · j and s · j. A
    projection sees less than the two convolutions beside it, so it widens nothing.

    Args:
        network: The network.

    Returns:
        The stem, each stage, and the head; none of them if the network is another.

    Example:
        >>> from scene_classification.networks.residual import residual_network
        >>> network = residual_network("tiny", input_shape=(96, 96, 3))
        >>> [(one.name, one.receptive_field) for one in stages_of(network)][:3]
        [('stem', 7), ('stage 1', 23), ('stage 2', 47)]
    """
    if not any(layer.name == "stem_conv" for layer in network.layers):
        return []
    rows, field, distance = [], 1, 1
    for part, layers in groupby(network.layers[1:], lambda layer: _part(layer.name)):
        members = list(layers)
        for kernel, stride in filter(None, map(_window, members)):
            field, distance = field + (kernel - 1) * distance, distance * stride
        blocks = {layer.name.split("_")[1] for layer in members if part.startswith("stage")}
        rows.append(
            StageFacts(
                part,
                tuple(members[-1].output.shape[1:]),
                len(blocks),
                sum(layer.count_params() for layer in members),
                None if part == "head" else field,
            )
        )
    return rows


def _part(layer: str) -> str:
    stage = re.match(r"stage(\d+)_", layer)
    if stage:
        return f"stage {stage[1]}"
    return "stem" if layer == "scale" or layer.startswith("stem") else "head"


def _window(layer: Any) -> tuple[int, int] | None:
    """Return the kernel and the stride of a layer that widens the receptive field."""
    if "_projection" in layer.name:
        return None
    if isinstance(layer, keras.layers.Conv2D):
        return int(layer.kernel_size[0]), int(layer.strides[0])
    if isinstance(layer, keras.layers.MaxPooling2D):
        return int(layer.pool_size[0]), int(layer.strides[0])
    return None
