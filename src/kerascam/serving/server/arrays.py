"""From a nested list of a request to the array that a signature takes, checked."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import RequestError, shown
from .images import Images
from .limits import Limits
from .signatures import NUMPY_TYPES, Tensor

MOST_AXES = 32  # NumPy's own bound before 2.0
JSON_KINDS = {
    int: "numbers",
    float: "decimal numbers",
    bool: "true or false",
    str: "text",
    dict: "objects",
    list: "lists",
    type(None): "null",
}


def to_array(name: str, tensor: Tensor, value: Any, limits: Limits, images: Images) -> NDArray[Any]:
    """Turn what a request gives for an input into the array to feed.

    Args:
        name: Of the input.
        tensor: What the signature says of it.
        value: A nested list, or one value, as JSON has it.
        limits: Bounds on rows.
        images: Checks the encoded images among the values.

    Raises:
        RequestError: If the value is ragged, of another type or shape, or beyond a bound.
    """
    flat, shape = _flatten(name, tensor, value)
    if not tensor.fits(shape):
        raise RequestError(400, f"input {name!r} has shape {shape}; give {_wanted(tensor)}")
    if tensor.shape and tensor.shape[0] == -1 and shape[0] > limits.rows:
        raise RequestError(
            400, f"input {name!r} has {shape[0]} rows; send at most {limits.rows} in one request"
        )
    dtype = NUMPY_TYPES.get(tensor.dtype)
    if dtype is None:
        raise RequestError(400, f"input {name!r} is {tensor.dtype}, which JSON cannot give")
    if tensor.is_bytes:
        return _strings(name, flat, images).reshape(shape)
    kinds = set(map(type, flat))
    allowed: set[type] = {bool} if dtype is np.bool_ else {int}
    if np.issubdtype(dtype, np.floating):
        allowed = {int, float}
    if not kinds <= allowed:
        found = ", ".join(sorted(JSON_KINDS[kind] for kind in kinds - allowed))
        raise RequestError(400, f"input {name!r} holds {found}; give {tensor.dtype} values alone")
    if dtype is np.bool_:
        return np.array(flat, dtype).reshape(shape)
    convert = _floats if float in allowed else _integers
    return convert(name, flat, dtype).reshape(shape)


def _flatten(name: str, tensor: Tensor, value: Any) -> tuple[list[Any], tuple[int, ...]]:
    """Return the values of a nested list one after the other, and its shape; level by level."""
    most = MOST_AXES if tensor.shape is None else len(tensor.shape)
    level: list[Any] = [value]
    shape: list[int] = []
    while isinstance(level[0], list):
        if len(shape) == most:
            raise RequestError(
                400, f"input {name!r} is nested {most + 1} deep or more; give {_wanted(tensor)}"
            )
        if set(map(type, level)) != {list} or len(sizes := set(map(len, level))) > 1:
            raise RequestError(400, f"input {name!r} is ragged at depth {len(shape)}: give a grid")
        shape.append(sizes.pop())
        if not shape[-1]:
            raise RequestError(400, f"input {name!r} holds no values at depth {len(shape)}")
        level = list(chain.from_iterable(level))
    if list in set(map(type, level)):
        raise RequestError(400, f"input {name!r} is ragged at depth {len(shape)}: give a grid")
    return level, tuple(shape)


def _wanted(tensor: Tensor) -> str:
    return f"{tensor.dtype} of shape {'of any rank' if tensor.shape is None else tensor.shape}"


def _integers(name: str, flat: Sequence[int], dtype: Any) -> NDArray[Any]:
    bounds, least, most = np.iinfo(dtype), min(flat), max(flat)
    if least < bounds.min or most > bounds.max:
        wrong = least if least < bounds.min else most
        raise RequestError(400, f"input {name!r} holds {wrong}; give {bounds.min} to {bounds.max}")
    return np.array(flat, dtype)


def _floats(name: str, flat: Sequence[float], dtype: Any) -> NDArray[Any]:
    bounds = np.finfo(dtype)
    exact = 2 ** (bounds.nmant + 1) - 1  # beyond it, whole numbers may fall between two floats
    try:
        array = np.array(flat, np.float64)
    except OverflowError:
        raise RequestError(400, f"input {name!r} holds a number too large for a float") from None
    sizes = np.abs(array)
    beyond = np.isfinite(array) & (sizes > float(bounds.max))
    for place in np.flatnonzero(sizes > exact).tolist():
        if beyond[place] or isinstance(flat[place], int):
            raise RequestError(
                400,
                f"Cannot convert JSON value: {shown(flat[place])} of input {name!r} to "
                f"{np.dtype(dtype).name} without loss of precision",
            )
    return array.astype(dtype)


def _strings(name: str, flat: Sequence[Any], images: Images) -> NDArray[Any]:
    array = np.empty(len(flat), np.object_)
    for place, value in enumerate(flat):
        array[place] = _decoded(name, value)
        if name.endswith("_bytes"):
            images.check(name, array[place])
    return array


def _decoded(name: str, value: Any) -> bytes:
    if isinstance(value, dict) and value.keys() == {"b64"} and isinstance(value["b64"], str):
        text = "".join(value["b64"].split())
        try:  # padding may be left out, as in TensorFlow Serving
            return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        except ValueError:
            raise RequestError(400, f"input {name!r}: Unable to base64 decode") from None
    if not isinstance(value, str):
        raise RequestError(
            400, f'input {name!r} holds {shown(value)}; give text or {{"b64": "..."}}'
        )
    try:
        return value.encode("utf-8")
    except UnicodeEncodeError:
        raise RequestError(400, f"input {name!r} holds text that is not Unicode") from None
