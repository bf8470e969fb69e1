"""Measure a batch of one method, metric by metric, or go on from what is kept of it."""

from dataclasses import dataclass, field

from .._host_types import HostClassIds
from .checkpoint import Checkpoint, Part
from .conforming import Chosen
from .handing import Supply
from .shown import Shown
from .subjects import Subject


@dataclass(frozen=True)
class Measuring:
    """Measures parts of an evaluation.

    Attributes:
        chosen: The metrics and their options.
        kept: Where parts are kept; None if they are not.
        first: The first batch of all images.
        classes: What is explained of it.
    """

    chosen: Chosen
    kept: Checkpoint | None
    first: Shown
    classes: HostClassIds
    _ready: set[int] = field(default_factory=set)

    def part(self, start: int, row: int, supply: Supply) -> Part:
        """Measure what is not measured yet.

        Args:
            start: The batch's first image.
            row: The number of the method or baseline.
            supply: What there is to hand of it.
        """
        part = Part.empty(start, row, len(self.chosen), len(supply.images))
        known = len(supply.memory)
        if self.kept is not None:
            part = self.kept.load(part, supply.memory)
            if not part.done.all():
                self._make_ready(row, supply.subject)
        for column, (metric, options) in enumerate(self.chosen.values()):
            if part.done[column]:
                continue
            part.put(column, *supply.measure(metric, options))
            if self.kept is not None:
                self.kept.save(part, *supply.memory.since(known))
        return part

    def _make_ready(self, row: int, subject: Subject) -> None:
        """Draw the first batch, as its images may settle what is compiled for all others."""
        if row in self._ready:
            return
        self._ready.add(row)
        subject.heatmaps(self.first, self.classes)
        if any("attributions" in metric.needs for metric, _ in self.chosen.values()):
            subject.attributions(self.first, self.classes)
