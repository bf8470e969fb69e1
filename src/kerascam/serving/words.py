"""The words that client and server share: TensorFlow Serving's REST protocol, and its tensors.

The names of signatures and tensors are in `kerascam.signatures`, which the export shares too.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any

from ..signatures import (
    BYTES,
    CLASS_INDEX,
    CLASS_NAME,
    HEATMAP,
    MANIFEST,
    MANIFEST_ID,
    MAP,
    OUTPUTS,
    OVERLAY_BYTES,
    PROBABILITIES,
    PROBABILITY,
    SCORE,
    STATUS,
)

#: What stands before a model's name in a path.
MODELS = "/v1/models"

# The keys of a question's body: one row per image, or one column per tensor; and of its answer.
SIGNATURE_NAME = "signature_name"
INSTANCES = "instances"
INPUTS = "inputs"
PREDICTIONS = "predictions"
COLUMNS = "outputs"
ERROR = "error"

# The keys of the answer to a question for the versions of a model.
VERSION_STATUS = "model_version_status"
VERSION, STATE = "version", "state"

# The states of a version.
LOADING, AVAILABLE, UNLOADING, END = "LOADING", "AVAILABLE", "UNLOADING", "END"
STATES = ("UNKNOWN", "START", LOADING, AVAILABLE, UNLOADING, END)

#: A day: timers of sockets, of event loops and of gRPC overflow not far above it.
LONGEST_SECONDS = 86_400

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

_MAP = re.compile(rf"{MAP}(_\d+)?", re.ASCII)


class Kind(Enum):
    """What an output holds."""

    WHOLE = "whole numbers"
    NUMBER = "numbers"
    TEXT = "texts"
    FILE = "files"


_KINDS = {
    CLASS_INDEX: Kind.WHOLE,
    **dict.fromkeys((PROBABILITIES, OUTPUTS, PROBABILITY, SCORE, HEATMAP), Kind.NUMBER),
    **dict.fromkeys((MANIFEST, MANIFEST_ID, CLASS_NAME, STATUS), Kind.TEXT),
    OVERLAY_BYTES: Kind.FILE,
}


def kind_of(name: str) -> Kind | None:
    """Tell what an output holds; None for one that kerascam does not know.

    Example:
        >>> kind_of("map_1"), kind_of("overlay_bytes"), kind_of("embedding")
        (<Kind.NUMBER: 'numbers'>, <Kind.FILE: 'files'>, None)
    """
    return Kind.NUMBER if is_map(name) else _KINDS.get(name)


def is_map(name: str) -> bool:
    """Tell whether an output is a layer's raw map."""
    return _MAP.fullmatch(name) is not None


def holds_files(name: str) -> bool:
    """Tell whether an input or output holds encoded files; the protocol has such names too."""
    return name.endswith(BYTES)


def version_and_state(version: Any, state: Any) -> tuple[int, str]:
    """Take one version of a model and its state.

    Raises:
        ValueError: If they are none.

    Example:
        >>> version_and_state("3", "AVAILABLE")
        (3, 'AVAILABLE')
    """
    digits = version if isinstance(version, str) else str(version)
    is_number = digits.isascii() and digits.isdecimal() and len(digits) < 20
    if isinstance(version, (bool, float)) or not is_number:
        raise ValueError("a version is not a whole number")
    if state not in STATES:
        raise ValueError("a version has a state that the protocol does not know")
    return int(digits), str(state)


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
