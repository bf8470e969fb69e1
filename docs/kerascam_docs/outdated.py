"""Make the figures and the output of commands that are missing or older than what they show."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib.image
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from kerascam_docs import sessions

ROOT = Path(__file__).resolve().parents[2]
_SHOWN = (
    "src/kerascam",
    "docs/kerascam_docs",
    "docs/guide/callback.md",  # whose own network a figure shows
    "examples/scene_classification/networks",
    "examples/scene_classification/pictures",
    "examples/scene_classification/reference",
)


def draw_outdated(folder: Path) -> list[Path]:
    """Draw what is out of date.

    Args:
        folder: Where figures lie.

    Returns:
        The files that were drawn.
    """
    from kerascam_docs.figures import FIGURES  # without TensorFlow, until one is drawn

    newest = _newest()
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    for name, draw in FIGURES.items():
        path = folder / name
        if _is_older(path, newest):
            _write(path, draw())
            drawn.append(path)
    return drawn


def record_outdated(folder: Path) -> bool:
    """Run the commands of the command line's page again, if what they printed is out of date.

    Args:
        folder: Where it lies.

    Returns:
        Whether they ran.
    """
    newest = _newest()
    files = [folder / sessions.file_of(command) for command in sessions.SESSIONS]
    if not any(_is_older(path, newest) for path in files):
        return False
    sessions.record(folder)
    return True


def _write(path: Path, drawn: Figure | NDArray[np.uint8]) -> None:
    quality: dict[str, Any] = {"pil_kwargs": {"quality": 88}} if path.suffix == ".jpg" else {}
    if isinstance(drawn, Figure):
        drawn.savefig(path, dpi=110, bbox_inches="tight", pad_inches=0.1, **quality)
    else:
        matplotlib.image.imsave(path, drawn, **quality)


def _is_older(path: Path, newest: float) -> bool:
    return not path.is_file() or path.stat().st_mtime < newest


def _newest() -> float:
    return max(path.stat().st_mtime for path in _sources())


def _sources() -> Iterator[Path]:
    for shown in (ROOT / each for each in _SHOWN):
        if shown.is_file():
            yield shown
        yield from (path for path in shown.rglob("*") if path.suffix in (".py", ".npz"))
