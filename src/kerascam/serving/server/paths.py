"""What a path asks for: one of the questions of TensorFlow Serving's REST interface."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import RequestError
from .version_folders import LARGEST

# As in TensorFlow Serving, a "?" and what follows it are part of the path: `:predict?x=1` is no
# path that there is, and `scenes?x=1` is the name of another model.
_PREDICT = re.compile(
    r"/v1/models/([^/:]+)(?:/versions/([0-9]+))?:(predict)", re.IGNORECASE | re.ASCII
)
_TELL = re.compile(
    r"/v1/models(?:/([^/:]+))?(?:/versions/([0-9]+))?(?:/(metadata))?", re.IGNORECASE | re.ASCII
)
_INTERFACE = re.compile("/v1/.*", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class Asked:
    """What a request asks.

    Attributes:
        what: "predict", "metadata" or "status".
        name: Of a model.
        number: Of its version, if it names one.
    """

    what: str
    name: str
    number: int | None


def is_outside(target: str) -> bool:
    """Return whether a path belongs to no model, so that TensorFlow Serving looks no further."""
    return _INTERFACE.fullmatch(target) is None


def read_path(method: str, target: str) -> Asked:
    """Read what is asked.

    Args:
        method: Of HTTP.
        target: The path, with "?" and what follows if there is such.

    Raises:
        RequestError: If there is no such question.
    """
    pattern = {"POST": _PREDICT, "GET": _TELL}.get(method)
    found = pattern.fullmatch(target) if pattern is not None else None
    if found is None:
        raise RequestError(400, f"Malformed request: {method} {target}")
    name, version, what = found.groups()
    if name is None:
        raise RequestError(400, "Missing model name in request.")
    if version is not None and (len(version) > 30 or int(version) > LARGEST):
        raise RequestError(400, "")  # as TensorFlow Serving has it: without a word
    return Asked((what or "status").lower(), name, None if version is None else int(version))
