"""Ask a model server about a model that `kerascam.export` wrote; start one for development.

A name is loaded when it is first used: to ask needs packages of the extra `serving`, and to read
what a server's limits are does not.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .words import LONGEST_SECONDS as LONGEST_SECONDS
from .words import needs_packages as needs_packages

if TYPE_CHECKING:
    from .client import Client as Client
    from .client.batch import Prediction as Prediction
    from .client.batch import ServedExplanation as ServedExplanation
    from .client.errors import ServerUnavailableError as ServerUnavailableError
    from .client.errors import ServingError as ServingError
    from .server import DevelopmentServer as DevelopmentServer
    from .server import Engine as Engine
    from .server import ServerProcess as ServerProcess
    from .server import running_server as running_server
    from .server.limits import CannotServeError as CannotServeError  # for the command line
    from .server.limits import Limits as Limits
    from .server.server import ModelServer as ModelServer
    from .server.versions import MODEL_FILE as MODEL_FILE
    from .server.versions import newest_version as newest_version

_HOMES = {
    "CannotServeError": ".server.limits",
    "Client": ".client",
    "DevelopmentServer": ".server",
    "Engine": ".server",
    "Limits": ".server.limits",
    "MODEL_FILE": ".server.versions",
    "ModelServer": ".server.server",
    "Prediction": ".client.batch",
    "ServedExplanation": ".client.batch",
    "ServerProcess": ".server",
    "ServerUnavailableError": ".client.errors",
    "ServingError": ".client.errors",
    "newest_version": ".server.versions",
    "running_server": ".server",
}

__all__ = [
    "Client",
    "DevelopmentServer",
    "Engine",
    "Limits",
    "Prediction",
    "ServedExplanation",
    "ServerProcess",
    "ServerUnavailableError",
    "ServingError",
    "running_server",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with needs_packages():
        return getattr(import_module(_HOMES[name], __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
