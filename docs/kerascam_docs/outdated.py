"""Draw the figures that are missing or older than what they show."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_SHOWN = (
    "src/kerascam",
    "docs/kerascam_docs",
    "docs/guide/callback.md",  # whose own network a figure shows
    "examples/scene_classification/networks",
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

    newest = max(path.stat().st_mtime for path in _sources())
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    for name, draw in FIGURES.items():
        path = folder / name
        if not path.is_file() or path.stat().st_mtime < newest:
            quality: dict[str, Any] = (
                {"pil_kwargs": {"quality": 88}} if path.suffix == ".jpg" else {}
            )
            draw().savefig(path, dpi=110, bbox_inches="tight", pad_inches=0.1, **quality)
            drawn.append(path)
    return drawn


def _sources() -> Iterator[Path]:
    for shown in (ROOT / each for each in _SHOWN):
        if shown.is_file():
            yield shown
        yield from (path for path in shown.rglob("*") if path.suffix in (".py", ".npz"))
