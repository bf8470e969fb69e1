"""Run a loop inside a graph of TensorFlow's, one pass after the other."""

from collections.abc import Callable

import tensorflow as tf


class InGraph:
    """A driver (see `kerascam.repeat`) that keeps no more than one pass in memory."""

    def total(
        self,
        one: Callable[[tf.Tensor], tf.Tensor],
        passes: tf.Tensor,
        like: tf.Tensor,
        most: int | tf.Tensor,
    ) -> tf.Tensor:
        """Sum the results of the passes."""

        def add(index: tf.Tensor, total: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return index + 1, total + one(index)

        # TensorFlow would run ten passes side by side unless told not to.
        _, total = tf.while_loop(
            lambda index, _: index < passes,
            tf.autograph.experimental.do_not_convert(add),
            (tf.constant(0), tf.zeros_like(like)),
            maximum_iterations=most,
            parallel_iterations=1,
        )
        return total
