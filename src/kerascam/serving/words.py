"""The words that client and server share: TensorFlow Serving's REST protocol, and its tensors.

The names of signatures and tensors are in `kerascam.signatures`, which the export shares too.
"""

import re
from enum import Enum

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
