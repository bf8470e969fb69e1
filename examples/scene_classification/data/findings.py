"""The report on a run's data: `data.json` and pictures of samples, problems and counts."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from scene_classification.config import Config
from scene_classification.data.audit import Audit
from scene_classification.data.folder import Scenes, Split, validation_split
from scene_classification.data.pictures import (
    draw_counts,
    draw_evidence,
    draw_problems,
    draw_samples,
)
from scene_classification.data.seen import draw_seen
from scene_classification.files import write_text
from scene_classification.pictures.saving import save
from scene_classification.run_folder import RunFolder


def report_data(scenes: Scenes, audit: Audit, config: Config, run: RunFolder) -> dict[str, Any]:
    """Write `data.json` and the pictures of the data.

    Args:
        scenes: The data set that was audited, cleaned or not.
        audit: What was found.
        config: The run's settings.
        run: Where to write.

    Returns:
        What `data.json` holds: `"audit"` (see `Audit.to_json`), `"used"` (images of each class that
        are trained, validated and tested on; only the last where an existing network is measured),
        `"unused"` (those of the training split that it leaves, by class, and the number of
        unlabelled ones) and `"pictures"` (files below the run's folder; a picture with nothing to
        show is not there).
    """
    scenes = audit.clean(scenes)
    pictures = {
        "counts": draw_counts(audit),
        "samples": draw_samples(scenes, config.seed),
        "evidence": draw_evidence(scenes, config.seed),
        "problems": draw_problems(audit),
        "augmented": None if config.model is not None else draw_seen(scenes, config),
    }
    report = {
        "source": config.source,
        "audit": audit.to_json(),
        **_use(scenes, config),
        "pictures": {
            name: f"pictures/{name}.png" for name, figure in pictures.items() if figure is not None
        },
    }
    for name, figure in pictures.items():
        _write(figure, run, name)
    write_text(run.root / "data.json", json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    return report


def _use(scenes: Scenes, config: Config) -> dict[str, dict[str, Any]]:
    used, unused = {"test": scenes.test}, {}
    if config.model is None:
        training, validation = validation_split(scenes.train, config.validation_share, config.seed)
        used = {"training": training, "validation": validation, **used}
    else:
        unused = {"training": scenes.train}

    def counts(splits: dict[str, Split]) -> dict[str, Any]:
        return {name: _counts(split, scenes.classes) for name, split in splits.items()}

    return {
        "used": counts(used),
        "unused": {**counts(unused), "unlabelled": len(scenes.unlabelled)},
    }


def _counts(split: Split, classes: tuple[str, ...]) -> dict[str, int]:
    counts = np.bincount(split.labels, minlength=len(classes)).tolist()
    return dict(zip(classes, counts, strict=True))


def _write(figure: Figure | None, run: RunFolder, name: str) -> None:
    path = run.pictures / f"{name}.png"
    if figure is None:
        path.unlink(missing_ok=True)  # of an earlier report on other data
    else:
        save(figure, path)
