"""What a served model's explanations are of: its manifest, asked for once."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..arguments import conform_classes
from ..model.inputs import InputSpec
from ..signatures import ID_LENGTH
from .errors import ServingError
from .facts import check_facts


@dataclass(frozen=True)
class Manifest:
    """What was exported.

    Attributes:
        id: By which an answer says that this manifest tells of it.
        facts: As the exporter wrote them.
    """

    id: str
    facts: Mapping[str, Any]

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """All class names in order, where they were given."""
        class_names = self.facts["class_names"]
        return None if class_names is None else tuple(class_names)

    def class_ids(self, classes: Any, batch: int) -> Any:
        """Bring the user's classes to one index an image, -1 for the predicted class.

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
        """What the inputs are called in a request, where names are identifiers; in their order."""
        return list(self.facts["inputs"])


def read_manifest(text: str, who: str) -> Manifest:
    """Read a manifest.

    Args:
        text: As the server gave it, to the letter: the id is its hash.
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
        """Give the manifest, and ask for it where it is not known."""
        # Two threads may both ask at first, and get the same: no lock is worth that.
        return self._known or self.fetch()

    def fetch(self) -> Manifest:
        """Ask for the manifest anew."""
        self._known = found = self._fetch()
        return found

    def forget(self, manifest: Manifest) -> None:
        """Ask at the next need, unless another thread has learnt a newer one by now."""
        if self._known is manifest:
            self._known = None
