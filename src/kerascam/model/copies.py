"""The gradient at several copies of a batch, together or one after the other."""

from collections.abc import Callable, Sequence

import tensorflow as tf

from .._types import ClassIds, Images

Gradient = Callable[[Sequence[tf.Tensor], ClassIds, Images], Images]


def at_copies(
    gradient: Gradient,
    inputs: Sequence[tf.Tensor],
    classes: ClassIds,
    copies: tf.Tensor,
    *,
    together: bool,
) -> tf.Tensor:
    """Differentiate the score by each copy of the images.

    Args:
        gradient: Maps inputs, classes and images of one batch size to the images' gradient.
        inputs: The model's inputs, of the batch.
        classes: Shape (batch,).
        copies: Shape (copies, batch, *size, channels).
        together: Whether model and target take them as one larger batch; else one copy is taken
            after the other.

    Returns:
        Shape (copies, batch, *size, channels).
    """
    if not together:
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
