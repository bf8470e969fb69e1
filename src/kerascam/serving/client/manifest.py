"""The manifest of a served model: checked, and asked for once."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...arguments import conform_classes
from ...inputs import InputSpec
from ...registry import METHODS, UnknownNameError
from ...signatures import ID_LENGTH
from .errors import ServingError

_AGAIN = "export the model again with this version of kerascam"


def check_facts(facts: Any) -> None:
    """Check a manifest.

    Args:
        facts: As JSON has them.

    Raises:
        ValueError: If one is missing or of another form; its message is the rest of a sentence
            that begins with the manifest.

    Example:
        >>> check_facts({"method": "grad_cam"})
        Traceback (most recent call last):
            ...
        ValueError: has no 'layer'; export the model again with this version of kerascam
    """
    facts = facts if isinstance(facts, dict) else {}
    for name, fits in (_NEEDED | _OPTIONAL).items():
        if name not in facts:
            if name in _NEEDED:
                raise ValueError(f"has no {name!r}; {_AGAIN}")
        elif not fits(facts[name]):
            raise ValueError(f"has an impossible value for {name!r}; {_AGAIN}")
    ground = facts.get("heatmap", {}).get("input")
    if ground is not None and ground not in facts["inputs"]:
        raise ValueError(f"has heatmaps on {ground!r}, which is not an input; {_AGAIN}")
    if "title" in facts and "of_pixels" in facts:
        return
    try:  # an older export leaves these to the library, which imports TensorFlow
        METHODS[facts["method"]]
    except UnknownNameError as error:
        raise ValueError(
            f"names a method that this version of kerascam does not know: {facts['method']!r}; "
            f"upgrade kerascam"
        ) from error


def _is(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: type(value) in kinds


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _are_inputs(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and all(map(_is_input, value.values()))


def _is_input(value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("name", ""), str):
        return False
    shape = value.get("shape")
    if not isinstance(shape, list) or not 1 <= len(shape) <= 32 or shape[0] is not None:
        return False
    return _is_number_type(value.get("dtype")) and all(map(_is_length, shape[1:]))


def _is_length(value: Any) -> bool:
    """Tell whether an axis may have a length; None stands for any."""
    return value is None or (type(value) is int and value > 0)


def _is_number_type(value: Any) -> bool:
    if value == "bfloat16":
        import ml_dtypes as ml_dtypes  # tells NumPy of it; it comes with TensorFlow
    try:
        dtype = np.dtype(value) if isinstance(value, str) else np.dtype(object)
    except (TypeError, ValueError):
        return False
    return dtype.kind in "biuf" or dtype.name == "bfloat16"


def _are_photographs(value: Any) -> bool:
    if value is None:
        return True
    size = value.get("size") if isinstance(value, dict) else None
    return isinstance(size, list) and len(size) == 2 and all(type(side) is int for side in size)


def _is_ground(value: Any) -> bool:
    """Tell whether it may say what heatmaps lie on: an input, or none."""
    if not isinstance(value, dict) or type(value.get("channels_first")) is not bool:
        return False
    return isinstance(value.get("input", ...), (str, type(None))) and (
        type(value.get("channel_axis")) in (int, type(None))
    )


_NEEDED: dict[str, Callable[[Any], bool]] = {
    "method": _is(str),
    "layer": _is(str),
    "class_names": lambda value: value is None or _are_texts(value),
    "notes": _are_texts,
    "signed": _is(bool),
    "scaled": _is(bool),
    "inputs": _are_inputs,
}
_OPTIONAL: dict[str, Callable[[Any], bool]] = {
    "layers": _are_texts,
    "title": _is(str),
    "of_pixels": _is(bool),
    "photographs": _are_photographs,
    "raw_maps": _is(bool),
    "sums_to_one": _is(bool),
    "heatmap": _is_ground,
}


@dataclass(frozen=True)
class Manifest:
    """What was exported.

    Attributes:
        id: The id that answers of this model carry.
        facts: As the exporter wrote them.
    """

    id: str
    facts: Mapping[str, Any]

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """All class names in order, if they were given."""
        class_names = self.facts["class_names"]
        return None if class_names is None else tuple(class_names)

    def class_ids(self, classes: Any, batch: int) -> Any:
        """Bring the user's classes to one index per image, -1 for the predicted class.

        Raises:
            TypeError: If a class is neither an integer nor a name.
            ValueError: If there is no such class, or their number is not that of the images.
        """
        class_names = self.class_names
        return conform_classes(
            classes, batch, None if class_names is None else len(class_names), class_names
        )

    @property
    def inputs(self) -> list[InputSpec]:
        """What the model takes, by its own names of its inputs."""
        return [
            InputSpec(form.get("name", name), tuple(form["shape"][1:]), form["dtype"])  # no batch
            for name, form in self.facts["inputs"].items()
        ]

    @property
    def request_names(self) -> list[str]:
        """The inputs' names in a request, which are identifiers; in their order."""
        return list(self.facts["inputs"])


def read_manifest(text: str, who: str) -> Manifest:
    """Read a manifest.

    Args:
        text: Exactly as the server sent it: the id is its hash.
        who: The model, for errors.

    Raises:
        ServingError: If this version of kerascam cannot read it.
    """
    try:
        facts = json.loads(text)
        encoded = text.encode()  # fails for halves of a character
    except (ValueError, RecursionError):
        facts, encoded = None, b""
    try:
        check_facts(facts)
    except ValueError as error:
        raise ServingError(f"the manifest of {who} {error}; it begins {text[:80]!r}") from error
    return Manifest(hashlib.sha256(encoded).hexdigest()[:ID_LENGTH], facts)


class Manifests:
    """Keeps the manifest of the model that is served, until an answer tells of another.

    Args:
        fetch: Asks the server.
    """

    def __init__(self, fetch: Callable[[], Manifest]) -> None:
        self._fetch = fetch
        self._known: Manifest | None = None

    def current(self) -> Manifest:
        """Return the manifest; ask for it if it is not known."""
        # Two threads may both ask at first, and get the same: no lock is worth that.
        return self._known or self.fetch()

    def fetch(self) -> Manifest:
        """Ask for the manifest again."""
        self._known = found = self._fetch()
        return found

    def forget(self, manifest: Manifest) -> None:
        """Ask again when next needed, unless another thread has fetched a newer one."""
        if self._known is manifest:
            self._known = None
