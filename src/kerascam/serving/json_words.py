"""JSON as client and server write and read it: NaN, arrays, and bytes as base64."""

import base64
import json
from typing import Any

import numpy as np
import orjson

_B64 = "b64"
_NUMBERS = "biuf"  # the kinds of dtypes that orjson writes


def read_json(body: bytes | bytearray) -> Any:
    """Read JSON that may hold NaN and infinity, as the protocol's may.

    Raises:
        ValueError: If it is not JSON.

    Example:
        >>> read_json(b"[1, NaN]")
        [1, nan]
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        # Strict, and many times faster than the standard library, which knows these tokens.
        if b"NaN" not in body and b"Infinity" not in body:
            raise
    try:
        return json.loads(body.decode())
    except RecursionError:
        raise ValueError("nested too deeply") from None


def write_json(content: Any) -> bytes:
    """Write JSON; arrays may stand in it as `plain` returns them."""
    return orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)


def plain(array: np.ndarray) -> np.ndarray:
    """Return numbers in a type and an order that `write_json` takes: bfloat16 as float32."""
    if array.dtype.kind not in _NUMBERS:
        array = array.astype(np.float32)
    return np.asarray(array, array.dtype.newbyteorder("="), order="C")


def packed(data: bytes) -> dict[str, str]:
    """Return bytes as JSON holds them.

    Example:
        >>> packed(b"a file")
        {'b64': 'YSBmaWxl'}
    """
    return {_B64: base64.b64encode(data).decode("ascii")}


def is_packed(value: Any) -> bool:
    """Tell whether a value of JSON stands for bytes."""
    return isinstance(value, dict) and value.keys() == {_B64} and isinstance(value[_B64], str)


def unpacked(value: Any) -> bytes:
    """Return the bytes that a value of JSON stands for.

    Blanks, and padding that is left out, are accepted, as TensorFlow Serving does.

    Raises:
        ValueError: If it stands for none.

    Example:
        >>> unpacked({"b64": "YSBmaWxl"}), unpacked({"b64": "YQ"})
        (b'a file', b'a')
    """
    if not is_packed(value):
        raise ValueError(f'it is not {{"{_B64}": "..."}}')
    text = "".join(value[_B64].split())
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
