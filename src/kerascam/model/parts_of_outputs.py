"""Layers that return several tensors: their names, and which of them is explained."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from ..targets import named
from . import graph


def tensors_by_name(output: Any) -> dict[str, tf.Tensor]:
    """Return the tensors that a layer gave, by their paths in its output."""
    return {name: each for name, each in named(output).items() if tf.is_tensor(each)}


def used_part(output: Any, ends: Sequence[tf.Tensor]) -> str | None:
    """Name the first tensor of a layer's output that others are computed from, with a grid if any.

    What a tensor was computed from within the layer does not count.

    Args:
        output: As the layer gave it.
        ends: What the model gave.

    Returns:
        Its path in the output; None if it is the first of all, or nothing uses them.
    """
    tensors = tensors_by_name(output)
    if len(tensors) < 2:
        return None
    reached = graph.first_reached(ends, {each.name for each in tensors.values()})
    used = [name for name, each in tensors.items() if each.name in reached]
    gridded = [name for name in used if (tensors[name].shape.rank or 0) > 2]
    part = next(iter([*gridded, *used]), None)
    return None if part == next(iter(tensors)) else part


def part_of(output: Any, part: str | None) -> tf.Tensor:
    """Return one of the tensors that a layer gave; the first, without a name.

    Raises:
        KeyError: If it gave none of that name.
    """
    tensors = tensors_by_name(output)
    return next(iter(tensors.values())) if part is None else tensors[part]


def with_part(output: Any, part: str | None, tensor: tf.Tensor) -> Any:
    """Return a layer's output with another tensor in place of one; of the first, without a name."""
    leaves = keras.tree.flatten(output)
    old = part_of(output, part)
    place = next(index for index, leaf in enumerate(leaves) if leaf is old)
    leaves[place] = tensor
    return keras.tree.pack_sequence_as(output, leaves)
