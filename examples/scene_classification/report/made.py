"""How a run was made: its settings, the command lines that repeat it, and the versions."""

from __future__ import annotations

import dataclasses
import shlex
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from scene_classification.config import PATHS, Config

PROGRAM = "python -m scene_classification"
STEPS = ("data", "train", "evaluate", "explain", "survey", "report")
PACKAGES = ("kerascam", "keras", "tensorflow")
#: Stands for where a file lies: a report may travel, and its reader has other folders.
ELSEWHERE = "path/to/"


def settings(config: Config) -> list[dict[str, Any]]:
    """Return each setting's name, value and meaning, and whether it was left at its default."""
    default = Config()
    return [
        {
            "name": field.name.replace("_", "-"),
            "value": "none" if getattr(config, field.name) is None else _shown(config, field.name),
            "meaning": field.metadata["explanation"],
            "changed": getattr(config, field.name) != getattr(default, field.name),
        }
        for field in dataclasses.fields(config)
    ]


def commands(config: Config | None, folder: str) -> dict[str, str]:
    """Return the command line of each step, and that of `run` with all settings to repeat it.

    Args:
        config: The settings, if they are known.
        folder: That of the run, as `from_here` names it.

    Example:
        >>> commands(Config(), "runs/my scenes")["run"]
        "python -m scene_classification run --run 'runs/my scenes'"
    """
    lines = {step: f"{PROGRAM} {step} --run {shlex.quote(folder)}" for step in (*STEPS, "run")}
    changed = [] if config is None else [one for one in settings(config) if one["changed"]]
    options = [f"--{one['name']} {_quoted(one['value'])}" for one in changed]
    return lines | {"run": " \\\n    ".join([lines["run"], *options])}


def from_here(folder: Path) -> str:
    """Name a folder from the current one, where commands are typed, if it lies below that.

    Of one elsewhere only the last name is shown: a report may be shared, and says nothing of
    its maker's machine.
    """
    here, folder = Path.cwd(), folder.resolve()
    return folder.relative_to(here).as_posix() if folder.is_relative_to(here) else folder.name


def versions() -> dict[str, str]:
    """Return the versions of the packages that made the report."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # TensorFlow goes by other names on some machines.
            continue
    return found


def _shown(config: Config, name: str) -> str:
    value = str(getattr(config, name))
    if name in PATHS and Path(value).is_absolute():
        return f"{ELSEWHERE}{Path(value).name}"
    return value


def _quoted(value: str) -> str:
    start = ELSEWHERE if value.startswith(ELSEWHERE) else ""
    return start + shlex.quote(value.removeprefix(start))
