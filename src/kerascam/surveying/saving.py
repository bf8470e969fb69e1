"""Write a study to a folder: its numbers, and the page last."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from .. import files
from ..explain import finite_or_none
from ..files import json_bytes, parse_json, write_durably
from ..marks import carries
from .looks import Cluster
from .page import MARK, page_of

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
        ValueError: If it is a file, or holds one of the names that kerascam did not write.
    """
    files.check_folder(folder, "folder")
    own = {PAGE: carries(folder / PAGE, MARK), RESULT: _is_result(folder / RESULT)}
    for name, written in own.items():
        if (folder / name).exists() and not written:
            raise ValueError(
                f"folder {str(folder)!r} holds {name}, which kerascam did not write: name another, "
                f"or move the file"
            )


def _is_result(path: Path) -> bool:
    try:
        content = parse_json(path.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.get("format") == FORMAT


def summary_of(study: Any) -> dict[str, Any]:
    """Return what was found, as JSON can hold it, with images by their names."""
    keys = study.survey.column("key")

    def named(images: Sequence[int] | np.ndarray) -> list[str]:
        return [str(keys[index]) for index in images]

    def cluster(each: Cluster) -> dict[str, Any]:
        return {
            "by": each.by,
            "share": each.share,
            "accuracy": finite_or_none(each.accuracy),
            "heat": {name: finite_or_none(value) for name, value in each.heat.items()},
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
                "accuracy": finite_or_none(look.accuracy),
                "heat": {name: finite_or_none(value) for name, value in look.heat.items()},
                "mean_map": np.round(look.mean_map, 5).tolist(),
                "typical": named(look.typical),
                "odd": named(look.odd),
                "clusters": list(map(cluster, look.clusters)),
            }
            for look in study.classes
        ],
    }
