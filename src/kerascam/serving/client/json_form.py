"""Tensors to and from the JSON of TensorFlow Serving's REST protocol, row by row.

Rows, because TensorFlow Serving indents its answers, and an answer in columns is indented so deep
that it is more than twice as large. orjson writes a batch of photographs in a twentieth, and reads
heatmaps in a seventh, of the standard library's time; but it knows neither NaN nor infinity, which
the protocol does.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from ..json_words import packed, plain, read_json, unpacked, write_json
from ..words import INSTANCES, PREDICTIONS, SIGNATURE_NAME, Kind, kind_of
from .connection import Tensors

_INT32 = np.iinfo(np.int32)


def write_request(signature: str, inputs: Tensors) -> bytes:
    """Write what is asked, one row per image; a single input comes without its name.

    Args:
        signature: The function.
        inputs: Finite numbers, or encoded files, all of one length.

    Example:
        >>> image = np.float32([[0.1, 2]])
        >>> write_request("explain", {"image": image, "class_index": np.array([3])})
        b'{"signature_name":"explain","instances":[{"image":[0.1,2.0],"class_index":3}]}'
        >>> write_request("serving_default", {"image": image})
        b'{"signature_name":"serving_default","instances":[[0.1,2.0]]}'
    """
    columns = {name: _column(array) for name, array in inputs.items()}
    rows: Any = zip(*columns.values(), strict=True)
    rows = [dict(zip(columns, row, strict=True)) if len(columns) > 1 else row[0] for row in rows]
    return write_json({SIGNATURE_NAME: signature, INSTANCES: rows})


def _column(array: np.ndarray) -> Sequence[Any]:
    if array.dtype == object:
        return [packed(each) for each in array]
    numbers = plain(array)
    return numbers.tolist() if numbers.ndim == 1 else list(numbers)


def read_answer(signature: str, body: bytes) -> dict[str, np.ndarray]:
    """Read the outputs that kerascam knows.

    Args:
        signature: What was asked. A function's only output comes without a name; of ours only
            the manifest is one, and it has its signature's.
        body: JSON.

    Raises:
        ValueError: If it is no JSON of that form.

    Example:
        >>> body = b'{"predictions": [{"score": NaN, "class_index": 3}]}'
        >>> read_answer("explain", body)
        {'score': array([nan], dtype=float32), 'class_index': array([3], dtype=int32)}
    """
    content = read_json(body)
    rows = content.get(PREDICTIONS) if isinstance(content, dict) else None
    if not isinstance(rows, list):
        raise ValueError(f'it has no list "{PREDICTIONS}"')
    named = set(map(type, rows)) == {dict}
    names = list(rows[0]) if named else [signature]
    if named and any(row.keys() != rows[0].keys() for row in rows):
        raise ValueError(f'its "{PREDICTIONS}" do not all have the same names')
    columns = {name: [row[name] for row in rows] if named else rows for name in names}
    kinds = {name: kind for name in names if (kind := kind_of(name)) is not None}
    if b"true" in body or b"false" in body:  # it may be a text's
        for name, kind in kinds.items():
            if kind is Kind.NUMBER and _holds_truths(columns[name]):
                raise ValueError(f"its {name!r} holds values that are not numbers")
    return {name: _READERS[kind](name, columns[name]) for name, kind in kinds.items()}


def _wholes(name: str, values: list[Any]) -> np.ndarray:
    if not set(map(type, values)) <= {int}:
        raise ValueError(f"its {name!r} holds values that are not whole numbers")
    if values and not (_INT32.min <= min(values) and max(values) <= _INT32.max):
        raise ValueError(f"its {name!r} holds numbers beyond 32 bits")
    return np.array(values, np.int32)


def _numbers(name: str, values: list[Any]) -> np.ndarray:
    try:
        exact = np.array(values)
    except ValueError:
        raise ValueError(f"its {name!r} has rows of different lengths") from None
    if exact.dtype.kind not in "iuf":
        raise ValueError(f"its {name!r} holds values that are not numbers")
    with np.errstate(over="ignore"):
        single = exact.astype(np.float32)
    if not np.isfinite(single).all() and (np.isinf(single) & np.isfinite(exact)).any():
        raise ValueError(f"its {name!r} holds a number that is too large for 32 bits")
    return single


def _holds_truths(values: list[Any]) -> bool:
    """Tell whether true or false is anywhere in nested lists: NumPy takes them for 1 and 0."""
    while list in (kinds := set(map(type, values))):
        values = list(chain.from_iterable(each for each in values if type(each) is list))
    return bool in kinds


def _texts(name: str, values: list[Any]) -> np.ndarray:
    if not set(map(type, values)) <= {str}:
        raise ValueError(f"its {name!r} holds values that are not text")
    return np.array(values, object)


def _files(name: str, values: list[Any]) -> np.ndarray:
    try:
        files = [unpacked(each) for each in values]
    except ValueError:
        raise ValueError(f'its {name!r} holds values that are not {{"b64": ...}}') from None
    return np.array(files, object)


_READERS = {Kind.WHOLE: _wholes, Kind.NUMBER: _numbers, Kind.TEXT: _texts, Kind.FILE: _files}
