"""Stopped at any moment and started again, training goes on where it was."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from scene_classification.files import write_whole
from scene_classification.training.average import MovingAverage, assign, values_of


class Progress(NamedTuple):
    """How far a stage of training has come.

    Attributes:
        step: Steps done, over all epochs.
        best: Best validation accuracy so far.
        waited: Epochs since then.
    """

    step: int = 0
    best: float = -1.0
    waited: int = 0


class Backup(keras.callbacks.Callback):
    """Keep the state of training in one file, written whole every few steps and every epoch.

    The state is every variable of the network and of its optimizer (the moments of AdamW too), the
    moving average and the `Progress`. With batches that depend on the step's number alone, going on
    from it is the same as never having stopped.

    Args:
        path: The file of the state, ending in `.npz`.
        best_path: The file of the best weights so far, ending in `.weights.h5`.
        network: The model whose variables are kept; a teacher's never change and are left out.
        average: The moving average of its variables, or None.
        steps_per_epoch: Steps in an epoch.
        every: Steps from one backup to the next within an epoch.
        patience: Epochs without a better validation accuracy before training stops; 0: never.
        writes: Whether to write the state: of several machines, one does.
    """

    def __init__(
        self,
        path: Path,
        best_path: Path,
        *,
        network: keras.Model,
        average: MovingAverage | None,
        steps_per_epoch: int,
        every: int,
        patience: int,
        writes: bool = True,
    ) -> None:
        super().__init__()
        self._writes = writes
        self._path, self._best_path = path, best_path
        self._network, self._average = network, average
        self._steps_per_epoch, self._every, self._patience = steps_per_epoch, every, patience
        self.progress = Progress()

    def restore(self, optimizer: keras.optimizers.Optimizer) -> None:
        """Put back what the file holds, if there is one."""
        if not self._path.is_file():
            return
        with np.load(self._path) as state:
            self.progress = Progress(**json.loads(str(state["progress"])))
            variables = [*self._network.variables, *optimizer.variables]
            assign(variables, [state[f"variable{number}"] for number in range(len(variables))])
            if self._average is not None:
                count = len(self._network.variables)
                self._average.step = self.progress.step
                self._average.values = [state[f"average{number}"] for number in range(count)]

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep the state, now that the epoch before is validated and logged."""
        self._save()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Count the step, and keep the state when it is time."""
        step = self.progress.step + 1
        self.progress = self.progress._replace(step=step)
        if step % self._every == 0 and step % self._steps_per_epoch:
            self._save()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep the best weights; stop when nothing has got better for long."""
        accuracy = float((logs or {}).get("val_accuracy", -1.0))
        if accuracy > self.progress.best:
            self._save_best()
            self.progress = self.progress._replace(best=accuracy, waited=0)
        else:
            self.progress = self.progress._replace(waited=self.progress.waited + 1)
        if self.patient_no_more:
            self.model.stop_training = True

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Keep the last state, so that a finished stage is not trained again."""
        self._save()

    @property
    def patient_no_more(self) -> bool:
        """Whether nothing has got better for `patience` epochs."""
        return 0 < self._patience <= self.progress.waited

    def _save_best(self) -> None:
        with contextlib.nullcontext() if self._average is None else self._average.in_place():
            write_whole(self._best_path, self._network.save_weights)

    def _save(self) -> None:
        # Reading the variables of a cluster needs all machines, writing them one.
        variables = values_of([*self._network.variables, *self.model.optimizer.variables])
        if not self._writes:
            return
        state = {f"variable{number}": value for number, value in enumerate(variables)}
        if self._average is not None:
            state |= {
                f"average{number}": value for number, value in enumerate(self._average.values)
            }
        state["progress"] = np.array(json.dumps(self.progress._asdict()))
        write_whole(self._path, lambda path: np.savez(path, allow_pickle=False, **state))
