"""Number the places of a grid of any number of axes, and lay values along its axes."""

from collections.abc import Callable, Sequence
from typing import Any

from keras import ops


def number_of(counts: Sequence[Any]) -> Any:
    """Multiply the numbers of places along each axis; a whole number if all are known."""
    product = counts[0]
    for each in counts[1:]:
        product = product * each
    return product


def at_places(numbers: Any, counts: Sequence[Any], along: Callable[[int, Any], Any]) -> Any:
    """Multiply what holds along each axis.

    Args:
        numbers: Of places, shape (n,), counted along the last axis first.
        counts: How many places there are along each axis.
        along: Maps an axis and places along it, (n,), to values as `on_axis` returns them.

    Returns:
        Shape (n, 1, *size).
    """
    product: Any = 1
    for axis in range(len(counts) - 1, -1, -1):
        product = product * along(axis, numbers % counts[axis])
        numbers = numbers // counts[axis]
    return product


def on_axis(values: Any, axis: int, axes: int) -> Any:
    """Lay values along one of several axes: (n, length) to (n, 1, ..., length, ...)."""
    shape = [ops.shape(values)[0], 1, *[1] * axes]
    shape[2 + axis] = ops.shape(values)[1]
    return ops.reshape(values, shape)


def over_all(values: Any, axes: int) -> Any:
    """Lay one number per copy and image over several axes: (n, batch) to (n, batch, 1, ...)."""
    return ops.reshape(values, (*ops.shape(values), *[1] * axes))
