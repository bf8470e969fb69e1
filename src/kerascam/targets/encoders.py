"""Targets for encoders: how similar the embedding of an image is to another."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from .._types import ClassIds, Scores, Target
from ..arrays import array_of
from ..errors import brief
from . import heads
from .names import known, output_of
from .reading import single
from .regions import of_open_length
from .vectors import unit_length


def similarity(reference: Any, *, embedding: str | None = None) -> Target:
    r"""Make a target for encoders: the cosine between an image's embedding and another one.

    $$S_c = \frac{\langle e(x), r_c \rangle}{\|e(x)\|\, \|r_c\|}$$

    What makes this image similar to that one, or to a text. With several references a class is
    the index of one, and the predicted class the most similar.

    Args:
        reference: $r$: one embedding, shape (length,); one per class, (classes, length), such as
            those of texts; or (batch, classes, length). Or the name of the output of a model of two
            towers that holds each image's own, (batch, length).
        embedding: The name of the output with the images' embeddings, shape (batch, length); None
            for the only output, or the one that `output=` names.

    Returns:
        A target; scores are from -1 to 1.

    Raises:
        TypeError: If `reference` is neither numbers nor a name.
        ValueError: If a reference is zero or not finite; when it is used, if lengths differ or an
            output is not there.

    Example:
        >>> import tensorflow as tf
        >>> target = similarity([[0.0, 1.0], [3.0, 4.0]])
        >>> f = tf.function(lambda e: target(e, tf.constant([1])), autograph=False)
        >>> f(tf.constant([[2.0, 0.0]])).numpy().round(3).tolist()
        [0.6]
    """
    if embedding is not None and not isinstance(embedding, str):
        raise TypeError(
            f"target similarity: embedding must be the name of an output, not {brief(embedding)}"
        )
    if isinstance(reference, str) and embedding is None:
        raise TypeError(
            "target similarity: embedding must name the output with the images' embeddings, if "
            "reference names another"
        )
    return Similarity(conform_reference(reference), embedding)


@dataclass(frozen=True, eq=False)
class Similarity:
    """The target that `similarity` makes.

    Attributes:
        reference: Shape (length,), (classes, length) or (batch, classes, length); or the name of
            the output that holds it.
        embedding: The name of the output that holds the images' own; None for the only one.
    """

    reference: np.ndarray | str
    embedding: str | None

    def read_head(self, outputs: Any) -> heads.Head:
        """Read the similarities, (batch, classes), as the head of a classifier."""
        own = single(outputs) if self.embedding is None else _named(outputs, self.embedding)
        if len(own.shape) != 2:
            raise ValueError(
                f"target similarity needs one embedding per image, shape (batch, length), not "
                f"{tuple(own.shape)}"
            )
        others = unit_length(self._references(outputs, own))
        own = unit_length(own)
        found = ops.sum(own[:, None] * ops.cast(others, own.dtype), -1)
        return heads.Head(found, found, None, binary=False)

    def _references(self, outputs: Any, own: Any) -> Any:
        """Return what the embeddings are compared with, (batch or 1, classes, length)."""
        if isinstance(self.reference, str):
            return _named(outputs, self.reference)[:, None]
        if own.shape[-1] not in (None, self.reference.shape[-1]):
            raise ValueError(
                f"target similarity: reference must have the length of the embeddings, "
                f"{own.shape[-1]}, not {self.reference.shape[-1]}"
            )
        reference = self.reference
        if reference.ndim < 3:  # the same for all images
            return ops.convert_to_tensor(reference.reshape(1, -1, reference.shape[-1]))
        return of_open_length(reference, ops.shape(own)[0])

    def __call__(self, outputs: Any, classes: ClassIds) -> Scores:
        """Score each image."""
        head = self.read_head(outputs)
        return heads.of_class(head, head.outputs, classes)

    def __repr__(self) -> str:
        if isinstance(self.reference, str):
            return f"similarity({self.reference!r})"
        return f"similarity(array of shape {self.reference.shape})"

    @property
    def takes_any_batch(self) -> bool:
        """See the function of this name in `reading`."""
        return isinstance(self.reference, str) or self.reference.ndim < 3


def conform_reference(reference: Any) -> np.ndarray | str:
    """Return embeddings to compare with as an array of floating numbers, a name as it is.

    Raises:
        TypeError: If it is neither.
        ValueError: If a vector is zero, not finite, or there is none.
    """
    if isinstance(reference, str):
        return reference
    array = array_of(reference)
    if array.dtype.kind not in "iuf":
        raise TypeError(
            f"target similarity: reference must be numbers, or the name of an output, not "
            f"{brief(reference)}"
        )
    if array.ndim not in (1, 2, 3) or not array.size:
        raise ValueError(
            f"target similarity: reference must be of shape (length,), (classes, length) or "
            f"(batch, classes, length), not {array.shape}"
        )
    if not np.isfinite(array).all() or not array.any(-1).all():
        raise ValueError(
            "target similarity: reference must be finite, and no vector zero, which has no "
            "direction"
        )
    array = array if array.dtype.kind == "f" else array.astype(np.float64)
    # Only directions count, and these fit into any type.
    array = array / abs(array).max(-1, keepdims=True)
    return array if array.dtype == np.float64 else array.astype(np.float32)


def _named(outputs: Any, name: str) -> Any:
    found = None if ops.is_tensor(outputs) else output_of(outputs, name)
    if found is None:
        raise ValueError(f"target similarity: {name!r} is no output of the model; {known(outputs)}")
    return found
