"""Choose one output of a model that may have several."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..errors import brief
from ..targets import named


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
    known = named(outputs) if keras.tree.is_nested(outputs) else {}
    if not isinstance(outputs, Mapping):
        names = list(getattr(model, "output_names", []) or [])
        leaves = keras.tree.flatten(outputs)
        known = dict(zip(names, leaves, strict=True)) if len(names) == len(leaves) else known
    # A list of one tensor in a dict has the name of the list.
    inside = [path for path in known if path == name or path.startswith(f"{name}/")]
    if len(inside) == 1:
        return known[inside[0]]
    if inside:
        raise ValueError(
            f"output {name!r} holds {len(inside)} tensors; choose one of "
            f"{', '.join(map(repr, inside))}"
        )
    paths = ", ".join(map(repr, known)) or "the indices"
    raise ValueError(f"output must be one of {paths}, not {brief(name)}")


def describe(outputs: Any) -> str:
    """Word the outputs' shapes for an error."""
    return ", ".join(str(tuple(tensor.shape)) for tensor in tensors_in(outputs))
