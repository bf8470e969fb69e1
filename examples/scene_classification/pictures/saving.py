"""Figures as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from scene_classification.files import write_whole

#: Dots per inch.
RESOLUTION = 150


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG on white, whole or not at all."""
    options: dict[str, Any] = {"dpi": RESOLUTION, "facecolor": "white", "bbox_inches": "tight"}
    write_whole(path, lambda unfinished: figure.savefig(unfinished, **options))
