"""What requests may cost: bytes, values, pixels, rows, seconds, and how many may wait."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, get_type_hints

from ...pictures.photo_limits import MAX_PIXELS, MAX_REQUEST_PIXELS, MAX_SCANS
from ..words import LONGEST_SECONDS


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
        """The longest that the requests that are in hand can take to the last answer."""
        rounds = 1 + math.ceil(self.waiting / self.threads)
        return math.ceil(self.body_seconds + rounds * self.run_seconds)


DEFAULT_LIMITS = Limits()
