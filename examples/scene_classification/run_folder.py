"""Where everything of one run is kept."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scene_classification.config import Config


@dataclass(frozen=True)
class RunFolder:
    """The files of a run below one folder.

    Attributes:
        root: The folder; made when missing.
    """

    root: Path

    def __post_init__(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        for folder in (self.logs, self.weights, self.pictures):
            folder.mkdir(exist_ok=True)

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
        return self.root / "weights"

    @property
    def pictures(self) -> Path:
        """Folder of the pictures."""
        return self.root / "pictures"

    @property
    def model(self) -> Path:
        """The trained network."""
        return self.root / "model.keras"

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

    @property
    def trained(self) -> bool:
        """Whether training has at least begun."""
        return self.model.exists() or any(self.weights.iterdir())


def open_run(root: Path, options: dict[str, Any]) -> tuple[RunFolder, Config]:
    """Open a run, or begin one, and settle its settings.

    Args:
        root: The folder of the run.
        options: Settings given now; the others are the run's own, or the defaults of a new run.

    Returns:
        The folder and the settings, which are written into it.

    Raises:
        ValueError: If training has begun with other settings than those given now.
    """
    run = RunFolder(root / f"worker{_worker()}" if _worker() else root)
    before = Config.read(run.config) if run.config.exists() else Config()
    config = before.updated(options)
    changed = [name for name, value in asdict(before).items() if getattr(config, name) != value]
    # Where the data lies may change; what was learned from it may not.
    if run.trained and set(changed) - {"data"}:
        said = ", ".join(f"{name}={getattr(before, name)!r}" for name in changed)
        raise ValueError(
            f"run={str(root)!r} was trained with {said}; leave that setting out, or choose another "
            "--run for another training"
        )
    config.write(run.config)
    return run, config


def _worker() -> int:
    """Return the number of this process among the machines of a cluster; 0 writes the results."""
    cluster = json.loads(os.environ.get("TF_CONFIG", "{}"))
    return int(cluster.get("task", {}).get("index", 0))
