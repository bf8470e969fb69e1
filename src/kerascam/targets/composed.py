"""Targets made of a mask, a class or other targets, and what may be asked of any target.

They are objects: functions defined inside functions could not be pickled.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from .._types import ClassIds, Outputs, Scores, Target
from . import heads
from .named import choices, named
from .regions import of_open_length, region_of, region_score


def reads_binary(target: Target) -> bool | None:
    """Tell whether `target` takes one unit for two classes; None leaves it to the output."""
    return getattr(target, "binary", None)


def takes_any_batch(target: Target) -> bool:
    """Tell whether `target` certainly holds nothing that belongs to one batch, as a mask does."""
    return getattr(target, "takes_any_batch", False)


@dataclass(frozen=True, eq=False)
class RegionMean:
    """The target that `region_mean` makes."""

    mask: Any

    def __call__(self, outputs: Any, classes: ClassIds) -> Scores:
        """Score each image."""
        head = read(outputs)
        if not head.dense:
            raise ValueError(
                f"target region_mean needs an output with a grid, not one of shape "
                f"{tuple(outputs.shape)}; use targets.logit"
            )
        region = None if self.mask is None else region_of(self.mask, head)
        return region_score(head, classes, region)

    def __repr__(self) -> str:
        return "region_mean()" if self.mask is None else "region_mean(mask)"

    @property
    def takes_any_batch(self) -> bool:
        """See the function of this name."""
        return self.mask is None


@dataclass(frozen=True, eq=False)
class Contrast:
    """The target that `contrast` makes."""

    others: np.ndarray
    weight: float
    target: Target

    def __call__(self, outputs: Any, classes: ClassIds) -> Scores:
        """Score each image."""
        _check_other(self.others, outputs)
        batch = ops.shape(classes)
        opposed = ops.broadcast_to(of_open_length(self.others, batch[0]), batch)
        return self.target(outputs, classes) - self.weight * self.target(outputs, opposed)

    def __repr__(self) -> str:
        return (
            f"contrast({self.others.tolist()}, weight={self.weight}, target={_named(self.target)})"
        )

    @property
    def takes_any_batch(self) -> bool:
        """See the function of this name."""
        return self.others.ndim == 0 and takes_any_batch(self.target)

    @property
    def binary(self) -> bool | None:
        """See `reads_binary`."""
        return reads_binary(self.target)


@dataclass(frozen=True, eq=False)
class Counterfactual:
    """The target that `counterfactual` makes."""

    target: Target

    def __call__(self, outputs: Any, classes: ClassIds) -> Scores:
        """Score each image."""
        return -self.target(outputs, classes)

    def __repr__(self) -> str:
        return f"counterfactual({_named(self.target)})"

    @property
    def takes_any_batch(self) -> bool:
        """See the function of this name."""
        return takes_any_batch(self.target)

    @property
    def binary(self) -> bool | None:
        """See `reads_binary`."""
        return reads_binary(self.target)


def _named(target: Target) -> str:
    return str(getattr(target, "__qualname__", repr(target)))


def single(outputs: Any) -> Outputs:
    """Return the only output of a model.

    Raises:
        ValueError: If there are several.
    """
    if not ops.is_tensor(outputs):
        raise ValueError(
            f"the model has {len(named(outputs))} outputs; choose one by output=, one of: "
            f"{choices(outputs)}"
        )
    return outputs


def read(outputs: Any) -> heads.Head:
    """Read the only output of a model."""
    return heads.read(single(outputs))


def _check_other(others: np.ndarray, outputs: Any) -> None:
    count = heads.read(outputs).class_count if ops.is_tensor(outputs) else None
    if others.min() < 0 or (count is not None and others.max() >= count):
        last = "the last class" if count is None else count - 1
        raise ValueError(f"target contrast: other must be from 0 to {last}, not {others.tolist()}")
