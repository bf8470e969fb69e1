"""What a client wants of a connection, over whichever protocol it goes."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from ..needs import needs_packages
from ..words import STATES
from .errors import ServingError
from .settings import Place

#: By their names in a signature: numbers, or objects: str for text, and bytes for encoded files.
Tensors: TypeAlias = Mapping[str, np.ndarray]

CHECK_SERVER = "check the url, and that the server runs"
TOO_SLOW = "raise timeout=, or lower batch_size="
TOO_BUSY = "raise retries= or backoff=, or lower concurrency="


@dataclass(frozen=True)
class Bounds:
    """How much a client takes of a server.

    Attributes:
        timeout: Seconds for one request and its whole answer.
        answer_bytes: How large an answer may be, as it is sent and as it is read.
    """

    timeout: float
    answer_bytes: int


class Connection(ABC):
    """Asks one model on one server, once for each call, from any thread."""

    @abstractmethod
    def ask(self, signature: str, inputs: Tensors) -> dict[str, np.ndarray]:
        """Run one of the model's functions.

        Returns:
            Of the outputs that kerascam knows, those that the server gave: int32 for classes,
            floats for other numbers, str or bytes for the rest.

        Raises:
            TransientError: If another try may help.
            ServingError: If the server refuses, or its answer cannot be read.
        """

    @abstractmethod
    def versions(self) -> list[tuple[int, str]]:
        """List the model's versions on the server, and the state of each.

        Raises:
            TransientError: If another try may help.
            ServingError: If the server refuses, or its answer cannot be read.
        """

    @abstractmethod
    def close(self) -> None:
        """Close it for good."""


class TooLargeError(ValueError):
    """An answer is beyond its bound."""


def too_large(what: str, most: int) -> ServingError:
    """Word the error for an answer beyond the bound."""
    return ServingError(
        f"the answer to {what} is larger than {most} bytes; raise max_answer_bytes=, or lower "
        f"batch_size="
    )


def unreadable(what: str, error: Exception, begins: bytes | None = None) -> ServingError:
    """Word the error for an answer that is none of this protocol."""
    shown = "" if begins is None else f"; it begins {begins[:80]!r}"
    return ServingError(
        f"the answer to {what} cannot be read: {error}; check that a TensorFlow Serving "
        f"compatible server answers there{shown}"
    )


def version_and_state(version: Any, state: Any) -> tuple[int, str]:
    """Take one version of a model and its state.

    Raises:
        ValueError: If they are none.

    Example:
        >>> version_and_state("3", "AVAILABLE")
        (3, 'AVAILABLE')
    """
    digits = version if isinstance(version, str) else str(version)
    is_number = digits.isascii() and digits.isdecimal() and len(digits) < 20
    if isinstance(version, (bool, float)) or not is_number:
        raise ValueError("a version is not a whole number")
    if state not in STATES:
        raise ValueError("a version has a state that the protocol does not know")
    return int(digits), str(state)


def connect(
    place: Place, bounds: Bounds, headers: Mapping[str, str], credentials: Any, kept: int
) -> Connection:
    """Open a connection; nothing is sent yet.

    Args:
        place: The model.
        bounds: On each request and its answer.
        headers: To send with each request.
        credentials: What the protocol takes.
        kept: How many idle connections to keep.

    Raises:
        TypeError: If the credentials are of another kind.
        ValueError: If the environment names a proxy that cannot be used.
        ImportError: If a package that the protocol needs is not installed.
    """
    # Each protocol has packages of its own; the messages of gRPC import TensorFlow.
    with needs_packages():
        if place.scheme.startswith("grpc"):
            from .rpc import RpcConnection

            return RpcConnection(place, bounds, headers, credentials)
        from .rest import RestConnection

        return RestConnection(place, bounds, headers, credentials, kept)
