"""What requests may cost, and how a refusal is answered."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from dataclasses import dataclass
from typing import Any, get_type_hints

from ...pictures import MAX_PIXELS, MAX_REQUEST_PIXELS, MAX_SCANS
from ..words import END, ERROR, LONGEST_SECONDS, STATE, VERSION

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


def limit(default: float, explanation: str, *, least: float, most: float | None = None) -> Any:
    """Return a field of `Limits`, with what the command line says of it and its range."""
    metadata = {"explanation": explanation, "least": least, "most": most}
    return dataclasses.field(default=default, metadata=metadata)


def seconds(default: float, explanation: str) -> Any:
    """Return a field of `Limits` that is a time."""
    return limit(default, explanation, least=0.001, most=LONGEST_SECONDS)


@dataclass(frozen=True)
class Limits:
    """The bounds of a development server.

    Each field is an option of `kerascam serve`.

    Attributes:
        connections: Connections that may be open.
        head_seconds: Time that a client has to send a head.
        body_bytes: Largest body of a request.
        bodies_bytes: All bodies in memory together.
        body_seconds: Time that a client has to send its body, and to take its answer.
        values: Most numbers, texts, lists and objects in a body.
        pixels: Largest encoded image, over all its frames.
        request_pixels: Pixels of all encoded images of one request together.
        scans: Most scans of a JPEG.
        rows: Most rows in one request.
        run_seconds: Time that the model has for one request.
        threads: Requests that run at a time.
        waiting: Requests, received whole, that may wait beyond those.

    Example:
        >>> from kerascam.serving import Limits
        >>> Limits(rows=8).rows, Limits().threads
        (8, 4)
        >>> Limits(rows=0)
        Traceback (most recent call last):
            ...
        ValueError: rows=0 is out of range; give 1 or more
    """

    connections: int = limit(256, "connections that may be open", least=1)
    head_seconds: float = seconds(10.0, "time that a client has to send a head")
    body_bytes: int = limit(64 * 2**20, "largest body of a request", least=1)
    bodies_bytes: int = limit(256 * 2**20, "all bodies in memory together", least=1)
    body_seconds: float = seconds(
        30.0, "time that a client has to send its body, and to take its answer"
    )
    # Eight images of 224 x 224 pixels, as nested lists, are 1.6 million. The interpreter does
    # nothing else while it reads these, which takes a tenth of a second.
    values: int = limit(2_000_000, "most numbers, texts, lists and objects in a body", least=1)
    pixels: int = limit(MAX_PIXELS, "largest encoded image, over all its frames", least=1)
    request_pixels: int = limit(
        MAX_REQUEST_PIXELS, "pixels of all encoded images of one request together", least=1
    )
    scans: int = limit(MAX_SCANS, "most scans of a JPEG: a progressive one has about ten", least=1)
    rows: int = limit(256, "most rows in one request", least=1)
    run_seconds: float = seconds(30.0, "time that the model has for one request")
    threads: int = limit(4, "requests that run at a time", least=1)
    waiting: int = limit(64, "requests, received whole, that may wait beyond those", least=0)

    def __post_init__(self) -> None:
        """Check every bound.

        Raises:
            ValueError: If one is of another type, or too small.
        """
        types = get_type_hints(type(self))
        for field in dataclasses.fields(self):
            value, least = getattr(self, field.name), field.metadata["least"]
            kinds = (int, float) if types[field.name] is float else (int,)
            if not isinstance(value, kinds) or isinstance(value, bool):
                raise ValueError(
                    f"{field.name}={value!r} is a {type(value).__name__}; "
                    f"give {types[field.name].__name__}"
                )
            most = field.metadata["most"]
            if not (least <= value and (most is None or value <= most)):
                fix = f"{least} or more" if most is None else f"{least} to {most}"
                raise ValueError(f"{field.name}={value!r} is out of range; give {fix}")
        if self.bodies_bytes < self.body_bytes:
            raise ValueError(
                f"bodies_bytes={self.bodies_bytes!r} is less than one body may have; give "
                f"body_bytes={self.body_bytes!r} or more"
            )

    @property
    def stop_seconds(self) -> int:
        """The longest time that the requests in progress can take."""
        rounds = 1 + math.ceil(self.waiting / self.threads)
        return math.ceil(self.body_seconds + rounds * self.run_seconds)


DEFAULT_LIMITS = Limits()


class RequestError(Exception):
    """A request that is answered with an error.

    Args:
        status: The HTTP status.
        message: What is wrong, and what to do; "" if the body is to be empty.
        headers: The answer's headers beyond its content type.
    """

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.headers = status, message, headers or {}

    @property
    def body(self) -> bytes:
        """The answer's body; ASCII alone, as a request may hold half of a surrogate pair."""
        return json.dumps({ERROR: self.message}).encode("ascii") if self.message else b""


def servable_not_found(name: str, number: int | None) -> RequestError:
    """Word the error for a version that is not served, or for any of an unknown model."""
    asked = f"Latest({name})" if number is None else f"Specific({name}, {number})"
    return RequestError(404, f"Servable not found for request: {asked}")


def status_not_found(name: str, number: int | None) -> RequestError:
    """Word the error for a version, or a model, of which nothing is known."""
    what = "any versions" if number is None else f"version {number}"
    return RequestError(404, f"Could not find {what} of model {name}")


def too_busy(message: str) -> RequestError:
    """Return an error that asks the client to come back in a second."""
    return RequestError(503, message, {"Retry-After": "1"})


class CannotServeError(Exception):
    """The first version of a server cannot be loaded."""


def run_error(code: int, message: str, seconds: float) -> RequestError:
    """Return the error that a client receives for an error of TensorFlow.

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
        message: That error's message.
    """

    state: str
    code: str = "OK"
    message: str = ""

    def __str__(self) -> str:
        return f"{self.code}: {self.message}" if self.message else self.state

    def answer(self, number: int) -> dict[str, Any]:
        """Return the status of version `number` as the server answers it."""
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
