"""Ask the model many times: as many copies in a pass as fit, memory bounded whatever the count."""

from collections.abc import Callable

import tensorflow as tf

from .._types import GradientFunction, Images

AT_ONCE = 8 * 224 * 224  # places of all images of a pass: small images share one, large ones do not
MOST_COPIES = 100_000  # of each image: more would be hours, and most likely a mistake


def mean_over_copies(
    gradient: GradientFunction,
    copies: Callable[[tf.Tensor], tf.Tensor],
    images: Images,
    count: int,
) -> Images:
    """Average the gradient over copies of the images, as many a pass as `AT_ONCE` allows.

    Args:
        gradient: Maps copies of the images, shape (copies, batch, *size, channels), to gradients.
        copies: Maps numbers of copies, from 0 on, to these copies of the images.
        images: The images.
        count: How many copies there are.
    """
    places = tf.maximum(tf.size(images[..., 0]), 1)
    passes = _upward(count, tf.clip_by_value(AT_ONCE // places, 1, count))
    a_pass = _upward(count, passes)  # as many in each, so that the last is no small one

    def add(first: tf.Tensor, total: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        chosen = tf.range(first, tf.minimum(first + a_pass, count))
        return first + a_pass, total + tf.reduce_sum(gradient(copies(chosen)), 0)

    # A loop in the graph: bounded memory whatever the count, and one trace of the model.
    _, total = tf.while_loop(
        lambda first, _: first < count,
        tf.autograph.experimental.do_not_convert(add),
        (tf.constant(0), tf.zeros_like(images)),
        maximum_iterations=count,
        parallel_iterations=1,
    )
    return total / count


def _upward(count: int, parts: tf.Tensor) -> tf.Tensor:
    return (count + parts - 1) // parts
