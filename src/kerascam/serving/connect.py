"""Open the connection that a url names."""

from collections.abc import Mapping
from typing import Any

from .connection import Connection
from .place import Place
from .rest import RestConnection
from .rpc import RpcConnection


def connect(
    place: Place, timeout: float, headers: Mapping[str, str], credentials: Any, kept: int
) -> Connection:
    """Open a connection; nothing is sent yet.

    Args:
        place: The model.
        timeout: Seconds for one request and its whole answer.
        headers: To send with each request.
        credentials: What the protocol takes.
        kept: How many idle connections to keep.
    """
    if place.scheme.startswith("grpc"):
        return RpcConnection(place, timeout, headers, credentials)
    return RestConnection(place, timeout, headers, credentials, kept)
