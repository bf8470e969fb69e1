"""Where a model is served, and what a client needs of a connection to it."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from numbers import Real
from typing import Any, TypeAlias
from urllib.parse import quote, urlsplit

import numpy as np

from ..words import LONGEST_SECONDS, MODELS, needs_packages

SCHEMES = ("http", "https", "grpc", "grpcs")

_LABEL = "[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?"  # with the underscore of Docker's names
_HOST = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*\.?", re.IGNORECASE)
_FOUR_NUMBERS = re.compile(r"\d+(\.\d+){3}")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # a token of HTTP
_RPC_NAME = re.compile(r"(?!.*-bin$)[0-9A-Za-z_.-]+", re.IGNORECASE)  # "-bin" holds bytes
_VALUE = re.compile(r"([!-~]([ -~]*[!-~])?)?")

#: By their names in a signature: numbers, or objects: str for text, and bytes for encoded files.
Tensors: TypeAlias = Mapping[str, np.ndarray]

CHECK_SERVER = "check the url, and that the server runs"
TOO_SLOW = "raise timeout=, or lower batch_size="
TOO_BUSY = "raise retries= or backoff=, or lower concurrency="


@dataclass(frozen=True)
class Place:
    """A model on a server.

    Attributes:
        scheme: One of `SCHEMES`.
        host: As in "localhost:8501".
        prefix: What stands before "/v1", as in "/vision".
        model: The model's name on the server.
        version: Which version; None is the server's default, its highest.
    """

    scheme: str
    host: str
    prefix: str
    model: str
    version: int | None

    def __str__(self) -> str:
        version = "" if self.version is None else f", version {self.version},"
        return f"model {self.model!r}{version} at {self.scheme}://{self.host}{self.prefix}"

    @property
    def secure(self) -> bool:
        """Whether the connection is encrypted."""
        return self.scheme.endswith("s")

    @property
    def is_loopback(self) -> bool:
        """Whether the server is on this machine, by its address."""
        if self.host.startswith("["):
            return IPv6Address(self.host[1:].partition("]")[0]).is_loopback
        name = self.host.partition(":")[0]
        if _FOUR_NUMBERS.fullmatch(name):
            return IPv4Address(name).is_loopback
        return f".{name}".lower().rstrip(".").endswith(".localhost")

    @property
    def rest_url(self) -> str:
        """The address of the model's status; with ":predict", that of its signatures."""
        version = "" if self.version is None else f"/versions/{self.version}"
        model = quote(self.model, safe="")
        return f"{self.scheme}://{self.host}{self.prefix}{MODELS}/{model}{version}"


def parse_place(url: str, model: str, version: int | None) -> Place:
    """Parse the user's address.

    Raises:
        TypeError: If `url` or `model` is no text.
        ValueError: If it is not one, or has parts that no server of that kind knows.

    Example:
        >>> parse_place("http://localhost:8501/", "scene", 3).rest_url
        'http://localhost:8501/v1/models/scene/versions/3'
    """
    for name, value in (("url", url), ("model", model)):
        if not isinstance(value, str):
            raise TypeError(f"{name} must be text, not {value!r}")
    if any(mark in url for mark in "@?#"):
        # Not shown, and so before all that shows it: it may hold a password.
        raise ValueError(
            "url must hold no user, password, query or fragment; give passwords by headers="
        )
    try:
        parts = urlsplit(url)
        scheme, prefix = parts.scheme, parts.path.rstrip("/")
        host = _host(parts.hostname or "")
        port = parts.port  # checks its own range, save for 0
        if port == 0:
            raise ValueError("0 is not a port")
        if not url.isprintable() or " " in url:
            raise ValueError("it holds spaces or control characters")
    except ValueError as error:
        raise ValueError(
            f"url must have a host's name or address, and a port from 1 to 65535, as in "
            f"'http://localhost:8501'; received {url!r}: {error}"
        ) from None
    if scheme not in SCHEMES or not host:
        raise ValueError(
            f"url must begin with one of {', '.join(f'{each}://' for each in SCHEMES)} and a "
            f"host, as in 'http://localhost:8501' or 'grpc://localhost:8500'; received {url!r}"
        )
    if MODELS in prefix:
        raise ValueError(f"url must end before '{MODELS}', which is added to it; received {url!r}")
    if scheme.startswith("grpc") and (prefix or port is None):
        raise ValueError(
            f"url must be a host and a port for gRPC, as in 'grpc://localhost:8500'; "
            f"received {url!r}"
        )
    if not model:
        raise ValueError("model must be the model's name on the server; received ''")
    return Place(scheme, host if port is None else f"{host}:{port}", prefix, model, version)


