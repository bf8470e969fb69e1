"""Experiment trackers: the pictures and figures of an epoch, in the run that is under way.

Each is imported when the callback is made, if it is installed; none of them is needed.
"""

from collections.abc import Sequence
from typing import Any

from ..errors import brief
from ..optional import package_for
from .records import Page, Record, pictures_of, scalars_of


class Mlflow:
    """MLflow's active run, or the one that it begins.

    Raises:
        ModuleNotFoundError: If MLflow is not installed.
    """

    def __init__(self) -> None:
        self._mlflow = package_for('trackers="mlflow"', "mlflow")

    def open(self) -> None:
        """Do nothing: MLflow begins a run with the first figure, if there is none."""

    def write(self, page: Page) -> None:
        """Log figures and overlays, with the epoch as the step, as MLflow's own callback does."""
        self._mlflow.log_metrics(scalars_of(page), step=page.epoch)
        for name, overlay in pictures_of(page).items():
            self._mlflow.log_image(overlay, key=name, step=page.epoch)

    def close(self) -> None:
        """Do nothing: the run is the user's."""


class Wandb:
    """The run of Weights & Biases that the user began.

    Raises:
        ModuleNotFoundError: If wandb is not installed.
    """

    def __init__(self) -> None:
        self._wandb = package_for('trackers="wandb"', "wandb")

    def open(self) -> None:
        """Have figures and pictures drawn over the epochs.

        Raises:
            ValueError: If no run is under way.
        """
        if self._wandb.run is None:
            raise ValueError('trackers="wandb" needs a run: call wandb.init() before fit')
        self._wandb.run.define_metric("explanations/epoch")

    def write(self, page: Page) -> None:
        """Log figures and overlays."""
        titles = page.explanation.titles()
        found = {
            name: self._wandb.Image(overlay, caption=title)
            for (name, overlay), title in zip(pictures_of(page).items(), titles, strict=True)
        }
        found |= scalars_of(page)
        for name in found:
            self._wandb.run.define_metric(name, step_metric="explanations/epoch")
        self._wandb.run.log({**found, "explanations/epoch": page.epoch})

    def close(self) -> None:
        """Do nothing: the run is the user's."""


TRACKERS: dict[str, type[Record]] = {"mlflow": Mlflow, "wandb": Wandb}


def trackers_of(given: Any) -> list[Record]:
    """Return the trackers that the user names.

    Args:
        given: A name, several, or None.

    Raises:
        ModuleNotFoundError: If one is not installed.
        TypeError: If it is no name.
        ValueError: If there is none of that name.
    """
    names = [] if given is None else [given] if isinstance(given, str) else given
    if not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"trackers must be names, such as 'mlflow', not {brief(given)}")
    for name in names:
        if name not in TRACKERS:
            known = " or ".join(map(repr, TRACKERS))
            raise ValueError(f"trackers must be {known}, not {brief(name)}")
    return [TRACKERS[name]() for name in dict.fromkeys(names)]
