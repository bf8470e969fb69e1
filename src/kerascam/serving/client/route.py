"""The way to a server over HTTP: directly, or by the proxy that the environment names."""

import ssl
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import httpcore

from .deadline import DeadlineBackend
from .place import Place

_IDLE_SECONDS = 5.0  # servers drop idle connections after about as long


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
            f"mend it, or name the server's host in NO_PROXY"
        ) from error


_PROXIES: dict[str, type[httpcore.HTTPProxy | httpcore.SOCKSProxy]] = {
    "http": httpcore.HTTPProxy,
    "https": httpcore.HTTPProxy,
    "socks5": httpcore.SOCKSProxy,
    "socks5h": httpcore.SOCKSProxy,
}
