"""What a person sees while a step works: one bar for each part of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import keras
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


class Reporter:
    """Draws bars and lines on one console.

    Args:
        console: Where to draw.
    """

    def __init__(self, console: Console) -> None:
        self.console = console

    @contextlib.contextmanager
    def bar(self, what: str, total: int | None) -> Iterator[Callable[[int], None]]:
        """Show a bar for the time of a `with`; call what it yields with the number just done."""
        with _progress(self.console) as progress:
            task = progress.add_task(what, total=total)
            yield lambda count: progress.advance(task, count)

    def title(self, text: str) -> None:
        """Write the title of a step."""
        self.console.print(text, style="bold", markup=False, highlight=False)

    def line(self, text: str) -> None:
        """Write one line."""
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)


class TrainingProgress(keras.callbacks.Callback):
    """A bar over the steps of each epoch, and one line with its figures when it ends.

    Args:
        console: Where to draw.
        stage: Name of the stage.
        epochs: Epochs in all.
        steps: Steps in a whole epoch.
    """

    def __init__(self, console: Console, stage: str, epochs: int, steps: int) -> None:
        super().__init__()
        self._console, self._stage, self._epochs, self._steps = console, stage, epochs, steps

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Start the bar; an epoch that was broken off starts where it was."""
        self._progress = _progress(self._console)
        done = self._steps - int(self.params["steps"])
        self._task = self._progress.add_task(
            f"{self._stage} {epoch + 1}/{self._epochs}", total=self._steps, completed=done
        )
        self._progress.start()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Move the bar."""
        self._progress.advance(self._task)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write the figures of the epoch in place of the bar."""
        self._progress.stop()
        logs = logs or {}
        self._console.print(
            f"  {self._stage} {epoch + 1:>2}/{self._epochs}   "
            f"loss {logs['loss']:.3f}  accuracy {logs['accuracy']:6.1%}   "
            f"held out: {logs['val_loss']:.3f}  {logs['val_accuracy']:6.1%}",
            highlight=False,
            soft_wrap=True,
        )


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("  {task.description}"),
        BarColumn(bar_width=32),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,  # elsewhere it would leave empty lines
    )
