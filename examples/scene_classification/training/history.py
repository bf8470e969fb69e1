"""How training went, read back from the logs of a run."""

from __future__ import annotations

import csv
import math
from pathlib import Path

from scene_classification.run_folder import RunFolder

#: The order in which stages train; logs of other names come after them.
ORDER = ("head", "train")

Line = dict[str, float]


def read_history(run: RunFolder) -> dict[str, list[Line]]:
    """Read the lines of every stage, stage by stage and epoch by epoch.

    Args:
        run: The run.

    Returns:
        For each stage's name its lines: by column, NaN where a number is missing. Stages without a
        finished epoch are left out.
    """
    logs = {path.stem: path for path in sorted(run.logs.glob("*.csv"))}
    names = [name for name in ORDER if name in logs]
    names += [name for name in logs if name not in ORDER]
    stages = {name: read_log(logs[name]) for name in names}
    return {name: lines for name, lines in stages.items() if lines}


def read_log(path: Path) -> list[Line]:
    """Read the lines of one stage, in order of epoch.

    A run that was stopped goes on from its last backup and may log an epoch twice: the last line
    counts. A line that was broken off has no readable epoch, or gaps that become NaN.
    """
    by_epoch: dict[float, Line] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, restkey="surplus"):
            line = {name: _number(text) for name, text in row.items() if name != "surplus"}
            if math.isfinite(line.get("epoch", math.nan)):
                by_epoch[line["epoch"]] = line
    return [by_epoch[epoch] for epoch in sorted(by_epoch)]


def _number(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:  # Keras writes NA for what an epoch did not measure.
        return math.nan
