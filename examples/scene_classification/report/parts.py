"""What a run folder holds for its report; a part that is not there is None."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from scene_classification.config import Config
from scene_classification.networks.which import network_of
from scene_classification.run_folder import RunFolder
from scene_classification.training.history import Line, read_history


class Parts(NamedTuple):
    """The findings of a run.

    Attributes:
        config: Its settings.
        data: What `data.findings.report_data` wrote.
        history: The lines of each stage of training; empty when nothing was trained.
        network: What `evaluation.network.describe_network` wrote of the run's network, if it is a
            residual network.
        metrics: What `evaluation.step.evaluate` wrote of the run's network.
        explanations: What `explanation.step.explain` wrote of the run's network.
        surveyed: What `explanation.survey.survey` wrote of the run's network.
        photographs: What `explanation.photographs.explain_photographs` returned.
        served: What `deploying.rehearse` returned.
    """

    config: Config | None
    data: dict[str, Any] | None
    history: dict[str, list[Line]]
    network: dict[str, Any] | None
    metrics: dict[str, Any] | None
    explanations: dict[str, Any] | None
    surveyed: dict[str, Any] | None
    photographs: dict[str, Any] | None
    served: dict[str, Any] | None

    @property
    def classes(self) -> list[str]:
        """The class names in order of class index, or none when no part tells them."""
        if self.metrics is not None:
            return list(self.metrics["classes"])
        return [] if self.data is None else list(self.data["audit"]["classes"])


def read_parts(run: RunFolder) -> Parts:
    """Read what is there.

    Raises:
        ValueError: If one of the files is no JSON.
    """
    names = ("data", "network", "metrics", "explanations", "surveyed", "photographs", "served")
    found = {name: _read(run.root / f"{name}.json") for name in names}
    config = Config.read(run.config) if _read(run.config) is not None else None
    for name in ("network", "metrics", "explanations", "surveyed"):
        found[name] = _of_this_network(found[name], config)
    return Parts(config=config, history=read_history(run), **found)


def _of_this_network(found: dict[str, Any] | None, config: Config | None) -> dict[str, Any] | None:
    """Leave out findings of the network that the run measured before its settings changed."""
    if found is None or config is None:
        return found
    own = network_of(config)
    return found if found.get("network", own) == own else None


def _read(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"{path.name} of this run is no JSON object: {error}; run the step that writes it again"
        ) from error
