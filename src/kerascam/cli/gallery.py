"""Write what a run found: a picture for each result, and the manifest of all."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import __version__
from ..explain.explanation import Explanation
from ..explain.result_folder import ResultFolder, finite_or_none
from ..pictures.look import Look
from .batches import Photo
from .filenames import FileNames
from .images import shown


@dataclass(frozen=True)
class Result:
    """One picture: an image, explained for one class by one method."""

    image: str
    method: str
    layer: str
    class_index: int
    class_name: str
    probability: float
    score: float
    status: str
    file: str
    notes: tuple[str, ...]

    @property
    def measure(self) -> str:
        """The probability, or the score where the model gives none."""
        if math.isnan(self.probability):
            return f"score {self.score:.4g}"
        return f"{self.probability:.1%}"


class Gallery:
    """A folder of overlays.

    `manifest.json` is written last and removed first: a folder that has one is complete.

    Args:
        folder: Where the files go.
        names: How the pictures are called.
        look: How overlays look.
    """

    def __init__(self, folder: ResultFolder, names: FileNames, look: Look) -> None:
        self.folder = folder
        self._names = names
        self._look = look

    def add(self, photo: Photo, explanation: Explanation, index: int) -> Result:
        """Draw heatmap `index` of a batch over its photo, and write the picture.

        Raises:
            NotOursError: If a file that kerascam did not write has its name.
            MemoryError: If the picture is too large for this machine.
            OSError: If the folder cannot be written to.
        """
        (picture,) = explanation[index].overlay(photo.pixels[None], **vars(self._look))
        class_index = int(explanation.classes[index])
        class_name = explanation.class_name(index)
        file = self._names.picture(photo.path, explanation.method, class_index, class_name)
        self.folder.write_picture(file, picture)
        return Result(
            image=shown(photo.path),
            method=explanation.method,
            layer=explanation.layer,
            class_index=class_index,
            class_name=class_name,
            probability=float(explanation.probabilities[index]),
            score=float(explanation.scores[index]),
            status=explanation.statuses[index],
            file=file,
            notes=(*explanation.notes, *photo.notes),
        )

    def close(
        self,
        facts: dict[str, Any],
        results: Sequence[Result],
        failures: Iterable[tuple[str, str]],
        passed_over: Iterable[tuple[Path, str]],
    ) -> bool:
        """Write the manifest, unless there is no result and it would replace an earlier one.

        Args:
            facts: What holds for the whole run.
            results: In the order of the images.
            failures: The images that could not be explained, each with the reason.
            passed_over: The images that were not tried, each with the reason.

        Returns:
            Whether it was written.
        """
        if not results and self.folder.holds_result():
            return False
        content = {
            "kerascam": __version__,
            **facts,
            "explanations": [_entry(result) for result in results],
            "failures": [{"image": image, "reason": reason} for image, reason in failures],
            "passed_over": [
                {"image": shown(path), "reason": reason} for path, reason in passed_over
            ],
        }
        self.folder.write_manifest(content)
        return True


def _entry(result: Result) -> dict[str, Any]:
    return {
        "image": result.image,
        "method": result.method,
        "layer": result.layer,
        "class": result.class_index,
        "class_name": result.class_name,
        "probability": finite_or_none(result.probability),
        "score": finite_or_none(result.score),
        "status": result.status,
        "file": result.file,
        "notes": list(result.notes),
    }
