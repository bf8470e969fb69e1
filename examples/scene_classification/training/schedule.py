"""The learning rate over the steps of a run."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="scene_classification")
class WarmupCosine(keras.optimizers.schedules.LearningRateSchedule):
    """A straight rise from nothing, then half a cosine down to nothing.

    With t the step, w the warm-up's steps and n all steps,

        rate(t) = peak · (t + 1) / w                        for t < w
        rate(t) = peak · (1 + cos(π (t − w) / (n − w))) / 2 after.

    Args:
        peak: Highest learning rate.
        warmup: w.
        steps: n.
    """

    def __init__(self, peak: float, warmup: int, steps: int) -> None:
        super().__init__()
        self.peak, self.warmup, self.steps = peak, warmup, steps

    def __call__(self, step: Any) -> Any:
        """Return the learning rate of a step."""
        step = ops.cast(step, "float32")
        rise = (step + 1.0) / max(self.warmup, 1)
        done = ops.clip((step - self.warmup) / max(self.steps - self.warmup, 1), 0.0, 1.0)
        fall = 0.5 * (1.0 + ops.cos(math.pi * done))
        return self.peak * ops.where(step < self.warmup, rise, fall)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this schedule again."""
        return {"peak": self.peak, "warmup": self.warmup, "steps": self.steps}
