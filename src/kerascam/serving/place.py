"""Where a served model is found, and which of its versions."""

from dataclasses import dataclass
from urllib.parse import quote, urlsplit

SCHEMES = ("http", "https", "grpc", "grpcs")


@dataclass(frozen=True)
class Place:
    """A model on a server.

    Attributes:
        scheme: One of `SCHEMES`.
        host: As in "localhost:8501".
        prefix: What stands before "/v1", as in "/vision".
        model: The model's name on the server.
        version: Which version; None is the one that the server prefers, its highest.
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
    def rest_url(self) -> str:
        """The address of the model's status; with ":predict", that of its signatures."""
        version = "" if self.version is None else f"/versions/{self.version}"
        model = quote(self.model, safe="")
        return f"{self.scheme}://{self.host}{self.prefix}/v1/models/{model}{version}"


def parse_place(url: str, model: str, version: int | None) -> Place:
    """Read the address that a user gives.

    Raises:
        ValueError: If it is none, or has parts that no server of that kind knows.

    Example:
        >>> parse_place("http://localhost:8501/", "scene", 3).rest_url
        'http://localhost:8501/v1/models/scene/versions/3'
    """
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise ValueError(
            f"url must begin with one of {', '.join(f'{each}://' for each in SCHEMES)} and a "
            f"host, as in 'http://localhost:8501' or 'grpc://localhost:8500'; received {url!r}"
        )
    prefix = parts.path.rstrip("/")
    if parts.username or parts.password or parts.query or parts.fragment:
        # Not shown: it may hold a password.
        raise ValueError(
            "url must hold no user, password, query or fragment; give passwords by headers="
        )
    if "/v1/models" in prefix:
        raise ValueError(
            f"url must end before '/v1/models', which is added to it; received {url!r}"
        )
    if parts.scheme.startswith("grpc") and (prefix or not parts.port):
        raise ValueError(
            f"url must be a host and a port for gRPC, as in 'grpc://localhost:8500'; "
            f"received {url!r}"
        )
    if not model:
        raise ValueError("model must be the model's name on the server; received ''")
    return Place(parts.scheme, parts.netloc, prefix, model, version)
