"""Choose one output of a model that may have several."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..errors import brief


def select(model: keras.Model, outputs: Any, output: int | str | None) -> Any:
    """Take one output by name or index; None takes the only one, or all if there are several.

    Raises:
        TypeError: If `output` is neither a name nor an index.
        ValueError: If the model has no such output.
    """
    tensors = keras.tree.flatten(outputs)
    if output is None:
        return tensors[0] if len(tensors) == 1 else outputs
    if isinstance(output, str):
        return _by_name(model, outputs, output)
    if isinstance(output, bool) or not isinstance(output, (int, np.integer)):
        raise TypeError(f"output must be a name or an index, not {brief(output)}")
    if not 0 <= output < len(tensors):
        raise ValueError(f"output must be from 0 to {len(tensors) - 1}, not {brief(output)}")
    return tensors[output]


def tensors_in(nest: Any) -> list[tf.Tensor]:
    """List the tensors in any nest of lists, tuples and dicts."""
    return [leaf for leaf in keras.tree.flatten(nest) if tf.is_tensor(leaf)]


def _by_name(model: keras.Model, outputs: Any, name: str) -> Any:
    named = dict(outputs) if isinstance(outputs, Mapping) else {}
    if not named:
        names = list(getattr(model, "output_names", []) or [])
        leaves = keras.tree.flatten(outputs)
        named = dict(zip(names, leaves, strict=True)) if len(names) == len(leaves) else {}
    if name not in named:
        known = ", ".join(map(repr, named)) or "the indices"
        raise ValueError(f"output must be one of {known}, not {brief(name)}")
    leaves = keras.tree.flatten(named[name])
    if len(leaves) != 1:
        raise ValueError(f"output {name!r} holds {len(leaves)} tensors; choose one by its index")
    return leaves[0]


def describe(outputs: Any) -> str:
    """Word the outputs' shapes for an error."""
    return ", ".join(str(tuple(tensor.shape)) for tensor in tensors_in(outputs))
