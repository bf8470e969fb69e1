"""Measure one explainer again and again, while its model changes."""

import warnings
from typing import Any

import numpy as np

from .._host_types import HostClassIds
from ..explain import Explainer
from .conforming import choose_metrics, conform_images, conform_masks
from .handing import Supply
from .memory import Memory
from .others import Others
from .subjects import Explained


class Gauge:
    """Means of metrics over the same images, without baselines and intervals.

    Args:
        explainer: Sees the weights of now.
        images: As the explainer takes them.
        masks: As `evaluate` takes them.
        metrics: As `evaluate` takes them.
        seed: Of metrics that sample: the same draws each time.

    Raises:
        TypeError: If an option does not belong to its metric.
        ValueError: If names or shapes do not fit.
    """

    def __init__(
        self, explainer: Explainer, images: Any, masks: Any, metrics: Any, seed: int = 0
    ) -> None:
        self._subject = Explained(explainer, explainer.method.title)
        self._given = conform_images([explainer], images)
        self._masks = conform_masks(masks, self._given.images)
        self._chosen = choose_metrics(metrics, self._masks is not None, seed)
        self._seed = seed

    def means(self, classes: HostClassIds) -> dict[str, float]:
        """Measure now.

        Args:
            classes: Shape (batch,): what is explained.

        Returns:
            For each metric the mean of the images that have a figure; NaN if none has.
        """
        judge = self._subject.explainer
        others = Others(self._given.images, classes, self._seed)
        supply = Supply(
            self._subject, judge, Memory(judge), self._given, classes, self._masks,
            lambda: others[:],
        )  # fmt: skip
        figures = {
            name: supply.measure(metric, options)[0]
            for name, (metric, options) in self._chosen.items()
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a mean of none is NaN
            return {name: float(np.nanmean(each)) for name, each in figures.items()}
