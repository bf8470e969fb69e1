"""One picture of a run, and what it shows."""

import math
from dataclasses import dataclass
from typing import Any

from ..explain import finite_or_none


@dataclass(frozen=True)
class Result:
    """One picture: an image, explained for one class by one method.

    Attributes:
        place: The image's place among all images of the run.
        image: Its name.
        method: The method's registered name.
        layer: The layer, in words.
        class_index: The class.
        class_name: Its name.
        probability: Its probability; NaN if the model returns none.
        score: Its score.
        status: "ok", or why the map shows no evidence.
        signed: Whether the map has evidence against the class too.
        file: The picture's name.
        notes: Notes on the explanation and on how the image was read.
    """

    place: int
    image: str
    method: str
    layer: str
    class_index: int
    class_name: str
    probability: float
    score: float
    status: str
    signed: bool
    file: str
    notes: tuple[str, ...]

    @property
    def measure(self) -> str:
        """The probability, or the score if the model returns none."""
        if math.isnan(self.probability):
            return f"score {self.score:.4g}"
        return f"{self.probability:.1%}"

    def entry(self) -> dict[str, Any]:
        """Return what the manifest says of it."""
        return {
            "image": self.image,
            "method": self.method,
            "layer": self.layer,
            "class": self.class_index,
            "class_name": self.class_name,
            "probability": finite_or_none(self.probability),
            "score": finite_or_none(self.score),
            "status": self.status,
            "file": self.file,
            "notes": list(self.notes),
        }
