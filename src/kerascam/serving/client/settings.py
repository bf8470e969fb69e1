"""Check the numbers and headers that a client is made with."""

import re
from collections.abc import Mapping
from numbers import Real
from typing import Any

from ...arguments import whole_number

#: A day in seconds: timers of sockets and of gRPC overflow not far above it.
LONGEST = 86_400

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # a token of HTTP
_RPC_NAME = re.compile(r"(?!.*-bin$)[0-9A-Za-z_.-]+", re.IGNORECASE)  # "-bin" holds bytes
_VALUE = re.compile(r"([!-~]([ -~]*[!-~])?)?")


def count(name: str, value: Any, least: int, most: int | None = None) -> int:
    """Take a whole number of a range.

    Raises:
        TypeError: If it is no whole number.
        ValueError: If it is out of range.
    """
    number = whole_number(name, value)
    if number < least:
        raise ValueError(f"{name} must be at least {least}; received {number}")
    if most is not None and number > most:
        raise ValueError(f"{name} must be at most {most}; received {number}")
    return number


def seconds(name: str, value: Any, *, zero: bool) -> float:
    """Take a length of time.

    Args:
        name: The argument's.
        value: As the user gave it.
        zero: Whether it may be none at all.

    Raises:
        TypeError: If it is no number.
        ValueError: If it is negative, or longer than a day.
    """
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if not is_number:
        raise TypeError(f"{name} must be a number of seconds, not {value!r}")
    if not (0 <= value <= LONGEST and (zero or value > 0)):  # NaN neither
        least = "at least 0" if zero else "positive"
        raise ValueError(f"{name} must be {least} and at most {LONGEST} seconds; received {value}")
    return float(value)


def conform_headers(headers: Any, *, rpc: bool) -> dict[str, str]:
    """Take what is sent with each request. Values are not shown in errors: they may be secrets.

    Args:
        headers: By name; None is none.
        rpc: Whether they are gRPC's metadata.

    Raises:
        TypeError: If they are not texts by name.
        ValueError: If one cannot be sent as it is.

    Example:
        >>> conform_headers({"Authorization": "Bearer abc"}, rpc=True)
        {'Authorization': 'Bearer abc'}
    """
    if headers is None:
        return {}
    if not isinstance(headers, Mapping):
        raise TypeError(f"headers must be a dict of texts by name, not a {type(headers).__name__}")
    for name, value in headers.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise TypeError(
                f"headers must be a dict of texts by name; the value of {name!r} is of type "
                f"{type(value).__name__}: give both as str"
            )
        if not (_RPC_NAME if rpc else _NAME).fullmatch(name):
            marks = "_ . and -, not ending in -bin, for gRPC" if rpc else "marks as - and _"
            raise ValueError(
                f"headers must have names of ASCII letters, digits, {marks}; received {name!r}"
            )
        if not _VALUE.fullmatch(value):
            raise ValueError(
                f"headers must have values of printable ASCII without blanks at their ends; that "
                f"of {name!r} has others: strip() or encode it"
            )
    return dict(headers)
