"""Check the user's inputs against what the model takes, and say how to fix them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import getitem
from typing import Any

import numpy as np

from .errors import brief, reason
from .given import as_arrays, as_batch, matches, refuse_others


@dataclass(frozen=True)
class InputSpec:
    """What one input of a model takes.

    Attributes:
        name: As in the model, or "inputs".
        shape: Without the batch axis; None for an axis of any length.
        dtype: The dtype that it is given; None if it takes what comes.
        path: The keys and places that lead to it, of a model whose inputs are nested.
    """

    name: str
    shape: tuple[int | None, ...] | None
    dtype: str | None
    path: tuple[str | int, ...] = ()


def place_of(chosen: Any, specs: Sequence[InputSpec]) -> int:
    """Find one of a model's inputs by its name or index.

    Raises:
        TypeError: If it is neither.
        ValueError: If the model has no such input.
    """
    names = [spec.name for spec in specs]
    if isinstance(chosen, str):
        if names.count(chosen) == 1:
            return names.index(chosen)
    elif isinstance(chosen, bool) or not isinstance(chosen, (int, np.integer)):
        raise TypeError(
            f"input must be one name or index, not {brief(chosen)}: make an explainer for each "
            f"input that is to be explained"
        )
    elif 0 <= chosen < len(names):
        return int(chosen)
    known = ", ".join(f"{name!r} ({place})" for place, name in enumerate(names))
    raise ValueError(f"input must be a name or index of {known}, not {brief(chosen)}")


def conform(inputs: Any, specs: Sequence[InputSpec], argument: str = "images") -> list[Any]:
    """Bring the user's inputs to a list of batches, one for each of the model's inputs.

    Args:
        inputs: An array or tensor; a list of equal images for a model of one input; for a model
            of several, a list, tuple or dict by input name. An image alone, without the batch
            axis, is a batch of one; PIL images are taken as arrays.
        specs: The model's inputs, in order.
        argument: What an error calls them.

    Returns:
        NumPy arrays in the inputs' dtypes, each of shape (batch, ...).

    Raises:
        TypeError: If something is not numeric.
        ValueError: If the number of inputs, a shape or the batch differs, a batch is empty, or a
            value is NaN or infinite.
    """
    arrays = [
        _conform(value, spec, argument if len(specs) == 1 else f"{argument}[{spec.name!r}]")
        for value, spec in zip(_in_order(inputs, specs, argument), specs, strict=True)
    ]
    batches = {len(array) for array in arrays}
    if len(batches) > 1:
        sizes = ", ".join(
            f"{spec.name}: {len(array)}" for spec, array in zip(specs, arrays, strict=True)
        )
        raise ValueError(f"{argument} must have one batch size over all inputs; received {sizes}")
    return arrays


def _in_order(inputs: Any, specs: Sequence[InputSpec], argument: str) -> list[Any]:
    names = [spec.name for spec in specs]
    nested = _nested(inputs, specs)
    if nested is not None:
        return nested
    if isinstance(inputs, Mapping):
        if set(inputs) != set(names):
            _check_nest(inputs, specs, argument)
            raise ValueError(
                f"{argument} must have the model's input names {names} as keys; "
                f"received {brief(sorted(map(str, inputs)))}"
            )
        return [inputs[name] for name in names]
    if len(specs) == 1:
        alone = isinstance(inputs, (list, tuple)) and len(inputs) == 1
        return list(inputs) if alone and _is_batch(inputs[0], specs[0]) else [inputs]
    if isinstance(inputs, (list, tuple)) and any(isinstance(each, Mapping) for each in inputs):
        _check_nest(inputs, specs, argument)
    if not isinstance(inputs, (list, tuple)) or len(inputs) != len(specs):
        _check_nest(inputs, specs, argument)
        count = len(inputs) if isinstance(inputs, (list, tuple)) else 1
        raise ValueError(
            f"{argument} must be a list or dict of {len(specs)} inputs ({', '.join(names)}) for "
            f"this model; received {count}"
        )
    return list(inputs)


def _nested(inputs: Any, specs: Sequence[InputSpec]) -> list[Any] | None:
    """Take the inputs out of the nested structure that the model declares; None if it is not."""
    paths = [spec.path for spec in specs]
    if not all(paths) or not _has_paths(inputs, paths):
        return None
    return [reduce(getitem, path, inputs) for path in paths]


def _check_nest(inputs: Any, specs: Sequence[InputSpec], argument: str) -> None:
    """Raise if the model takes nested inputs: then these stand elsewhere."""
    if all(len(spec.path) < 2 for spec in specs):
        return
    places = [argument + "".join(f"[{step!r}]" for step in spec.path) for spec in specs]
    raise ValueError(
        f"{argument} must be nested as the model takes them, {', '.join(places)}; received "
        f"{brief(_shapes(inputs))}"
    )


def _shapes(nest: Any) -> Any:
    """Replace what stands in a nest of mappings and lists by its shape."""
    if isinstance(nest, Mapping):
        return {step: _shapes(inner) for step, inner in nest.items()}
    if isinstance(nest, (list, tuple)):
        return [_shapes(inner) for inner in nest]
    return tuple(getattr(nest, "shape", ()))


def _has_paths(nest: Any, paths: Sequence[tuple[str | int, ...]]) -> bool:
    """Tell whether a nest of mappings and lists has its leaves at these paths, and no others."""
    if not any(paths):
        return len(paths) == 1
    steps = {path[0] for path in paths}
    if isinstance(nest, Mapping):
        fits = set(nest) == steps
    else:
        fits = isinstance(nest, (list, tuple)) and set(range(len(nest))) == steps
    return fits and all(
        _has_paths(nest[step], [path[1:] for path in paths if path[0] == step]) for step in steps
    )


def _is_batch(value: Any, spec: InputSpec) -> bool:
    rank = getattr(value, "ndim", None)
    return rank is not None and spec.shape is not None and rank == len(spec.shape) + 1


def _conform(value: Any, spec: InputSpec, name: str) -> np.ndarray:
    refuse_others(value, name)
    array = _as_array(as_arrays(value, spec.shape, name), name)
    if array.dtype.kind not in "biuf" and array.dtype.name != "bfloat16":
        raise TypeError(f"{name} must hold numbers, not {array.dtype} values")
    array = as_batch(array, spec.shape)
    _check_shape(array, spec, name)
    if spec.dtype is not None:
        with np.errstate(over="ignore"):  # what the dtype cannot hold is found below
            array = array.astype(spec.dtype, copy=False)
    if array.dtype.kind not in "biu" and not np.isfinite(array).all():
        bad = int(np.argmin(np.isfinite(array).reshape(len(array), -1).all(1)))
        raise ValueError(
            f"{name} must be finite; image {bad} holds NaN or infinity: repair or drop it"
            f" (a number too large for {array.dtype} counts as infinity)"
        )
    return array


def _as_array(value: Any, name: str) -> np.ndarray:
    if np.ma.is_masked(value):
        raise TypeError(
            f"{name} must not be masked: fill the masked values with images.filled(value)"
        )
    try:
        shapes = (
            {tuple(np.shape(item)) for item in value} if isinstance(value, (list, tuple)) else set()
        )
        if len(shapes) <= 1:
            return np.asarray(value)
    except Exception as error:  # of several lengths, or of a type that refuses
        raise TypeError(
            f"{name} must be an array or tensor, not {brief(value)} of type "
            f"{type(value).__name__}: {reason(error)[:200]}"
        ) from None
    raise ValueError(
        f"{name} must be of one size; received shapes {sorted(shapes)}: resize them first"
    )


def _check_shape(array: np.ndarray, spec: InputSpec, name: str) -> None:
    if 0 in array.shape:
        raise ValueError(f"{name} must hold at least one image; received shape {array.shape}")
    if spec.shape is None:
        if array.ndim < 2:
            raise ValueError(f"{name} must be a batch, not an array of shape {array.shape}")
    else:
        wanted = ("batch", *("any" if n is None else n for n in spec.shape))
        shown = f"({', '.join(map(str, wanted))})"
        grid = spec.shape[:-1]
        if spec.shape[-1:] == (1,) and grid and grid in (array.shape, array.shape[1:]):
            raise ValueError(
                f"{name} must have shape {shown}; received one of shape {array.shape}: "
                f"add a channel axis with images[..., None]"
            )
        if array.size and array.ndim == len(spec.shape):
            raise ValueError(
                f"{name} must have shape {shown}, or be one image of it without the batch axis; "
                f"received {array.shape}: resize or transpose it"
            )
        if array.ndim != len(spec.shape) + 1 or not matches(array.shape[1:], spec.shape):
            raise ValueError(
                f"{name} must have shape {shown}; received {array.shape}: resize or transpose them"
            )
