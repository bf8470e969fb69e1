"""What can go wrong when a compiled graph is asked, and what else than one batch can be asked."""

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from keras import ops

from .._host_types import HostClassIds
from ..errors import DoesNotFitError, brief, reason
from ..inputs import InputSpec
from ..model import BadArgumentError
from ..registry import Method


@runtime_checkable
class Batches(Protocol):
    """A `tf.data.Dataset`, for the checks of types, which know nothing of TensorFlow."""

    @property
    def element_spec(self) -> Any:
        """The form of an element."""

    def __iter__(self) -> Iterator[Any]:
        """Go through the batches."""


class Asked(NamedTuple):
    """One batch, checked, and what is compiled for it.

    Attributes:
        specs: What the model takes.
        like: The images as the user gave them, for their structure.
        arrays: One for each of the model's inputs.
        classes: Shape (batch,), int32, -1 for the predicted one.
        compiled: A program or a target, as the cache has it.
    """

    specs: Sequence[InputSpec]
    like: Any
    arrays: Sequence[np.ndarray]
    classes: HostClassIds
    compiled: Any

    @property
    def tensors(self) -> list[Any]:
        """What the compiled graph takes."""
        return [ops.convert_to_tensor(each) for each in (*self.arrays, self.classes)]


def check_one_class(classes: Any) -> None:
    """Raise a ValueError if there is more than one class for the batches of a data set."""
    if classes is None or isinstance(classes, (str, int, np.integer)) or np.ndim(classes) == 0:
        return
    raise ValueError(
        f"classes must be one class, or None, for a tf.data.Dataset; received {brief(classes)}: "
        f"for classes of their own, call the explainer on each batch in a loop"
    )


@contextmanager
def fitting(arrays: Sequence[np.ndarray]) -> Iterator[None]:
    """Turn an error of TensorFlow's into one that says what does not fit.

    Raises:
        DoesNotFitError: If the model, or the target, cannot take the arrays.
    """
    try:
        yield
    except BadArgumentError as error:
        raise DoesNotFitError(
            f"images of shape {arrays[0].shape} do not fit the model, or the target does not fit "
            f"{len(arrays[0])} images: {reason(error)}"
        ) from error


def check_scores(scores: Any, batch: int) -> None:
    """Raise a ValueError if the target did not return one score per image."""
    if len(scores) != batch:
        raise ValueError(
            f"target must return one score per image, shape ({batch},); it returned {len(scores)}"
        )


def check_fits(fits: Any, method: Method, layer: str | None) -> None:
    """Raise a ValueError if the layer does not suit the method.

    Args:
        fits: For each image, whether the method's requirement holds.
        method: The method.
        layer: The layer, for the message.
    """
    if not np.all(fits.numpy()):
        condition = (inspect.getdoc(method.requires) or "").splitlines()[0]
        raise ValueError(f"layer {layer!r} does not suit {method.title}: {condition}")
