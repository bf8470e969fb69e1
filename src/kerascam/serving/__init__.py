"""Ask a model server for explanations of a model that `kerascam.export` wrote."""

try:
    from .answer import Prediction as Prediction
    from .answer import ServedExplanation as ServedExplanation
    from .client import Client as Client
    from .errors import ServerUnavailableError as ServerUnavailableError
    from .errors import ServingError as ServingError
except ModuleNotFoundError as error:
    _package = (error.name or "").partition(".")[0]
    if _package not in ("grpc", "httpx", "orjson", "tenacity", "tensorflow_serving"):
        raise
    raise ImportError(
        f"kerascam.serving needs the package {_package!r}; "
        "pip install httpx orjson tenacity tensorflow-serving-api"
    ) from error

__all__ = ["Client", "Prediction", "ServedExplanation", "ServerUnavailableError", "ServingError"]
