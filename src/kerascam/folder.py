"""Write one result as a folder: arrays, pictures, and a manifest that comes last."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .files import write_atomically
from .pixels import write_png

ARRAYS, MANIFEST = "arrays.npz", "manifest.json"


def write_folder(
    folder: Path,
    arrays: Mapping[str, np.ndarray],
    pictures: Mapping[str, Sequence[np.ndarray]],
    facts: Mapping[str, Any],
    records: Sequence[Mapping[str, Any]],
) -> Path:
    """Write the files one by one, each whole or not at all, and the manifest when all are there.

    Args:
        folder: Made where it is missing; the pictures of an older result in it are taken away.
        arrays: By name, into one `.npz` file.
        pictures: By kind, one an image, each of shape (height, width, 3), uint8 RGB.
        facts: What the manifest says of the whole.
        records: What it says of each image; the names of its pictures are added.

    Returns:
        The manifest's path.
    """
    folder.mkdir(parents=True, exist_ok=True)
    forget(folder)
    # None of the arrays is called "allow_pickle", the one name that savez takes for itself.
    write_atomically(folder / ARRAYS, lambda file: np.savez_compressed(file, **arrays))  # type: ignore[arg-type]
    explanations = []
    for index, record in enumerate(records):
        names = {kind: f"{index:03d}-{kind}.png" for kind in pictures}
        for kind, name in names.items():
            write_png(folder / name, pictures[kind][index])
        explanations.append({**record, **names})
    content = {**facts, "arrays": ARRAYS, "explanations": explanations}
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    write_atomically(folder / MANIFEST, lambda file: file.write(text.encode()))
    return folder / MANIFEST


def forget(folder: Path) -> None:
    """Take away an older result's manifest, and the pictures that it lists and nothing else."""
    manifest = folder / MANIFEST
    try:
        listed = json.loads(manifest.read_text(encoding="utf-8"))["explanations"]
        names = {name for entry in listed for name in entry.values() if isinstance(name, str)}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        names = set()  # none of ours
    manifest.unlink(missing_ok=True)
    for name in names:
        if name.endswith(".png") and Path(name).name == name:
            (folder / name).unlink(missing_ok=True)


def finite_or_none(number: Any) -> float | None:
    """Give a number that JSON can hold."""
    return float(number) if np.isfinite(number) else None
