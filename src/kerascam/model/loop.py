"""Run a loop inside a graph of TensorFlow's, one pass after the other."""

from collections.abc import Callable

import tensorflow as tf

Tensors = tuple[tf.Tensor, ...]


class InGraph:
    """A driver (see `kerascam.repeat`) that keeps no more than one pass in memory.

    Attributes:
        met: Whether it met a loop.
    """

    met = False

    def fold(
        self,
        step: Callable[[tf.Tensor, Tensors], Tensors],
        state: Tensors,
        passes: int | tf.Tensor,
        most: int | tf.Tensor,
    ) -> Tensors:
        """Pass a state through all passes."""
        self.met = True

        def one(index: tf.Tensor, *before: tf.Tensor) -> Tensors:
            return (index + 1, *step(index, before))

        # TensorFlow would run ten passes side by side unless told not to.
        _, *found = tf.while_loop(
            lambda index, *_: index < passes,
            tf.autograph.experimental.do_not_convert(one),
            (tf.constant(0), *state),
            maximum_iterations=most,
            parallel_iterations=1,
        )
        return tuple(found)
