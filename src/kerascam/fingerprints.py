"""Describe any value so that equal values have equal descriptions, in this process or another."""

import dataclasses
import functools
import hashlib
import inspect
import json
import types
from collections.abc import Mapping
from typing import Any

import numpy as np

_DEEPEST = 8
_LONGEST = 60  # characters of a value in a message
_SHOWN = 16  # digits of a hash, which no two arrays share by chance


def digest(array: np.ndarray) -> str:
    """Return the SHA-256 of an array's bytes: `hashlib.sha256(array.tobytes()).hexdigest()`."""
    return hashlib.sha256(np.ascontiguousarray(array).data if array.size else b"").hexdigest()


def described(value: Any, depth: int = 0) -> Any:
    """Describe a value by what JSON can hold.

    Numbers, texts, lists and dicts are described by themselves; an array by its shape, type and
    the beginning of its SHA-256; a function by its name, the values that it holds, and, if it is
    not kerascam's, its code; another object by its class and its attributes.

    Args:
        value: Any value.
        depth: How deep it lies in another one; what lies too deep is described by its class.

    Example:
        >>> described({"steps": 8, "start": np.zeros((2, 2))})["start"]
        'array (2, 2) float64 66687aadf862bd77'
        >>> adding = lambda number: lambda x: x + number
        >>> described(adding(1)) == described(adding(2))
        False
    """
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if depth > _DEEPEST:
        return _class_of(value)
    inner = functools.partial(described, depth=depth + 1)
    if isinstance(value, Mapping):
        return {str(key): inner(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [inner(each) for each in value]
    if isinstance(value, (set, frozenset)):
        return sorted((inner(each) for each in value), key=repr)
    if hasattr(value, "__array__"):
        return _of_array(np.asarray(value))
    if isinstance(value, functools.partial):
        return [inner(each) for each in (value.func, value.args, value.keywords)]
    if isinstance(value, types.MethodType):
        return [inner(value.__func__), inner(value.__self__)]
    if isinstance(value, types.FunctionType):
        return _of_function(inspect.unwrap(value), inner)
    if isinstance(value, (type, types.BuiltinFunctionType, np.ufunc)):
        return _name_of(value)
    if hasattr(value, "get_weights"):  # a model or layer, which holds much more
        return {"class": _class_of(value), "weights": inner(value.get_weights())}
    return {"class": _class_of(value), **inner(_attributes(value))}


def differences(begun: Any, now: Any, where: str = "") -> list[str]:
    """Name what differs between two descriptions, each with both values.

    Args:
        begun: A description.
        now: Another one.
        where: Where they stand.

    Example:
        >>> differences({"a": {"b": 1}, "c": 2}, {"a": {"b": 3}, "c": 2})
        ['a.b was 1 and is 3']
    """
    if isinstance(begun, Mapping) and isinstance(now, Mapping):
        return [
            each
            for key in dict.fromkeys([*begun, *now])
            for each in differences(
                begun.get(key), now.get(key), f"{where}.{key}" if where else str(key)
            )
        ]
    if begun == now or (begun != begun and now != now):  # NaN is NaN
        return []
    return [f"{where} was {_short(begun)} and is {_short(now)}"]


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _of_array(array: np.ndarray) -> Any:
    if array.dtype.kind == "O":
        return f"array {array.shape} of objects"
    if not array.ndim:
        return array.item()
    return f"array {array.shape} {array.dtype} {digest(array)[:_SHOWN]}"


def _of_function(function: Any, inner: Any) -> dict[str, Any]:
    own = _name_of(function).startswith(f"{__package__}.")  # known by the version of the package
    cells = []
    for cell in function.__closure__ or ():
        try:
            cells.append(inner(cell.cell_contents))
        except ValueError:  # empty: a function that holds itself, and is being made
            cells.append(None)
    return {
        "function": _name_of(function),
        "code": None if own else hashlib.sha256(_code(function.__code__)).hexdigest(),
        "defaults": inner([function.__defaults__, function.__kwdefaults__]),
        "holds": cells,
    }


def _code(code: types.CodeType) -> bytes:
    constants = [
        _code(each) if isinstance(each, types.CodeType) else repr(each).encode()
        for each in code.co_consts
    ]
    return b"\0".join([code.co_code, repr(code.co_names).encode(), *constants])


def _attributes(value: Any) -> dict[str, Any]:
    if dataclasses.is_dataclass(value):
        return {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
    return dict(getattr(value, "__dict__", {}))


def _name_of(value: Any) -> str:
    return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', value)}"


def _class_of(value: Any) -> str:
    return _name_of(type(value))
