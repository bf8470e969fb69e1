"""Say which extra of kerascam has the packages that are missing."""

from collections.abc import Iterator
from contextlib import contextmanager

_PACKAGES = (
    "fastapi",
    "grpc",
    "h11",
    "httpcore",
    "orjson",
    "starlette",
    "tenacity",
    "tensorflow_serving",
    "uvicorn",
)
_INSTALL = "httpcore orjson tenacity tensorflow-serving-api fastapi uvicorn"


@contextmanager
def needs_packages() -> Iterator[None]:
    """Stand around imports of the packages that a client or a server needs.

    Raises:
        ImportError: If one is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in _PACKAGES:
            raise
        raise ImportError(
            f"kerascam.serving needs the package {package!r}; pip install {_INSTALL}"
        ) from error
