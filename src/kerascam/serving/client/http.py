"""HTTP, directly or by a proxy, with one deadline per request and a bound on each body."""

import socket
import ssl
import time
import zlib
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import httpcore

from .connection import Place
from .errors import TooLargeError

_PIECE = 16_384  # bytes: how much of a body is written at once
_IDLE_SECONDS = 5.0  # servers drop idle connections after about as long
_GZIP = 16 + zlib.MAX_WBITS


def until(deadline: float) -> dict[str, float]:
    """Return what a request of httpcore has as its timeouts.

    Args:
        deadline: A time of `time.monotonic`.
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
        deadline: For what has no timeout of its own, such as a SOCKS handshake.
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
        raise late("the deadline has passed")
    return left


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpcore.ConnectError(str(error)) from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def open_pool(place: Place, credentials: Any, kept: int) -> httpcore.ConnectionPool:
    """Make a pool of connections; none is opened yet.

    Args:
        place: The model.
        credentials: What to trust and to show; None trusts the public authorities.
        kept: How many idle connections to keep.

    Raises:
        TypeError: If the credentials are no `ssl.SSLContext`.
        ValueError: If the environment names a proxy that cannot be used.
    """
    if credentials is not None and not isinstance(credentials, ssl.SSLContext):
        raise TypeError(
            f"credentials must be an ssl.SSLContext for {place.scheme}://, not a "
            f"{type(credentials).__name__}"
        )
    if credentials is None and place.secure:  # once, and not for each connection
        credentials = httpcore.default_ssl_context()
    settings: dict[str, Any] = {
        "ssl_context": credentials,
        # The client bounds what is in flight; a second bound here would only time out.
        "max_connections": None,
        "max_keepalive_connections": kept,
        "keepalive_expiry": _IDLE_SECONDS,
        "network_backend": DeadlineBackend(),
    }
    proxy = find_proxy(place)
    return httpcore.ConnectionPool(**settings) if proxy is None else _through(proxy, settings)


def find_proxy(place: Place) -> str | None:
    """Find the proxy that the environment names for a server; a loopback address needs none."""
    if place.is_loopback or proxy_bypass(place.host):
        return None
    named = getproxies()
    found = named.get(place.scheme) or named.get("all")
    return found if not found or "://" in found else f"http://{found}"


def _through(proxy: str, settings: dict[str, Any]) -> httpcore.ConnectionPool:
    try:
        parts = urlsplit(proxy)
        user = None
        if parts.username is not None:
            user = unquote(parts.username).encode(), unquote(parts.password or "").encode()
        address = httpcore.URL(
            scheme=parts.scheme, host=parts.hostname or "", port=parts.port, target="/"
        )
        if not parts.hostname or parts.scheme not in _PROXIES:
            raise ValueError("it must be a url of http, https or socks5")
        return _PROXIES[parts.scheme](proxy_url=address, proxy_auth=user, **settings)
    except (ValueError, TypeError, RuntimeError) as error:  # not shown: it may hold a password
        raise ValueError(
            f"HTTP_PROXY, HTTPS_PROXY or ALL_PROXY names a proxy that cannot be used: {error}; "
            f"fix it, or name the server's host in NO_PROXY"
        ) from error


_PROXIES: dict[str, type[httpcore.HTTPProxy | httpcore.SOCKSProxy]] = {
    "http": httpcore.HTTPProxy,
    "https": httpcore.HTTPProxy,
    "socks5": httpcore.SOCKSProxy,
    "socks5h": httpcore.SOCKSProxy,
}


def read_body(parts: Iterable[bytes], encoding: str, most: int) -> bytes:
    """Receive a body.

    Args:
        parts: As they come.
        encoding: What its header says that it is packed with.
        most: How many bytes it may have, as it comes and as it is unpacked.

    Raises:
        TooLargeError: As soon as it has more; some kilobytes of gzip can hold gigabytes.
        ValueError: If it cannot be unpacked.

    Example:
        >>> read_body([b"ab", b"c"], "", 3)
        b'abc'
    """
    packed = encoding.strip().lower()
    if packed in ("gzip", "x-gzip"):
        return _unpacked(_bounded(parts, most), most)
    if packed not in ("", "identity"):
        raise ValueError(f"it is encoded as {encoding!r}, which was not asked for")
    return b"".join(_bounded(parts, most))


def _bounded(parts: Iterable[bytes], most: int) -> Iterable[bytes]:
    size = 0
    for part in parts:
        size += len(part)
        if size > most:
            raise TooLargeError
        yield part


def _unpacked(parts: Iterable[bytes], most: int) -> bytes:
    unpacker, pieces, left = zlib.decompressobj(_GZIP), [], most
    try:
        for part in parts:
            piece = unpacker.decompress(part, left + 1)  # never 0, which is no bound at all
            pieces.append(piece)
            left -= len(piece)
            if left < 0:
                raise TooLargeError
    except zlib.error as error:
        raise ValueError(f"it is not gzip data: {error}") from None
    if not unpacker.eof and (pieces or left < most):
        raise ValueError("its gzip data is cut off")
    return b"".join(pieces)
