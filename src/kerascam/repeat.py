"""One loop that asks the model many times: bounded memory whatever the count, and its drivers.

Whoever runs a method says how its loop is driven: in the graph, so that it is compiled and exported
with the method, or in steps from Python, with progress and Ctrl-C between them. The numbers are the
same.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol, runtime_checkable

import keras
from keras import ops

AT_ONCE = 8 * 224 * 224  # places of all images of a pass: small images share one, large ones do not
_FEATURES_PER_PLACE = 16
MOST_COPIES = 100_000  # of each image: more would be hours, and most likely a mistake


State = tuple[Any, ...]  # tensors
Step = Callable[[Any, State], State]


@runtime_checkable
class Driver(Protocol):
    """Runs a loop."""

    def fold(self, step: Step, state: State, passes: Any, most: Any) -> State:
        """Pass a state through all passes.

        Args:
            step: Maps a pass's number, from 0 on, and the state before it to the state after it,
                of the same shapes and dtypes.
            state: The state before the first pass.
            passes: How many passes there are: a tensor or an int.
            most: A bound on the passes that is known before.
        """


class Plain:
    """Runs a loop by `keras.ops`: the default driver."""

    def fold(self, step: Step, state: State, passes: Any, most: Any) -> State:
        """Pass a state through all passes."""
        _, *found = ops.while_loop(
            lambda index, *_: index < passes,
            lambda index, *state: (index + 1, *step(index, state)),
            (ops.convert_to_tensor(0, "int32"), *state),
            maximum_iterations=most,
        )
        return tuple(found)


_DRIVER: ContextVar[Driver] = ContextVar("driver", default=Plain())  # noqa: B039  # has no state


@contextmanager
def driven_by(driver: Driver) -> Iterator[None]:
    """Let another driver run the loops that are met."""
    token = _DRIVER.set(driver)
    try:
        yield
    finally:
        _DRIVER.reset(token)


def fold(step: Step, state: State, count: int) -> State:
    """Make steps that depend on each other, one per pass.

    Args:
        step: Maps a step's number, from 0 on, and the state before it to the state after it, of the
            same shapes and dtypes.
        state: The state before the first step.
        count: How many steps there are.

    Returns:
        The state after the last step.
    """
    return _DRIVER.get().fold(step, state, count, count)


def mean_over(term: Callable[[Any], Any], count: int | Any, like: Any, values: Any) -> Any:
    """Average terms that are numbered from 0 on; for the arguments see `sum_over`."""
    return sum_over(lambda chosen: ops.sum(term(chosen), 0), count, like, values) / count


def mean_and_error(
    term: Callable[[Any], Any], count: int, like: Any, values: Any
) -> tuple[Any, Any]:
    """Average terms, and return their mean's standard error too; see `sum_over`.

    The error is zero of one term.
    """

    def moments(chosen: Any) -> Any:
        found = term(chosen)
        return ops.stack([ops.sum(found, 0), ops.sum(found**2, 0)])

    both = sum_over(moments, count, ops.stack([like, like]), values) / count
    mean, of_squares = ops.unstack(both, 2)
    return mean, ops.sqrt(ops.relu(of_squares - mean**2) / max(count - 1, 1))


def collect(term: Callable[[Any], Any], count: int | Any, like: Any, values: Any) -> Any:
    """Return terms that are numbered from 0 on; for the arguments see `sum_over`.

    Returns:
        Shape (count, ...), of the dtype of `like`.
    """
    shape = (count, *ops.shape(like))

    def in_place(chosen: Any) -> Any:
        return ops.scatter(chosen[:, None], term(chosen), shape)

    return sum_over(in_place, count, ops.zeros(shape, like.dtype), values)


def sum_over(terms: Callable[[Any], Any], count: int | Any, like: Any, values: Any) -> Any:
    """Sum terms that are numbered from 0 on, as many per pass as `AT_ONCE` allows.

    Args:
        terms: Maps numbers, shape (n,), to the sum of their terms. Random draws take their
            seeds from the numbers, so that a term does not depend on the pass that it is in.
        count: How many terms there are.
        like: One term, for its shape and dtype.
        values: What is copied for each term: images, (batch, *size, channels), or a layer's output.

    Returns:
        Of the shape of `like`.
    """
    # A layer's many features weigh more than the colours of an image.
    places = ops.maximum(ops.size(values[..., 0]), ops.size(values) // _FEATURES_PER_PLACE)
    places = ops.maximum(places, 1)
    passes = _upward(count, ops.clip(AT_ONCE // places, 1, count))
    a_pass = _upward(count, passes)  # as many in each, so that the last is no small one

    def add(index: Any, state: State) -> State:
        first = index * a_pass
        return (state[0] + terms(ops.arange(first, ops.minimum(first + a_pass, count))),)

    (total,) = _DRIVER.get().fold(add, (ops.zeros_like(like),), _upward(count, a_pass), count)
    return total


def _upward(count: Any, parts: Any) -> Any:
    return (count + parts - 1) // parts


class Numbered(keras.random.SeedGenerator):
    """The seed of one draw among many: of the user's seed, and the draw's number.

    It has no state, so that it may be made while a graph is traced.
    """

    def __init__(self, seed: int, number: Any) -> None:
        self._pair = ops.stack([ops.convert_to_tensor(seed, "int32"), number])

    def next(self, ordered: bool = True) -> Any:
        """Return the seed."""
        return self._pair
