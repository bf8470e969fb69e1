"""Keep what is measured in a folder, so that an evaluation that was broken off goes on there.

`checkpoint.json` says what is measured. Each batch of one method or baseline has a file of figures,
written whole after every metric, and, until all methods are done with the batch, one of what the
model answered: asked again in other company, it might answer with another last bit.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from ..files import check_folder, parse_json, write_atomically
from ..fingerprints import differences
from ..marks import NotOursError, check_free, is_marked, mark_zip
from .memory import Memory

PLAN = "checkpoint.json"
FORMAT = "kerascam checkpoint 1"
_SCORES = "scores"
_CLOSE = 1e-3  # what two machines may make of one score, beside the largest
_TOLD = 3  # differences


@dataclass(frozen=True)
class Part:
    """What is measured of one batch of one method or baseline.

    Attributes:
        start: The batch's first image.
        row: The number of the method or baseline.
        figures: Shape (metrics, images); NaN where one is not defined.
        reasons: Of the same shape.
        done: Shape (metrics,): which are measured.
    """

    start: int
    row: int
    figures: np.ndarray
    reasons: np.ndarray
    done: np.ndarray

    @classmethod
    def empty(cls, start: int, row: int, metrics: int, images: int) -> "Part":
        """Return one of which nothing is measured."""
        shape = (metrics, images)
        blank = np.full(shape, np.nan), np.full(shape, "", object), np.zeros(metrics, bool)
        return cls(start, row, *blank)

    def put(self, column: int, figures: np.ndarray, reasons: Any) -> None:
        """Enter a metric's figures."""
        self.figures[column], self.reasons[column] = figures, reasons
        self.done[column] = True


class Checkpoint:
    """A folder with the parts of one evaluation.

    Args:
        folder: Made if it is missing.
        plan: What is measured, as JSON can hold it; under "scores", what the model says of the
            images, which may differ by rounding.
        argument: The name of the user's argument, for messages.

    Raises:
        ValueError: If the folder is a file, was begun with another plan, or holds a file of one of
            the names that kerascam did not write.
    """

    def __init__(self, folder: Path, plan: Mapping[str, Any], argument: str = "checkpoint") -> None:
        self._folder, self._argument = folder, argument
        check_folder(folder, argument)
        text = json.dumps({"format": FORMAT, **plan}, indent=1)
        begun = _plan_in(folder, argument)
        if begun is not None:
            self._check_same(begun, json.loads(text))
            return
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / PLAN, lambda file: file.write(text.encode()))

    def load(self, empty: Part, memory: Memory) -> Part:
        """Return what is kept of a part, and remember what the model answered for it.

        Args:
            empty: The part with nothing measured.
            memory: Learns the answers.
        """
        answers = self._read(self._path("answers", empty))
        if answers is not None:
            memory.learn(answers["marks"], answers["values"])
        found = self._read(self._path("figures", empty))
        if found is None or found["figures"].shape != empty.figures.shape:
            return empty
        reasons = found["reasons"].astype(object)
        return Part(empty.start, empty.row, found["figures"], reasons, found["done"])

    def save(self, part: Part, marks: np.ndarray, values: np.ndarray) -> None:
        """Keep a part.

        Args:
            part: With one metric more than before.
            marks: Shape (answers, 16): what the model was asked for it.
            values: Shape (answers, 2): what it answered.
        """
        self._write(self._path("answers", part), marks=marks, values=values)
        self._write(
            self._path("figures", part),
            figures=part.figures, reasons=part.reasons.astype(str), done=part.done,
        )  # fmt: skip

    def close_batch(self, start: int) -> None:
        """Remove the answers of a batch that is done."""
        for path in self._folder.glob(f"answers-{start:07d}-*.npz"):
            if is_marked(path):
                path.unlink(missing_ok=True)

    def _path(self, kind: str, part: Part) -> Path:
        return self._folder / f"{kind}-{part.start:07d}-{part.row:03d}.npz"

    def _write(self, path: Path, **arrays: np.ndarray) -> None:
        def write(file: Any) -> None:
            np.savez(file, **arrays)  # type: ignore[arg-type]  # none is called allow_pickle
            mark_zip(file)

        check_free(path, self._argument)
        write_atomically(path, write)

    def _read(self, path: Path) -> dict[str, np.ndarray] | None:
        """Read arrays; None if there are none, or the file was damaged."""
        check_free(path, self._argument)
        try:
            with np.load(path) as arrays:
                return dict(arrays)
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return None

    def _check_same(self, begun: dict[str, Any], now: dict[str, Any]) -> None:
        before, after = begun.pop(_SCORES, []), now.pop(_SCORES, [])
        found = differences(begun, now)
        if not found and not _alike(before, after):
            found = ["the model, of the same weights, has other scores of the images"]
        if not found:
            return
        told = "; ".join(found[:_TOLD])
        more = f"; and {len(found) - _TOLD} more" if len(found) > _TOLD else ""
        raise ValueError(
            f"{self._argument} {str(self._folder)!r} was begun with other arguments: {told}{more}. "
            f"Give those to go on there, name another folder, or delete this one"
        )


def discard(folder: Path, argument: str = "checkpoint") -> None:
    """Remove a checkpoint: the files that kerascam wrote, and the folder if it is empty then.

    Args:
        folder: It may be missing.
        argument: The name of the user's argument, for messages.

    Raises:
        ValueError: If its plan is none of kerascam's.
    """
    if _plan_in(folder, argument) is None:
        return
    for kind in ("figures", "answers"):
        for path in folder.glob(f"{kind}-*.npz"):
            if is_marked(path):
                path.unlink(missing_ok=True)
    (folder / PLAN).unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()


def _plan_in(folder: Path, argument: str) -> dict[str, Any] | None:
    """Read a folder's plan; None if it has none.

    Raises:
        NotOursError: If kerascam did not write it.
    """
    path = folder / PLAN
    try:
        content = parse_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError:
        content = None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise NotOursError(
            f"{argument} {str(folder)!r} holds {PLAN!r}, which kerascam did not write and does not "
            f"replace: give another folder, or move that file"
        )
    return content


def _alike(one: Any, other: Any) -> bool:
    some, others = np.asarray(one, float), np.asarray(other, float)
    if some.shape != others.shape:
        return False
    finite = np.abs(others[np.isfinite(others)])
    slack = _CLOSE * finite.max(initial=0)
    return np.allclose(some, others, rtol=_CLOSE, atol=slack, equal_nan=True)
