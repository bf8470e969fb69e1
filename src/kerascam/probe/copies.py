"""The gradient at several copies of a batch: in one pass where the target allows it."""

from collections.abc import Callable, Sequence

import tensorflow as tf

from .._types import ClassIds, Images, Target
from ..targets import takes_any_batch

Gradient = Callable[[Sequence[tf.Tensor], ClassIds, Images], Images]


def at_copies(
    gradient: Gradient,
    target: Target,
    inputs: Sequence[tf.Tensor],
    classes: ClassIds,
    copies: tf.Tensor,
) -> tf.Tensor:
    """Differentiate the score by each copy of the images.

    A target may hold an array for the images of a batch, such as a mask of each, which does not
    fit a larger batch: then one copy is taken after the other.

    Args:
        gradient: Maps inputs, classes and images of one batch size to the images' gradient.
        target: The score that is differentiated.
        inputs: The model's inputs, of the batch.
        classes: Shape (batch,).
        copies: Shape (copies, batch, *size, channels).

    Returns:
        Shape (copies, batch, *size, channels).
    """
    if not takes_any_batch(target):
        return tf.map_fn(
            tf.autograph.experimental.do_not_convert(
                lambda images: gradient(inputs, classes, images)
            ),
            copies,
            parallel_iterations=1,
        )
    count = tf.shape(copies)[0]
    repeated = [_repeat(tensor, count) for tensor in inputs]
    images = tf.reshape(copies, tf.concat([[-1], tf.shape(copies)[2:]], 0))
    images = tf.ensure_shape(images, [None, *copies.shape[2:]])
    found = gradient(repeated, _repeat(classes, count), images)
    return tf.reshape(found, tf.shape(copies))


def _repeat(tensor: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    return tf.tile(tensor, [count] + [1] * (len(tensor.shape) - 1))
