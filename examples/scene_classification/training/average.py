"""A moving average of the weights (Polyak and Juditsky, 1992): steadier than the weights."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray


class MovingAverage(keras.callbacks.Callback):
    """Average a network's variables while it trains, and validate with the average.

    After every `every` steps, a ← m^every · a + (1 − m^every) · v, batch statistics included, with
    m no higher than (1 + t) / (10 + t) at the t-th of them, so that the first weights are soon
    forgotten.

    Args:
        network: The model whose variables are averaged.
        momentum: m, between 0 and 1.
        every: Steps from one update to the next.
    """

    def __init__(self, network: keras.Model, momentum: float, *, every: int = 8) -> None:
        super().__init__()
        self._network, self._momentum, self._every = network, momentum**every, every
        self._stack = contextlib.ExitStack()
        self.values = values_of(network.variables)
        self.step = 0

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Move the average towards the weights, when it is time."""
        self.step += 1
        if self.step % self._every:
            return
        updates = self.step // self._every
        momentum = min(self._momentum, (1 + updates) / (10 + updates))
        for average, value in zip(self.values, values_of(self._network.variables), strict=True):
            if np.issubdtype(average.dtype, np.floating):
                average += (1 - momentum) * (value - average)

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Validate the average."""
        self._stack.enter_context(self.in_place())

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        """Train on with the weights."""
        self._stack.close()

    @contextlib.contextmanager
    def in_place(self) -> Iterator[None]:
        """Hold the average in the network, and the weights aside, for the time of a `with`."""
        aside = values_of(self._network.variables)
        assign(self._network.variables, self.values)
        try:
            yield
        finally:
            assign(self._network.variables, aside)


def values_of(variables: list[Any]) -> list[NDArray[Any]]:
    """Return copies of variables as arrays."""
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]


def assign(variables: list[Any], values: list[NDArray[Any]]) -> None:
    """Put arrays into variables."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
