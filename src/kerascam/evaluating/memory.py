"""Remember what the model answered: several metrics ask about the same changed images."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .._host_types import HostClassIds
from ..explain import Explainer, answers_of

_KEYS = ("scores", "probabilities")
_BYTES = 16  # of what stands for an image and a class


class Memory:
    """Asks a model about images that it has not been asked about.

    Args:
        judge: An explainer, for the forward pass of the model.
    """

    def __init__(self, judge: Explainer) -> None:
        self._judge = judge
        self._known: dict[bytes, tuple[float, ...]] = {}

    def answers(self, inputs: Any, classes: HostClassIds) -> dict[str, np.ndarray]:
        """Return scores and probabilities, each of shape (batch,).

        Args:
            inputs: As the model takes them: an array, or several in a list or dict.
            classes: Shape (batch,).
        """
        arrays = _arrays(inputs)
        rows_of = zip(*arrays, classes.tolist(), strict=True)
        marks = [_mark(row, own) for *row, own in rows_of]
        new = {mark: place for place, mark in enumerate(marks) if mark not in self._known}
        if new:
            places = list(new.values())
            found = answers_of(self._judge, _taken(inputs, places), classes[places])
            rows = zip(*(getattr(found, key).tolist() for key in _KEYS), strict=True)
            self._known.update(zip(new, rows, strict=True))
        columns = np.array([self._known[mark] for mark in marks], np.float64).T
        return dict(zip(_KEYS, columns, strict=True))

    def __len__(self) -> int:
        return len(self._known)

    def since(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the answers after the first ones: marks, (answers, 16), values, (answers, 2)."""
        new = list(self._known.items())[count:]
        marks = np.frombuffer(b"".join(mark for mark, _ in new), np.uint8).reshape(-1, _BYTES)
        return marks, np.array([row for _, row in new], np.float64).reshape(-1, len(_KEYS))

    def learn(self, marks: np.ndarray, values: np.ndarray) -> None:
        """Remember what `since` returned, in another process."""
        rows = map(tuple, values.tolist())
        self._known.update(zip((mark.tobytes() for mark in marks), rows, strict=True))

    def forget(self) -> None:
        """Forget all, as the next images are others."""
        self._known.clear()


def _arrays(inputs: Any) -> list[np.ndarray]:
    if isinstance(inputs, np.ndarray):
        return [inputs]
    return list(inputs.values() if isinstance(inputs, Mapping) else inputs)


def _taken(inputs: Any, places: Sequence[int]) -> Any:
    """Return some rows of the inputs."""
    if isinstance(inputs, np.ndarray):
        return inputs[places]
    if isinstance(inputs, Mapping):
        return {name: array[places] for name, array in inputs.items()}
    return [array[places] for array in inputs]


def _mark(row: Sequence[np.ndarray], own: int) -> bytes:
    """Return what stands for an image, with what goes beside it, and a class."""
    found = hashlib.blake2b(digest_size=_BYTES)
    for each in row:
        found.update(each.tobytes())
    found.update(int(own).to_bytes(8, "little", signed=True))
    return found.digest()
