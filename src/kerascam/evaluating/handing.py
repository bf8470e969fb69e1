"""Hand metrics what their parameters are named."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .._host_types import Ask, Explain, HostClassIds, HostHeatmaps, HostImages, HostMasks
from ..explain import Explainer, Randomized, class_count_of
from ..metrics import Metric
from .memory import Memory
from .shown import Given
from .subjects import Subject


@dataclass(frozen=True)
class Supply:
    """What there is to hand of one batch and one subject; each is made at its first use.

    The attributes and methods have the names of `metrics.SUPPLIES`.

    Attributes:
        subject: What draws the maps.
        judge: An explainer, for the forward pass of the model.
        memory: What the model has answered before.
        given: The images, as the model takes them.
        classes: Shape (batch,).
        masks: Shape (batch, *size); None if there are none.
        others_of: Makes the images of other classes, of the images' shape; NaN where there is none.
    """

    subject: Subject
    judge: Explainer
    memory: Memory
    given: Given
    classes: HostClassIds
    masks: HostMasks | None
    others_of: Callable[[], Any]

    @cached_property
    def images(self) -> HostImages:
        """The images, (batch, *size, channels)."""
        return self.given.images

    @cached_property
    def heatmaps(self) -> HostHeatmaps:
        """The maps that are judged."""
        return self.subject.heatmaps(self.given.whole, self.classes)

    @cached_property
    def attributions(self) -> HostHeatmaps:
        """The same, neither scaled nor cut at zero."""
        return self.subject.attributions(self.given.whole, self.classes)

    @cached_property
    def others(self) -> Any:
        """For each image one of another class."""
        return self.others_of()

    @property
    def score(self) -> Ask:
        """From copies of the images to the target's scores."""
        return lambda copies: self._asked(copies, "scores")

    @property
    def probability(self) -> Ask:
        """From copies of the images to the class's probabilities."""
        return lambda copies: self._asked(copies, "probabilities")

    @property
    def explain(self) -> Explain:
        """From images to heatmaps."""
        return lambda images: self.subject.heatmaps(self.given.shown(images), self.classes)

    @property
    def attribute(self) -> Explain:
        """From images to attributions."""
        return lambda images: self.subject.attributions(self.given.shown(images), self.classes)

    @property
    def explain_another(self) -> Callable[[Any, int], Any]:
        """From images and a seed to heatmaps of another class."""
        return self._of_another_class

    @property
    def layer_count(self) -> int:
        """How many layers of the model have weights."""
        return len(Randomized(self.judge).groups)

    @property
    def explain_randomized(self) -> Callable[[Any, Any, int], Any]:
        """From images, numbers of layers and a seed to heatmaps of the model with these random."""
        return lambda images, layers, seed: self.subject.randomized(
            self.given.shown(images), self.classes, layers, seed
        )

    def measure(self, metric: Metric, options: Mapping[str, Any]) -> tuple[Any, list[str]]:
        """Compute a metric's figures, (batch,), and why some are not defined: "" for the others."""
        failing = metric.failing(self._named)
        if all(failing):  # there is nothing to ask the model
            return np.full(len(failing), np.nan), failing
        handed = [self._named(name) for name in metric.needs]
        figures = np.asarray(metric.function(*handed, **options), np.float64)
        if figures.shape != (len(self.images),):
            raise ValueError(
                f"metric {metric.name!r} must return one figure per image, shape "
                f"({len(self.images)},); it returned shape {figures.shape}"
            )
        return figures, metric.reasons(figures, self._named)

    def _named(self, name: str) -> Any:
        return getattr(self, name)

    def _of_another_class(self, images: Any, seed: int) -> Any:
        count = class_count_of(self.judge, self.given.inputs)
        if count is None or count < 2:
            raise ValueError(
                f"model {self.judge.model.name!r} has no second class to compare with: leave out "
                f"metrics that compare classes, such as random_logit"
            )
        offset = int(np.random.default_rng(seed).integers(1, count))
        return self.subject.heatmaps(self.given.shown(images), (self.classes + offset) % count)

    def _asked(self, copies: Any, which: str) -> Any:
        count, batch = copies.shape[:2]
        flat = self.given.shown(copies.reshape(count * batch, *copies.shape[2:]))
        found = self.memory.answers(flat.inputs, np.tile(self.classes, count))
        return found[which].reshape(count, batch)
