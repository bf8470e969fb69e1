"""From the body of a request to the arrays that a signature takes, checked."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import brief
from ...signatures import PREDICT
from ..json_words import is_packed, read_json, unpacked
from ..words import INPUTS, INSTANCES, SIGNATURE_NAME, holds_files
from .images import Images
from .limits import Limits, RequestError
from .servable import NUMPY_TYPES, Tensor

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
BOM = b"\xef\xbb\xbf"  # some editors and shells begin a file with it


@dataclass(frozen=True)
class Question:
    """What a client asks.

    Attributes:
        signature: Name of the signature to run.
        by_rows: Whether it asks row by row ("instances") or by columns ("inputs").
        values: The inputs, as JSON has them.
    """

    signature: str
    by_rows: bool
    values: Any


def read_question(body: bytes | bytearray, most_values: int) -> Question:
    """Read the body of a predict request.

    Args:
        body: As it was received.
        most_values: Bound on the values in it.

    Raises:
        RequestError: If it is not JSON, or not the JSON of a predict request, or beyond the bound.
    """
    # Before it is read: a value of two bytes, [], becomes one of 64. Base64 has none of these.
    if sum(body.count(mark) for mark in (b"[", b"{", b",")) > most_values:
        raise RequestError(
            413,
            f"the body holds more than {most_values} values; send fewer images in one request, or "
            "encoded files",
        )
    if body.startswith(BOM):
        body = body[len(BOM) :]
    content = _read_json(body)
    if not isinstance(content, dict):
        raise RequestError(400, f"JSON Value: {brief(content)} Is not object")
    # An empty name is the default's, as in TensorFlow Serving.
    signature = content.get(SIGNATURE_NAME, "")
    if not isinstance(signature, str):
        raise RequestError(
            400, f"'{SIGNATURE_NAME}' key must be a string value: {brief(signature)}"
        )
    if INSTANCES in content and INPUTS in content:
        raise RequestError(
            400, "Not formatted correctly expecting only one of 'inputs' or 'instances' keys"
        )
    if INPUTS in content:
        return Question(signature or PREDICT, by_rows=False, values=content[INPUTS])
    if INSTANCES not in content:
        raise RequestError(400, "Missing 'inputs' or 'instances' key")
    rows = content[INSTANCES]
    if not isinstance(rows, list):
        raise RequestError(400, f"Expecting 'instances' to be a list: {brief(rows)}")
    if not rows:
        raise RequestError(400, "No values in 'instances' array")
    return Question(signature or PREDICT, by_rows=True, values=rows)


def columns(question: Question, names: Collection[str]) -> dict[str, Any]:
    """Return the value of each input of a question.

    Args:
        question: As it was read.
        names: The names of the signature's inputs.

    Raises:
        RequestError: If it lacks one of these inputs; others are ignored in columns, and
            refused in rows, as in TensorFlow Serving.
    """
    if not names:
        raise RequestError(
            400, f"Failed to get input map for signature: {brief(question.signature)}"
        )
    if question.by_rows:
        return _from_rows(question.values, names)
    values = question.values
    if not _is_named(values):
        return {_only(names, "inputs is a plain value or list"): values}
    if not values.keys() >= set(names):
        raise RequestError(
            400,
            f"'inputs' names {brief(sorted(values))}; its keys must hold: "
            f"{','.join(sorted(names))}",
        )
    return {name: values[name] for name in names}


def _from_rows(rows: list[Any], names: Collection[str]) -> dict[str, Any]:
    named = [_is_named(row) for row in rows]
    if not any(named):
        return {_only(names, "instances is a plain list"): rows}
    if not all(named):
        raise RequestError(
            400,
            f"Expecting object but got a value at item {named.index(False)} of 'instances': all "
            "are objects, or none",
        )
    for place, row in enumerate(rows):
        if row.keys() != set(names):
            raise RequestError(
                400,
                f"Failed to process element: {place} of 'instances' list: it names "
                f"{brief(sorted(row))}; its keys must be equal to: {','.join(sorted(names))}",
            )
    return {name: [row[name] for row in rows] for name in names}


def _is_named(value: Any) -> bool:
    """Return whether a value is an object of named inputs, and not an encoded value."""
    return isinstance(value, dict) and not is_packed(value)


def _only(names: Collection[str], what: str) -> str:
    if len(names) > 1:
        raise RequestError(
            400, f"{what}, but expecting objects: there are inputs {','.join(sorted(names))}"
        )
    return next(iter(names))


def _read_json(body: bytes | bytearray) -> Any:
    if not body:
        raise RequestError(400, "JSON Parse error: The document is empty")
    try:
        return read_json(body)
    except ValueError as error:
        raise RequestError(400, f"JSON Parse error: {str(error)[:200]}") from None


def to_array(name: str, tensor: Tensor, value: Any, limits: Limits, images: Images) -> NDArray[Any]:
    """Turn the value of an input in a request into the array to feed.

    Args:
        name: The input's name.
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
            raise RequestError(
                400, f"input {name!r} is ragged at depth {len(shape)}: give lists of equal length"
            )
        shape.append(sizes.pop())
        if not shape[-1]:
            raise RequestError(400, f"input {name!r} holds no values at depth {len(shape)}")
        level = list(chain.from_iterable(level))
    if list in set(map(type, level)):
        raise RequestError(
            400, f"input {name!r} is ragged at depth {len(shape)}: give lists of equal length"
        )
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
                f"Cannot convert JSON value: {brief(flat[place])} of input {name!r} to "
                f"{np.dtype(dtype).name} without loss of precision",
            )
    return array.astype(dtype)


def _strings(name: str, flat: Sequence[Any], images: Images) -> NDArray[Any]:
    array = np.empty(len(flat), np.object_)
    for place, value in enumerate(flat):
        array[place] = _decoded(name, value)
        if holds_files(name):
            images.check(name, array[place])
    return array


def _decoded(name: str, value: Any) -> bytes:
    if is_packed(value):
        try:
            return unpacked(value)
        except ValueError:
            raise RequestError(400, f"input {name!r}: Unable to base64 decode") from None
    if not isinstance(value, str):
        raise RequestError(
            400, f'input {name!r} holds {brief(value)}; give text or {{"b64": "..."}}'
        )
    try:
        return value.encode("utf-8")
    except UnicodeEncodeError:
        raise RequestError(400, f"input {name!r} holds text that is not Unicode") from None
