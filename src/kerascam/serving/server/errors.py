"""What is wrong with a request or a version, in the status and the words of the answer."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from ..words import END, ERROR, STATE, VERSION

# TensorFlow's error codes are gRPC's; the statuses are those that TensorFlow Serving answers.
_CODES = {
    1: ("CANCELLED", 499),
    2: ("UNKNOWN", 500),
    3: ("INVALID_ARGUMENT", 400),
    4: ("DEADLINE_EXCEEDED", 504),
    5: ("NOT_FOUND", 404),
    6: ("ALREADY_EXISTS", 409),
    7: ("PERMISSION_DENIED", 403),
    8: ("RESOURCE_EXHAUSTED", 429),
    9: ("FAILED_PRECONDITION", 400),
    10: ("ABORTED", 409),
    11: ("OUT_OF_RANGE", 400),
    12: ("UNIMPLEMENTED", 501),
    13: ("INTERNAL", 500),
    14: ("UNAVAILABLE", 503),
    15: ("DATA_LOSS", 500),
    16: ("UNAUTHENTICATED", 401),
}
UNKNOWN, INVALID_ARGUMENT, DEADLINE_EXCEEDED = 2, 3, 4
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
        return json.dumps({ERROR: self.message}).encode("ascii") if self.message else b""


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
    return RequestError(_CODES.get(code, _CODES[UNKNOWN])[1], one_line(message))


def one_line(message: str) -> str:
    r"""Return the one line of a message of TensorFlow that says what is wrong.

    >>> one_line("Graph execution error:\n\nindices[0] = 7 is not in [0, 3)\n\t [[{{node a}}]]")
    'indices[0] = 7 is not in [0, 3)'
    """
    without_nodes = re.sub(r"\[?\[?\{\{.*?\}\}\]?\]?", "", message)
    lines = [line.strip() for line in without_nodes.splitlines()]
    telling = [line for line in lines if line and line != "Graph execution error:"]
    return telling[0][:LONGEST] if telling else "the model failed without a message"


@dataclass(frozen=True)
class Status:
    """The state of a version, in TensorFlow Serving's words.

    Attributes:
        state: LOADING, AVAILABLE, UNLOADING or END.
        code: OK, or the code of the error that ended it.
        message: Of that error.
    """

    state: str
    code: str = "OK"
    message: str = ""

    def __str__(self) -> str:
        return f"{self.code}: {self.message}" if self.message else self.state

    def answer(self, number: int) -> dict[str, Any]:
        """Return what the server answers of version `number`."""
        return {
            VERSION: str(number),
            STATE: self.state,
            "status": {"error_code": self.code, "error_message": self.message},
        }


def failure(error: Exception) -> Status:
    """Return the status of a version that could not be loaded."""
    code = getattr(error, "error_code", UNKNOWN)  # one of TensorFlow's has it
    if isinstance(error, RequestError):  # a warm-up request that failed
        code = INVALID_ARGUMENT
    name, _ = _CODES.get(code, _CODES[UNKNOWN])
    return Status(END, name, one_line(str(error)) or type(error).__name__)
