"""From a model's outputs to what is asked: classes, scores, probabilities and gradients."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from .._types import ClassIds, Scores, Target
from ..errors import DoesNotFitError, reason
from ..targets import head_of, heads
from . import inside
from .layers import every_layer
from .outputs import describe

# Half-precision gradients are scaled up on their way back, as in mixed-precision training.
_HALF_SCALE = 1024.0


def read(chosen: Any, target: Target) -> heads.Head | None:
    """Read the explained output; None if it is several tensors and the target takes them all.

    Raises:
        DoesNotFitError: If the target cannot be asked about such outputs.
    """
    if tf.is_tensor(chosen) and not chosen.shape.rank:
        return None
    with _of_target(chosen):
        return head_of(target, chosen)


def settle(head: heads.Head | None, classes: ClassIds) -> ClassIds:
    """Replace -1 by the predicted class."""
    if head is None:
        return tf.maximum(classes, 0)
    return tf.where(classes < 0, heads.predicted(head), classes)


def score(target: Target, outputs: Any, classes: ClassIds) -> Scores:
    """Ask the target for one number per image.

    Raises:
        TypeError: If the numbers are not floating.
        ValueError: If they are not one per image.
    """
    with _of_target(outputs):
        scores = target(outputs, classes)
    if not isinstance(scores, tf.Tensor) or scores.shape.rank != 1:
        shape = getattr(scores, "shape", type(scores).__name__)
        raise ValueError(
            f"target must return one score per image, shape (batch,); it returned {shape} "
            f"for outputs of {describe(outputs)}"
        )
    if not scores.dtype.is_floating:
        raise TypeError(f"target must return floating-point scores, not {scores.dtype.name}")
    return scores if scores.dtype == tf.float64 else tf.cast(scores, tf.float32)


@contextmanager
def _of_target(outputs: Any) -> Iterator[None]:
    """Turn an error inside a target into one that says so."""
    try:
        yield
    except (AttributeError, NotImplementedError, tf.errors.OperatorNotAllowedInGraphError) as error:
        raise TypeError(
            f"target must be made of TensorFlow operations, as it becomes a part of a graph (no "
            f".numpy(), no Python if on a tensor): {reason(error)}"
        ) from error
    except (TypeError, ValueError, LookupError, tf.errors.InvalidArgumentError) as error:
        if str(error).startswith(("target", "the model has ")):  # of kerascam's own targets
            raise
        raise DoesNotFitError(
            f"target fails on outputs of {describe(outputs)}: {reason(error)}"
        ) from error


def probabilities(head: heads.Head | None, classes: ClassIds) -> Scores:
    """Return each image's probability of its class, at least float32; NaN if there is none."""
    if head is None:
        return tf.fill(tf.shape(classes), float("nan"))
    chances = heads.probabilities(head, classes)
    return chances if chances.dtype == tf.float64 else tf.cast(chances, tf.float32)


def variants(model: keras.Model, scores: Scores) -> tuple[Scores, ...]:
    """Return the scores to differentiate; of a float16 model, the scaled ones too."""
    half = any(getattr(layer, "compute_dtype", None) == "float16" for layer in every_layer(model))
    return (scores, _HALF_SCALE * scores) if half else (scores,)


def differentiate(
    gradient: Callable[[Scores], tf.Tensor | None], variants: Sequence[Scores], of: str
) -> tf.Tensor:
    """Differentiate the scores, at least in float32.

    A float16 gradient is taken from the scaled scores, so that small values do not vanish, and
    from the plain ones if the scaled ones overflow.

    Raises:
        ValueError: If the scores do not depend on it.
    """
    found = [gradient(scores) for scores in variants]
    if found[0] is None:
        if inside.runs_closed_code(variants[0]):
            raise ValueError(
                f"target cannot be differentiated by {of}: the model runs code that TensorFlow has "
                f"no gradient of, such as a Python function; take a method that only asks the "
                f"model, such as Occlusion, RISE or KernelSHAP"
            )
        raise ValueError(
            f"target does not depend on {of}: its score has no gradient there; name a layer "
            f"between the images and the explained output, or another output"
        )
    plain, *scaled = (tf.convert_to_tensor(each) for each in found)
    if plain.dtype != tf.float64:
        plain, *scaled = (tf.cast(each, tf.float32) for each in (plain, *scaled))
    for each in scaled:
        plain = tf.where(tf.math.is_finite(each), each / _HALF_SCALE, plain)
    return plain
