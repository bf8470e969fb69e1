"""Write an evaluation to a folder: numbers, table, picture, and the page last."""

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .. import files
from ..files import json_bytes, write_atomically
from ..marks import carries
from ..metrics import METRICS
from .page import MARK, page_of, plot_of

PAGE, RESULT, ARRAYS = "evaluation.html", "evaluation.json", "evaluation.npz"
TABLE, PICTURE = "table.md", "evaluation.png"
FORMAT = "kerascam evaluation 1"


def write_evaluation(
    evaluation: Any, folder: Path, title: str, pictures: Mapping[str, bytes]
) -> Path:
    """Write all files; see `Evaluation.save`."""
    check_folder(folder)
    made: dict[str, Callable[[], bytes]] = {
        ARRAYS: lambda: _arrays(evaluation),
        TABLE: lambda: evaluation.table().encode(),
        PICTURE: lambda: plot_of(evaluation),
        RESULT: lambda: json_bytes(summary_of(evaluation)),
        PAGE: lambda: page_of(evaluation, title, pictures).encode("utf-8", "xmlcharrefreplace"),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in made.items():
        _write(folder / name, content())
    return folder / PAGE


def _write(path: Path, content: bytes) -> None:
    write_atomically(path, lambda file: file.write(content))


def check_folder(folder: Path, argument: str = "folder") -> None:
    """Raise if an evaluation may not be written to a folder.

    Args:
        folder: The folder.
        argument: The name of the user's argument, for messages.

    Raises:
        ValueError: If it is a file, or holds a file of one of the names and no page of kerascam's.
    """
    files.check_folder(folder, argument)
    taken = [name for name in (PAGE, RESULT, ARRAYS, TABLE, PICTURE) if (folder / name).exists()]
    if taken and not carries(folder / PAGE, MARK):
        raise ValueError(
            f"{argument} {str(folder)!r} holds {taken[0]}, which kerascam did not write: "
            f"name another, or move the file"
        )


def summary_of(evaluation: Any) -> dict[str, Any]:
    """Return the means, their intervals and all that they depend on, as JSON can hold it."""
    return {
        "format": FORMAT,
        "images": len(evaluation),
        "classes": evaluation.classes.tolist(),
        "methods": list(evaluation.methods),
        "baselines": list(evaluation.baselines),
        "titles": dict(evaluation.titles),
        "resamples": evaluation.resamples,
        "seed": evaluation.seed,
        "notes": list(evaluation.notes),
        "metrics": {
            metric: {
                "higher_is_better": METRICS[metric].higher_is_better,
                "options": {key: repr(value) for key, value in evaluation.options[metric].items()},
                "best": evaluation.best(metric),
                "means": {
                    name: _entry(evaluation.mean(name, metric)) for name in evaluation.subjects
                },
            }
            for metric in evaluation.metrics
        },
        "agreement": [
            {"metrics": list(pair), **_entry(found)}
            for pair, found in evaluation.agreement().items()
        ],
    }


def _entry(found: Any) -> dict[str, Any]:
    values = {key: float(getattr(found, key)) for key in ("value", "low", "high")}
    known = {key: value if np.isfinite(value) else None for key, value in values.items()}
    return {**known, "count": found.count}


def _arrays(evaluation: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        figures=evaluation.figures,
        reasons=evaluation.reasons.astype(str),
        classes=evaluation.classes,
        subjects=np.array(evaluation.subjects),
        metrics=np.array(evaluation.metrics),
    )
    return buffer.getvalue()
