"""What requests may cost: bytes, values, pixels, rows, seconds, and how many may wait."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, get_type_hints


def limit(default: float, explanation: str, *, least: float) -> Any:
    """Return a field of `Limits`, with what the command line says of it and its least value."""
    return dataclasses.field(default=default, metadata={"explanation": explanation, "least": least})


@dataclass(frozen=True)
class Limits:
    """The bounds of a server. Each field is an option of the command line."""

    connections: int = limit(256, "connections that may be open", least=1)
    head_seconds: float = limit(10.0, "time that a client has to send a head", least=0.001)
    body_bytes: int = limit(64 * 2**20, "largest body of a request", least=1)
    bodies_bytes: int = limit(256 * 2**20, "all bodies in hand together", least=1)
    body_seconds: float = limit(
        30.0, "time that a client has to send its body, and to take its answer", least=0.001
    )
    # Eight images of 224 x 224 pixels, as nested lists, are 1.6 million. The interpreter does
    # nothing else while it reads these, which takes a tenth of a second.
    values: int = limit(2_000_000, "most numbers, texts, lists and objects in a body", least=1)
    pixels: int = limit(50_000_000, "largest encoded image, over all its frames", least=1)
    request_pixels: int = limit(
        200_000_000, "pixels of all encoded images of one request together", least=1
    )
    scans: int = limit(100, "most scans of a JPEG: a progressive one has about ten", least=1)
    rows: int = limit(256, "most rows in one request", least=1)
    run_seconds: float = limit(30.0, "time that the model has for one request", least=0.001)
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
            if not least <= value < math.inf:
                raise ValueError(f"{field.name}={value!r} is out of range; give {least} or more")
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
