"""One deadline for all that a request waits for: to connect, to send, and to receive.

httpcore bounds each wait alone, so that a server which sends a byte now and then keeps a client for
ever. It hands on what it is given as a timeout without looking at it: here that is a point in time,
and each wait gets what is left until then.
"""

import socket
import ssl
import time
from collections.abc import Iterable
from typing import Any

import httpcore

_PIECE = 16_384  # bytes: what a connection takes of it at once


def until(deadline: float) -> dict[str, float]:
    """Give what a request of httpcore has as its timeouts.

    Args:
        deadline: By `time.monotonic`.
    """
    return dict.fromkeys(("connect", "read", "write"), deadline)


class DeadlineBackend(httpcore.NetworkBackend):
    """Connects, with a point in time as every timeout."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first of a host's addresses that answers; each has its share of time."""
        addresses = _addresses(host, port)
        for place, address in enumerate(addresses, start=1):
            left = _left(timeout, httpcore.ConnectTimeout)
            share = None if left is None else left / (1 + len(addresses) - place)
            try:
                stream = httpcore.SyncBackend().connect_tcp(
                    address, port, share, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if place == len(addresses):
                    raise
            else:
                return _DeadlineStream(stream, timeout)
        raise httpcore.ConnectError(f"{host!r} has no address")


class _DeadlineStream(httpcore.NetworkStream):
    """A connection, with a point in time as every timeout.

    Args:
        stream: The connection.
        deadline: By when what has no timeout of its own must be done, such as a SOCKS handshake.
    """

    def __init__(self, stream: httpcore.NetworkStream, deadline: float | None) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # In pieces: within one write every byte that is taken would start the wait again.
        whole = memoryview(buffer)
        for start in range(0, len(whole), _PIECE):
            left = self._left(timeout, httpcore.WriteTimeout)
            self._stream.write(bytes(whole[start : start + _PIECE]), left)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = self._left(timeout, httpcore.ConnectTimeout)
        secure = self._stream.start_tls(ssl_context, server_hostname, left)
        return _DeadlineStream(secure, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def _left(self, deadline: float | None, late: type[Exception]) -> float | None:
        return _left(self._deadline if deadline is None else deadline, late)


def _left(deadline: float | None, late: type[Exception]) -> float | None:
    if deadline is None:
        return None
    left = deadline - time.monotonic()
    if left <= 0:
        raise late("the time is over")
    return left


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpcore.ConnectError(str(error)) from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
