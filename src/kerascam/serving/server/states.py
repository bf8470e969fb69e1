"""What is said of a version: its state, and why it could not be loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from .errors import INVALID_ARGUMENT, RequestError, one_line

CODES = {
    1: "CANCELLED",
    2: "UNKNOWN",
    3: "INVALID_ARGUMENT",
    4: "DEADLINE_EXCEEDED",
    5: "NOT_FOUND",
    8: "RESOURCE_EXHAUSTED",
    9: "FAILED_PRECONDITION",
    11: "OUT_OF_RANGE",
    12: "UNIMPLEMENTED",
    13: "INTERNAL",
    15: "DATA_LOSS",
}


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

    def told(self, number: int) -> dict[str, Any]:
        """Return what the server answers of version `number`."""
        return {
            "version": str(number),
            "state": self.state,
            "status": {"error_code": self.code, "error_message": self.message},
        }


def failure(error: Exception) -> Status:
    """Return the status of a version that could not be loaded."""
    code = 2
    if isinstance(error, tf.errors.OpError):
        code = error.error_code
    elif isinstance(error, RequestError):  # a warm-up request that failed
        code = INVALID_ARGUMENT
    return Status("END", CODES.get(code, "UNKNOWN"), one_line(str(error)) or type(error).__name__)
