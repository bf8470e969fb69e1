"""One loop that asks the model many times: bounded memory whatever the count, and two drivers.

The loop is a part of the graph, so that it is compiled and exported with the method; or it is
driven in steps from Python, with progress and Ctrl-C between them. Both give the same numbers.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import tensorflow as tf

from ._types import Images

AT_ONCE = 8 * 224 * 224  # places of all images of a pass: small images share one, large ones do not
MOST_COPIES = 100_000  # of each image: more would be hours, and most likely a mistake


@dataclass
class Steps:
    """A loop that Python drives: the method is traced for one step, or for what comes after all.

    Attributes:
        index: Which pass a step makes; None for what comes after all.
        total: The sum over all passes; None for a step.
        part: What a step adds to the sum; None until a loop is met.
        passes: How many steps there are.
    """

    index: tf.Tensor | None = None
    total: tf.Tensor | None = None
    part: tf.Tensor | None = None
    passes: tf.Tensor | None = None

    def drive(self, one: Callable[[tf.Tensor], tf.Tensor], passes: tf.Tensor) -> tf.Tensor:
        """Make one pass, or return the given sum over all."""
        if self.total is not None:
            self.part = self.total
        else:
            self.part, self.passes = one(self.index), passes
        return self.part


_STEPS: ContextVar[Steps | None] = ContextVar("steps", default=None)


@contextmanager
def in_steps(steps: Steps) -> Iterator[None]:
    """Let the first loop that is met be driven in steps; others stay in the graph."""
    token = _STEPS.set(steps)
    try:
        yield
    finally:
        _STEPS.reset(token)


def mean_over(
    term: Callable[[tf.Tensor], tf.Tensor], count: int, like: tf.Tensor, images: Images
) -> tf.Tensor:
    """Average terms that are numbered from 0 on, as many per pass as `AT_ONCE` allows.

    Args:
        term: Maps numbers, shape (n,), to their terms, shape (n, ...). Random draws take their
            seeds from the numbers, so that a term does not depend on the pass that it is in.
        count: How many terms there are.
        like: One term, for its shape and dtype.
        images: What is copied for each term, shape (batch, *size, channels).

    Returns:
        Of the shape of `like`.
    """
    places = tf.maximum(tf.size(images[..., 0]), 1)
    passes = _upward(count, tf.clip_by_value(AT_ONCE // places, 1, count))
    a_pass = _upward(count, passes)  # as many in each, so that the last is no small one
    passes = _upward(count, a_pass)

    def one(index: tf.Tensor) -> tf.Tensor:
        first = index * a_pass
        return tf.reduce_sum(term(tf.range(first, tf.minimum(first + a_pass, count))), 0)

    steps = _STEPS.get()
    if steps is not None and steps.part is None:
        return steps.drive(one, passes) / count

    def add(index: tf.Tensor, total: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return index + 1, total + one(index)

    _, total = tf.while_loop(
        lambda index, _: index < passes,
        tf.autograph.experimental.do_not_convert(add),
        (tf.constant(0), tf.zeros_like(like)),
        maximum_iterations=count,
        parallel_iterations=1,
    )
    return total / count


def _upward(count: int, parts: tf.Tensor) -> tf.Tensor:
    return (count + parts - 1) // parts
