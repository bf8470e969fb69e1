"""Where everything of one run is kept."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scene_classification.config import Config
from scene_classification.files import remove_unfinished


@dataclass(frozen=True)
class RunFolder:
    """The files of a run below one folder.

    Attributes:
        root: The folder; made when missing.
        chief: Where several machines train together, the folder of the one that keeps what all of
            them share: the state to go on from, the best weights, the network. It must be on a disk
            that all of them see. None on that machine itself, and where one trains alone.
    """

    root: Path
    chief: Path | None = None

    def __post_init__(self) -> None:
        for folder in (self.logs, self.weights, self.pictures):
            folder.mkdir(parents=True, exist_ok=True)

    @property
    def writes(self) -> bool:
        """Whether this machine keeps what all share."""
        return self.chief is None

    @property
    def config(self) -> Path:
        """The settings."""
        return self.root / "config.json"

    @property
    def logs(self) -> Path:
        """Folder of the logs."""
        return self.root / "logs"

    @property
    def tensorboard(self) -> Path:
        """Folder to point TensorBoard at."""
        return self.logs / "tensorboard"

    @property
    def weights(self) -> Path:
        """Folder of the training states and the best weights."""
        return (self.chief or self.root) / "weights"

    @property
    def pictures(self) -> Path:
        """Folder of the pictures."""
        return self.root / "pictures"

    @property
    def lesson(self) -> Path:
        """What the network is trained on."""
        return self.root / "lesson.json"

    @property
    def model(self) -> Path:
        """The trained network."""
        return (self.chief or self.root) / "model.keras"

    @property
    def models(self) -> Path:
        """Folder of the exported models, for a model server."""
        return self.root / "models"

    @property
    def exported(self) -> Path:
        """Which network each exported version is of."""
        return self.root / "exported.json"

    @property
    def survey(self) -> Path:
        """Folder of the survey of all test images."""
        return self.root / "survey"

    @property
    def report(self) -> Path:
        """The report."""
        return self.root / "report.html"

    def log(self, stage: str) -> Path:
        """Return the table of losses and accuracies of a stage, one line an epoch."""
        return self.logs / f"{stage}.csv"

    def state(self, stage: str) -> Path:
        """Return the state that a stage goes on from."""
        return self.weights / f"{stage}.npz"

    def best_weights(self, stage: str) -> Path:
        """Return the weights of the best validation accuracy of a stage."""
        return self.weights / f"{stage}.weights.h5"

    def own_best_weights(self, stage: str) -> Path:
        """Return where this machine writes them; what all go on with is the first machine's."""
        return self.root / "weights" / self.best_weights(stage).name

    @property
    def trained(self) -> bool:
        """Whether training has at least begun."""
        return self.model.exists() or any(self.weights.glob("*.npz"))


#: Settings that may change behind training: where things lie, and on what machines it runs.
FREE = {"data", "strategy"}


def open_run(root: Path, options: dict[str, Any]) -> tuple[RunFolder, Config]:
    """Open a run, or begin one, and settle its settings.

    Args:
        root: The folder of the run.
        options: Settings given now; the others are the run's own, or the defaults of a new run.

    Returns:
        The folder and the settings, which are written into it.

    Raises:
        ValueError: If a setting is not what it should be, or training has begun with another.
    """
    saved = root / "config.json"
    before = Config.read(saved) if saved.exists() else Config()
    config = before.updated(options)
    run = _folder(root, config.strategy)
    remove_unfinished(run.root)
    changed = [name for name, value in asdict(before).items() if getattr(config, name) != value]
    said = ", ".join(f"{name}={getattr(before, name)!r}" for name in changed if name not in FREE)
    if run.trained and said:
        raise ValueError(
            f"run={str(root)!r} was trained with {said}; leave that setting out, or choose another "
            "--run for another training"
        )
    config.write(run.config)
    return run, config


def _folder(root: Path, strategy: str) -> RunFolder:
    """Return a machine's own folder; the first of a cluster has the run's."""
    if strategy != "multiworker":
        return RunFolder(root)
    described = json.loads(os.environ.get("TF_CONFIG", "{}"))
    task = described.get("task", {"type": "worker", "index": 0})
    first = "chief" if "chief" in described.get("cluster", {}) else "worker"
    if (task["type"], task["index"]) == (first, 0):
        return RunFolder(root)
    return RunFolder(root / f"{task['type']}{task['index']}", chief=root)
