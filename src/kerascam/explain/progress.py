"""How far a long call has come: what users give as `progress`."""

import sys
import time
from collections.abc import Callable
from typing import Any

import keras

from ..errors import brief

Progress = Callable[[int, int], Any]

PATIENCE = 2.0  # seconds that a call may take before it shows itself


def conform_progress(progress: Any, unit: str = "pass") -> Progress | None:
    """Return the function that `progress` stands for.

    Args:
        progress: The user's.
        unit: What is counted, in a word.

    Raises:
        TypeError: If it is neither a function, True, False nor None.
    """
    if progress is None:
        return Bar(PATIENCE, unit) if is_watched() else None
    if progress is True or progress is False:
        return Bar(0.0, unit) if progress else None
    if not callable(progress):
        raise TypeError(
            f"progress must be True, False, None or a function of the passes made and of all "
            f"passes, not {brief(progress)}"
        )
    return progress


def silent(made: int, passes: int) -> None:
    """Show nothing."""


def is_watched() -> bool:
    """Say whether what is printed is read by a person at once: on a terminal, or in a notebook."""
    return "ipykernel" in sys.modules or bool(sys.stdout and sys.stdout.isatty())


class Bar:
    """A progress bar that appears after some seconds.

    Args:
        patience: How many.
        unit: What is counted, in a word.
    """

    def __init__(self, patience: float, unit: str) -> None:
        self._unit, self._patience, self._start = unit, patience, time.monotonic()
        self._bar: keras.utils.Progbar | None = None

    def __call__(self, made: int, passes: int) -> None:
        """Show how many are made, of all; of 0 if that is not known."""
        waits = made == passes or time.monotonic() - self._start < self._patience
        if self._bar is None and self._patience and waits:
            return
        self._bar = self._bar or keras.utils.Progbar(passes or None, unit_name=self._unit)
        self._bar.update(made)