def _host(name: str) -> str:
    """Check a host, and bring it to ASCII: neither httpcore nor gRPC does so before it connects.

    Raises:
        ValueError: If it can be none.

    Example:
        >>> _host("models.müller.example"), _host("::1")
        ('models.xn--mller-kva.example', '[::1]')
    """
    if ":" in name:
        return f"[{IPv6Address(name)}]"
    if _FOUR_NUMBERS.fullmatch(name):
        return str(IPv4Address(name))
    try:
        ascii_name = name.encode("idna").decode()
    except UnicodeError:
        ascii_name = "."  # an empty label, or one too long
    if ascii_name and not _HOST.fullmatch(ascii_name):
        raise ValueError(f"{name!r} is not a host name")
    return ascii_name


def seconds(name: str, value: Any, *, zero: bool) -> float:
    """Take a length of time.

    Args:
        name: The argument's.
        value: As the user gave it.
        zero: Whether it may be none at all.

    Raises:
        TypeError: If it is no number.
        ValueError: If it is negative, or longer than a day.
    """
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if not is_number:
        raise TypeError(f"{name} must be a number of seconds, not {value!r}")
    if not (0 <= value <= LONGEST_SECONDS and (zero or value > 0)):  # NaN neither
        least = "at least 0" if zero else "positive"
        raise ValueError(
            f"{name} must be {least} and at most {LONGEST_SECONDS} seconds; received {value}"
        )
    return float(value)


def conform_headers(headers: Any, *, rpc: bool) -> dict[str, str]:
    """Take what is sent with each request. Values are not shown in errors: they may be secrets.

    Args:
        headers: The headers by name; None is none.
        rpc: Whether they are gRPC's metadata.

    Raises:
        TypeError: If they are not texts by name.
        ValueError: If one cannot be sent as it is.

    Example:
        >>> conform_headers({"Authorization": "Bearer abc"}, rpc=True)
        {'Authorization': 'Bearer abc'}
    """
    if headers is None:
        return {}
    if not isinstance(headers, Mapping):
        raise TypeError(f"headers must be a dict of texts by name, not a {type(headers).__name__}")
    for name, value in headers.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise TypeError(
                f"headers must be a dict of texts by name; the value of {name!r} is of type "
                f"{type(value).__name__}: give both as str"
            )
        if not (_RPC_NAME if rpc else _NAME).fullmatch(name):
            marks = "_ . and -, not ending in -bin, for gRPC" if rpc else "marks as - and _"
            raise ValueError(
                f"headers must have names of ASCII letters, digits, {marks}; received {name!r}"
            )
        if not _VALUE.fullmatch(value):
            raise ValueError(
                f"headers must have values of printable ASCII without spaces at their ends; that "
                f"of {name!r} has others: strip() or encode it"
            )
    return dict(headers)


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


def connect(
    place: Place, bounds: Bounds, headers: Mapping[str, str], credentials: Any, kept: int
) -> Connection:
    """Open a connection; nothing is sent yet.

    Args:
        place: The model.
        bounds: On each request and its answer.
        headers: The headers to send with each request.
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
