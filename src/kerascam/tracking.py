"""Experiment trackers: figures and pictures of a step, in the run that is under way.

Each is imported when it is asked for, if it is installed; none of them is needed.
"""

import importlib.util
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from .errors import brief
from .optional import package_for


class Picture(NamedTuple):
    """A picture with what it shows.

    Attributes:
        pixels: Shape (height, width, 3), uint8 RGB.
        title: A few words.
    """

    pixels: NDArray[np.uint8]
    title: str


@runtime_checkable
class Tracker(Protocol):
    """A place for figures and pictures."""

    def open(self) -> None:
        """Make the place ready."""

    def log(self, step: int, figures: Mapping[str, float], pictures: Mapping[str, Picture]) -> None:
        """Log what is there at a step, so that it is kept if the process is killed right after."""

    def close(self) -> None:
        """Release what `open` took."""


class TensorBoard:
    """TensorBoard's event files, in a run of their own.

    Args:
        log_dir: The folder that TensorBoard is shown, here or on a remote file system.
        run: The name of the run in it.

    Raises:
        ModuleNotFoundError: If TensorBoard is not installed.
    """

    def __init__(self, log_dir: str, run: str) -> None:
        if importlib.util.find_spec("tensorboard") is None:
            raise ModuleNotFoundError(
                f"log_dir={log_dir!r} needs the package 'tensorboard'; pip install tensorboard"
            )
        import tensorflow as tf

        # No Path: it would make one slash of the two in "gs://bucket".
        self._folder = tf.io.gfile.join(log_dir, run)
        self._writer: Any = None

    def open(self) -> None:
        """Begin an event file."""
        import tensorflow as tf

        self.close()  # that of a training that was broken off
        self._writer = tf.summary.create_file_writer(self._folder)

    def log(self, step: int, figures: Mapping[str, float], pictures: Mapping[str, Picture]) -> None:
        """Write scalars and images, and flush."""
        import tensorflow as tf

        # Keras's own callback may leave recording switched off between its steps.
        with self._writer.as_default(step=step), tf.summary.record_if(True):
            for name, picture in pictures.items():
                tf.summary.image(name, picture.pixels[None])
            for name, figure in figures.items():
                tf.summary.scalar(name, figure)
        self._writer.flush()

    def close(self) -> None:
        """End the event file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


class Mlflow:
    """MLflow's active run, or the one that it begins.

    Args:
        steps: What steps are called; MLflow needs no name for them.

    Raises:
        ModuleNotFoundError: If MLflow is not installed.
    """

    def __init__(self, steps: str) -> None:
        del steps
        self._mlflow = package_for('trackers="mlflow"', "mlflow")

    def open(self) -> None:
        """Do nothing: MLflow begins a run with the first figure, if there is none."""

    def log(self, step: int, figures: Mapping[str, float], pictures: Mapping[str, Picture]) -> None:
        """Log both at the step, as MLflow's own callback does."""
        self._mlflow.log_metrics(dict(figures), step=step)
        for name, picture in pictures.items():
            self._mlflow.log_image(picture.pixels, key=name, step=step)

    def close(self) -> None:
        """Do nothing: the run is the user's."""


class Wandb:
    """The run of Weights & Biases that the user began.

    Args:
        steps: What steps are called, such as "explanations/epoch": figures are drawn over them.

    Raises:
        ModuleNotFoundError: If wandb is not installed.
    """

    def __init__(self, steps: str) -> None:
        self._wandb, self._steps = package_for('trackers="wandb"', "wandb"), steps

    def open(self) -> None:
        """Have figures and pictures drawn over the steps.

        Raises:
            ValueError: If no run is under way.
        """
        if self._wandb.run is None:
            raise ValueError('trackers="wandb" needs a run: call wandb.init() first')
        self._wandb.run.define_metric(self._steps)

    def log(self, step: int, figures: Mapping[str, float], pictures: Mapping[str, Picture]) -> None:
        """Log both."""
        found = {
            name: self._wandb.Image(picture.pixels, caption=picture.title)
            for name, picture in pictures.items()
        }
        found |= figures
        for name in found:
            self._wandb.run.define_metric(name, step_metric=self._steps)
        self._wandb.run.log({**found, self._steps: step})

    def close(self) -> None:
        """Do nothing: the run is the user's."""


_TRACKERS: dict[str, Any] = {"mlflow": Mlflow, "wandb": Wandb}


def trackers_of(given: Any, steps: str) -> list[Tracker]:
    """Return the trackers that the user names.

    Args:
        given: A name, several, or None.
        steps: What steps are called.

    Raises:
        ModuleNotFoundError: If one is not installed.
        TypeError: If it is no name.
        ValueError: If there is none of that name.
    """
    names = [] if given is None else [given] if isinstance(given, str) else given
    if not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"trackers must be names, such as 'mlflow', not {brief(given)}")
    for name in names:
        if name not in _TRACKERS:
            known = " or ".join(map(repr, _TRACKERS))
            raise ValueError(f"trackers must be {known}, not {brief(name)}")
    return [_TRACKERS[name](steps) for name in dict.fromkeys(names)]
