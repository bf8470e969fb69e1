"""Ask a model server for explanations of a model that `kerascam.export` wrote."""

from .needs import needs_packages as _needs_packages

with _needs_packages():
    from .answer import Prediction as Prediction
    from .answer import ServedExplanation as ServedExplanation
    from .client import Client as Client
    from .errors import ServerUnavailableError as ServerUnavailableError
    from .errors import ServingError as ServingError

__all__ = ["Client", "Prediction", "ServedExplanation", "ServerUnavailableError", "ServingError"]
