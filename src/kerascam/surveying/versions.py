"""What computes and writes a survey."""

from importlib.metadata import PackageNotFoundError, version

import keras
import numpy as np

from .. import __version__


def versions() -> dict[str, str]:
    """Return the versions of what computes and writes."""
    import pyarrow

    return {
        "kerascam": __version__,
        "keras": keras.__version__,
        "keras backend": _backend_version(),
        "numpy": np.__version__,
        "pyarrow": pyarrow.__version__,
    }


def _backend_version() -> str:
    name = keras.backend.backend()
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:  # such as tensorflow-cpu, which has another name
        return name
