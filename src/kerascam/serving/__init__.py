"""Ask a model server about a model that `kerascam.export` wrote; start one for development.

A name is loaded when it is first used: to ask needs packages of the extra `serving`, and to read
what a server's limits are does not.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .needs import needs_packages as _needs_packages

if TYPE_CHECKING:
    from .client.answer import Prediction as Prediction
    from .client.answer import ServedExplanation as ServedExplanation
    from .client.client import Client as Client
    from .client.errors import ServerUnavailableError as ServerUnavailableError
    from .client.errors import ServingError as ServingError
    from .server.limits import Limits as Limits
    from .server.process import DevelopmentServer as DevelopmentServer
    from .server.process import Engine as Engine
    from .server.process import ServerProcess as ServerProcess
    from .server.process import running_server as running_server

_HOMES = {
    "Client": ".client.client",
    "DevelopmentServer": ".server.process",
    "Engine": ".server.process",
    "Limits": ".server.limits",
    "Prediction": ".client.answer",
    "ServedExplanation": ".client.answer",
    "ServerProcess": ".server.process",
    "ServerUnavailableError": ".client.errors",
    "ServingError": ".client.errors",
    "running_server": ".server.process",
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
    with _needs_packages():
        return getattr(import_module(_HOMES[name], __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
