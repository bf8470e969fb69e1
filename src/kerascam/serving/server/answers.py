"""From the outputs of a signature to the body of an answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from ..json_words import packed, plain, write_json
from ..words import COLUMNS, PREDICTIONS, holds_files
from .limits import RequestError


def make_answer(outputs: Mapping[str, NDArray[Any]], *, by_rows: bool) -> bytes:
    """Write the outputs of a run as JSON.

    Args:
        outputs: By name.
        by_rows: Whether to answer row by row ("predictions") or by columns ("outputs").

    Raises:
        RequestError: If rows are asked for and the outputs do not have as many of them.
    """
    only = next(iter(outputs)) if len(outputs) == 1 else None
    if not by_rows:
        columns = {name: _column(name, np.asarray(array)) for name, array in outputs.items()}
        return write_json({COLUMNS: columns if only is None else columns[only]})
    _check_rows(outputs)
    rows = {name: _rows(name, array) for name, array in outputs.items()}
    if only is not None:
        return write_json({PREDICTIONS: rows[only]})
    names = list(rows)
    together = zip(*rows.values(), strict=True)
    return write_json({PREDICTIONS: [dict(zip(names, row, strict=True)) for row in together]})


def _check_rows(outputs: Mapping[str, NDArray[Any]]) -> None:
    expected: int | None = None
    for name, array in outputs.items():
        if not np.ndim(array):
            raise RequestError(
                400,
                f"Tensor name: {name} has no batch axis; ask with 'inputs' instead of 'instances'",
            )
        if expected is not None and len(array) != expected:
            raise RequestError(
                400,
                f"Tensor name: {name} has inconsistent batch size: {len(array)} expecting: "
                f"{expected}; ask with 'inputs' instead of 'instances'",
            )
        expected = len(array)


def _rows(name: str, array: NDArray[Any]) -> Any:
    """Return something with one value a row, each of them as orjson takes it."""
    if array.dtype == np.object_ or not array.size:
        return _column(name, array)
    array = _plain(array)
    if array.ndim == 1:
        return _column(name, array) if _is_finite(array) else [_column(name, row) for row in array]
    return [_column(name, row) for row in array]


def _column(name: str, array: Any) -> Any:
    array = np.asarray(array)
    if array.dtype == np.object_:
        return _texts(array.tolist(), as_bytes=holds_files(name))
    array = _plain(array)
    if not _is_finite(array):  # orjson would write null
        return orjson.Fragment(json.dumps(array.tolist()))
    # Neither an array without axes nor one without values is among those that orjson writes.
    return array if array.ndim and array.size else array.tolist()


def _texts(value: Any, *, as_bytes: bool) -> Any:
    if isinstance(value, list):
        return [_texts(each, as_bytes=as_bytes) for each in value]
    data = value if isinstance(value, bytes) else str(value).encode("utf-8")
    if as_bytes:
        return packed(data)
    return data.decode("utf-8", errors="replace")


def _plain(array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype.kind == "c":
        raise RequestError(400, f"Failed to write JSON value for tensor type: {array.dtype.name}")
    return plain(array)


def _is_finite(array: NDArray[Any]) -> bool:
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())
