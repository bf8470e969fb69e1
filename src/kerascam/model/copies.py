"""One question asked of several copies of a batch, together or one after the other."""

from collections.abc import Callable, Sequence

import tensorflow as tf

from .._types import ClassIds

Ask = Callable[[Sequence[tf.Tensor], ClassIds, tf.Tensor], tf.Tensor]


def at_copies(
    ask: Ask,
    inputs: Sequence[tf.Tensor],
    classes: ClassIds,
    copies: tf.Tensor,
    *,
    together: bool,
    dtype: tf.DType,
) -> tf.Tensor:
    """Ask of each copy of the values.

    Args:
        ask: Maps inputs, classes and values of one batch size to one answer per image.
        inputs: The model's inputs, of the batch, and what else goes with each image.
        classes: Shape (batch,).
        copies: Shape (copies, batch, ...).
        together: Whether model and target take them as one larger batch; else one copy is taken
            after the other.
        dtype: The answers' dtype.

    Returns:
        Shape (copies, batch, ...).
    """
    if not together:
        return tf.map_fn(
            tf.autograph.experimental.do_not_convert(lambda values: ask(inputs, classes, values)),
            copies,
            fn_output_signature=dtype,
            parallel_iterations=1,
        )
    count = tf.shape(copies)[0]
    repeated = [_repeat(tensor, count) for tensor in inputs]
    values = tf.reshape(copies, tf.concat([[-1], tf.shape(copies)[2:]], 0))
    values = tf.ensure_shape(values, [None, *copies.shape[2:]])
    found = ask(repeated, _repeat(classes, count), values)
    return tf.reshape(found, tf.concat([tf.shape(copies)[:2], tf.shape(found)[1:]], 0))


def _repeat(tensor: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    return tf.tile(tensor, [count] + [1] * (len(tensor.shape) - 1))
