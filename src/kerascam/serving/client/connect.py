"""Open the connection that a url names."""

from collections.abc import Mapping
from typing import Any

from ..needs import needs_packages
from .connection import Bounds, Connection
from .place import Place
from .rest import RestConnection


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
    if place.scheme.startswith("grpc"):
        with needs_packages():
            from .rpc import RpcConnection  # its messages import TensorFlow
        return RpcConnection(place, bounds, headers, credentials)
    return RestConnection(place, bounds, headers, credentials, kept)
