"""Ask a model server for explanations of a model that `kerascam.export` wrote; and start one."""

from .needs import needs_packages as _needs_packages

with _needs_packages():
    from .client.answer import Prediction as Prediction
    from .client.answer import ServedExplanation as ServedExplanation
    from .client.client import Client as Client
    from .client.errors import ServerUnavailableError as ServerUnavailableError
    from .client.errors import ServingError as ServingError
from .server.limits import Limits as Limits
from .server.process import DevelopmentServer as DevelopmentServer
from .server.process import ServerProcess as ServerProcess
from .server.process import running_server as running_server

__all__ = [
    "Client",
    "DevelopmentServer",
    "Limits",
    "Prediction",
    "ServedExplanation",
    "ServerProcess",
    "ServerUnavailableError",
    "ServingError",
    "running_server",
]
