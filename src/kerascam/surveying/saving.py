"""Write a study to a folder: its numbers, and the page last."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from .looks import Cluster
from .page import MARK, page_of
from .store import json_bytes, write_durably

PAGE, RESULT = "survey.html", "study.json"
FORMAT = "kerascam study 1"


def write_study(study: Any, folder: Path, title: str) -> Path:
    """Write all files; see `Study.save`."""
    check_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_durably(folder / RESULT, json_bytes(summary_of(study)))
    page = page_of(study, title)
    write_durably(folder / PAGE, page.encode("utf-8", "xmlcharrefreplace"))
    return folder / PAGE


def check_folder(folder: Path) -> None:
    """Raise if a study may not be written to a folder.

    Raises:
        ValueError: If it is a file, or holds a file of one of the names and no page of kerascam's.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"folder {str(folder)!r} is a file: name a folder, or a new one")
    page = folder / PAGE
    own = page.is_file() and MARK.encode() in page.read_bytes()[:1000]
    taken = [name for name in (PAGE, RESULT) if (folder / name).exists()]
    if PAGE in taken and not own:
        raise ValueError(
            f"folder {str(folder)!r} holds {PAGE}, which kerascam did not write: name another, or "
            f"move the file"
        )


def summary_of(study: Any) -> dict[str, Any]:
    """Return what was found, as JSON can hold it, with images by their names."""
    keys = study.survey.column("key")

    def named(images: Sequence[int] | np.ndarray) -> list[str]:
        return [str(keys[index]) for index in images]

    def cluster(each: Cluster) -> dict[str, Any]:
        return {
            "by": each.by,
            "share": each.share,
            "accuracy": _known(each.accuracy),
            "heat": {name: _known(value) for name, value in each.heat.items()},
            "mean_map": np.round(each.mean_map, 5).tolist(),
            "images": named(each.images),
        }

    return {
        "format": FORMAT,
        "images": len(study.survey),
        "notes": list(study.notes),
        "suspects": [
            {
                "kind": each.kind,
                "class": each.index,
                "class_name": each.name,
                "share": each.share,
                "centre": each.centre and list(each.centre),
                "effect": asdict(each.effect),
                "sentence": each.sentence,
                "images": named(each.images),
            }
            for each in study.suspects
        ],
        "classes": [
            {
                "class": look.index,
                "class_name": look.name,
                "images": len(look.images),
                "accuracy": _known(look.accuracy),
                "heat": {name: _known(value) for name, value in look.heat.items()},
                "mean_map": np.round(look.mean_map, 5).tolist(),
                "typical": named(look.typical),
                "odd": named(look.odd),
                "clusters": list(map(cluster, look.clusters)),
            }
            for look in study.classes
        ],
    }


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value
