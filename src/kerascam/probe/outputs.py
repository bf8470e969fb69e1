"""Choose one output of a model that may have several."""

from typing import Any

import keras
import tensorflow as tf


def select(model: keras.Model, outputs: Any, output: int | str | None) -> Any:
    """Take one output by name or index; None takes the only one, or all where there are several.

    Raises:
        TypeError: If `output` is neither a name nor an index.
        ValueError: If the model has no such output.
    """
    names = _names(model, outputs)
    tensors = keras.tree.flatten(outputs)
    if output is None:
        return tensors[0] if len(tensors) == 1 else outputs
    if isinstance(output, str):
        if output not in names:
            raise ValueError(
                f"output must be one of {', '.join(map(repr, names)) or 'the indices'}, "
                f"not {output!r}"
            )
        return tensors[names.index(output)]
    if isinstance(output, bool) or not isinstance(output, int):
        raise TypeError(f"output must be a name or an index, not {output!r}")
    if not 0 <= output < len(tensors):
        raise ValueError(f"output must be from 0 to {len(tensors) - 1}, not {output}")
    return tensors[output]


def tensors_in(nest: Any) -> list[tf.Tensor]:
    """List the tensors in any nest of lists, tuples and dicts."""
    return [leaf for leaf in keras.tree.flatten(nest) if tf.is_tensor(leaf)]


def _names(model: keras.Model, outputs: Any) -> list[str]:
    if isinstance(outputs, dict):
        return sorted(outputs)  # the order in which keras.tree flattens
    names = list(getattr(model, "output_names", []) or [])
    return names if len(names) == len(keras.tree.flatten(outputs)) else []


def describe(outputs: Any) -> str:
    """Word the outputs' shapes for an error."""
    return ", ".join(str(tuple(tensor.shape)) for tensor in tensors_in(outputs))
