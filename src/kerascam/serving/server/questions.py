"""From the body of a request to one nested list for each input of a signature."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import orjson

from .errors import RequestError, shown
from .signatures import DEFAULT

BOM = b"\xef\xbb\xbf"  # some editors and shells begin a file with it


@dataclass(frozen=True)
class Question:
    """What a client asks.

    Attributes:
        signature: Name of the signature to run.
        by_rows: Whether it asks row by row ("instances") or by columns ("inputs").
        values: What it gives, as JSON has it.
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
        raise RequestError(400, f"JSON Value: {shown(content)} Is not object")
    # An empty name is the default's, as in TensorFlow Serving.
    signature = content.get("signature_name", "")
    if not isinstance(signature, str):
        raise RequestError(400, f"'signature_name' key must be a string value: {shown(signature)}")
    if "instances" in content and "inputs" in content:
        raise RequestError(
            400, "Not formatted correctly expecting only one of 'inputs' or 'instances' keys"
        )
    if "inputs" in content:
        return Question(signature or DEFAULT, by_rows=False, values=content["inputs"])
    if "instances" not in content:
        raise RequestError(400, "Missing 'inputs' or 'instances' key")
    rows = content["instances"]
    if not isinstance(rows, list):
        raise RequestError(400, f"Expecting 'instances' to be a list: {shown(rows)}")
    if not rows:
        raise RequestError(400, "No values in 'instances' array")
    return Question(signature or DEFAULT, by_rows=True, values=rows)


def columns(question: Question, names: Collection[str]) -> dict[str, Any]:
    """Return what a question gives for each input.

    Args:
        question: As it was read.
        names: Of the signature's inputs.

    Raises:
        RequestError: If it does not give these inputs; more of them are passed over in columns,
            and refused in rows, as in TensorFlow Serving.
    """
    if not names:
        raise RequestError(
            400, f"Failed to get input map for signature: {shown(question.signature)}"
        )
    if question.by_rows:
        return _from_rows(question.values, names)
    values = question.values
    if not _is_named(values):
        return {_only(names, "inputs is a plain value or list"): values}
    if not values.keys() >= set(names):
        raise RequestError(
            400,
            f"'inputs' names {shown(sorted(values))}; its keys must hold: "
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
                f"{shown(sorted(row))}; its keys must be equal to: {','.join(sorted(names))}",
            )
    return {name: [row[name] for row in rows] for name in names}


def _is_named(value: Any) -> bool:
    """Return whether a value is an object of named inputs, and not an encoded value."""
    return isinstance(value, dict) and not (
        value.keys() == {"b64"} and isinstance(value["b64"], str)
    )


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
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError:
            # Strict, and many times faster than the standard library, which knows these tokens.
            if b"NaN" not in body and b"Infinity" not in body:
                raise
            return json.loads(body.decode("utf-8"))
    except RecursionError:
        raise RequestError(400, "JSON Parse error: nested too deeply") from None
    except ValueError as error:
        raise RequestError(400, f"JSON Parse error: {str(error)[:200]}") from None
