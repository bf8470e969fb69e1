"""What the outputs of a signature hold, by their names: for JSON and gRPC alike."""

import re
from enum import Enum

from ...signatures import (
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


def is_file(name: str) -> bool:
    """Tell whether an input or output holds encoded files."""
    return name.endswith(BYTES)


def is_map(name: str) -> bool:
    """Tell whether an output is a layer's raw map."""
    return _MAP.fullmatch(name) is not None
