"""What is wrong with a request, with the status and the words that the client gets."""

from __future__ import annotations

import json
import re
import reprlib
from typing import Any

# TensorFlow's error codes are gRPC's; TensorFlow Serving answers them with these statuses.
STATUS_OF_CODE = {
    1: 499,  # cancelled
    3: 400,  # invalid argument
    4: 504,  # deadline exceeded
    5: 404,  # not found
    6: 409,  # already exists
    7: 403,  # permission denied
    8: 429,  # resource exhausted
    9: 400,  # failed precondition
    10: 409,  # aborted
    11: 400,  # out of range
    12: 501,  # unimplemented
    14: 503,  # unavailable
    16: 401,  # unauthenticated
}
INVALID_ARGUMENT, DEADLINE_EXCEEDED = 3, 4
LONGEST = 500


class RequestError(Exception):
    """A request that is answered with an error.

    Args:
        status: Of HTTP.
        message: What is wrong, and what to do; "" if the body is to be empty.
        headers: Of the answer, beyond its content type.
    """

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.headers = status, message, headers or {}

    @property
    def body(self) -> bytes:
        """The answer's body; ASCII alone, as a request may hold half of a surrogate pair."""
        return json.dumps({"error": self.message}).encode("ascii") if self.message else b""


class CannotServeError(Exception):
    """The version that a server was to begin with cannot be loaded."""


def run_error(code: int, message: str, seconds: float) -> RequestError:
    """Return what a client is told of an error of TensorFlow.

    Args:
        code: TensorFlow's error code.
        message: Its message.
        seconds: The time that the run had.
    """
    if code == DEADLINE_EXCEEDED:
        return RequestError(504, f"the model had {seconds:g} s for the request: deadline exceeded")
    return RequestError(STATUS_OF_CODE.get(code, 500), one_line(message))


def one_line(message: str) -> str:
    r"""Return the one line of a message of TensorFlow that says what is wrong.

    >>> one_line("Graph execution error:\n\nindices[0] = 7 is not in [0, 3)\n\t [[{{node a}}]]")
    'indices[0] = 7 is not in [0, 3)'
    """
    without_nodes = re.sub(r"\[?\[?\{\{.*?\}\}\]?\]?", "", message)
    lines = [line.strip() for line in without_nodes.splitlines()]
    telling = [line for line in lines if line and line != "Graph execution error:"]
    return telling[0][:LONGEST] if telling else "the model failed without a message"


def shown(value: Any) -> str:
    """Return a value as an error message shows it: whole if it is small.

    >>> shown([1] * 100)
    '[1, 1, 1, 1, 1, 1, ...]'
    """
    return reprlib.repr(value)
