"""Which network each exported version of a run is of: a server's folder does not say it."""

from __future__ import annotations

import json
from typing import Any

from scene_classification.files import write_text
from scene_classification.run_folder import RunFolder


def note_exported(run: RunFolder, version: str, network: str) -> None:
    """Note which network an exported version is of, as `which.network_of` names it."""
    noted = _read(run) | {version: network}
    write_text(run.exported, json.dumps(noted, indent=2) + "\n")


def exported_network(run: RunFolder, version: str) -> str | None:
    """Return which network an exported version is of; None if that was not noted."""
    network = _read(run).get(version)
    return network if isinstance(network, str) else None


def _read(run: RunFolder) -> dict[str, Any]:
    try:
        noted = json.loads(run.exported.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # not there, or no JSON: then it is not known
        return {}
    return noted if isinstance(noted, dict) else {}
