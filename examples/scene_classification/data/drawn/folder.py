"""A folder of drawn scenes in the layout in which the Intel scenes are published."""

import json
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from scene_classification.classes import CLASSES
from scene_classification.data.drawn.scene import SMALLEST, draw_scene

# Rises when the drawings change, so that older folders are drawn again.
VERSION = 1

UNLABELLED = 12

_RECORD = "drawn.json"
_PARTS = ("seg_train", "seg_test", "seg_pred", "seg_test_masks")
_TRAIN, _TEST, _UNLABELLED = range(3)
# OpenCV works outside of Python's lock; what Python does between leaves nothing to a third thread.
_THREADS = 2


class _Job(NamedTuple):
    """One image to draw: the seed sequence's key, the class, and the files to write."""

    key: tuple[int, int, int]
    class_name: str
    image: Path
    mask: Path | None


def write_drawn_scenes(
    folder: Path,
    *,
    train: int = 400,
    test: int = 100,
    size: int = 96,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Path:
    """Draw a data set, unless the folder holds it already.

    It has `seg_train/seg_train/<class>/00000.png`, `seg_test/seg_test/<class>/00000.png`, the test
    images' evidence as black and white `seg_test_masks/<class>/00000.png`, and twelve images of
    unnamed classes, `seg_pred/seg_pred/00000.png`. Each image depends on the seed, its split, class
    and number alone, not on how many others there are.

    All is drawn beside the folder and renamed at the end: a stop leaves the folder as it was.

    Args:
        folder: The folder to write to; made with its parents. What was drawn there
            with other settings is removed.
        train: Training images of each class.
        test: Test images of each class.
        size: Height and width of an image, in pixels.
        seed: The seed of the whole data set.
        progress: Called in this thread with 1 after each image.

    Returns:
        The folder.

    Raises:
        ValueError: For a count below 1, a size below 32, a negative seed, or a folder that holds
            anything but drawn scenes.
    """
    folder = Path(folder)
    settings = {"version": VERSION, "train": train, "test": test, "size": size, "seed": seed}
    for name, least in (("train", 1), ("test", 1), ("size", SMALLEST), ("seed", 0)):
        if settings[name] < least:
            raise ValueError(f"{name} must be at least {least}, got {settings[name]}")
    _check_own(folder)
    if _is_complete(folder, settings):
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as beside:
        fresh = Path(beside) / "new"
        _draw(_plan(fresh, train, test, seed), size, seed, progress)
        record = json.dumps(settings, indent=2) + "\n"
        (fresh / _RECORD).write_text(record, encoding="utf-8")
        if folder.exists():
            folder.rename(Path(beside) / "old")
        fresh.rename(folder)
    return folder


def _check_own(folder: Path) -> None:
    # A folder that is replaced must hold nothing that someone else would miss.
    if not folder.exists():
        return
    found = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else [folder.name]
    strange = sorted(set(found) - {_RECORD, *_PARTS})
    if strange or (found and _RECORD not in found):
        raise ValueError(
            f"folder={str(folder)!r} holds {(strange or found)[0]!r}, which is no drawn scene; "
            "name a new or an empty folder"
        )


def _is_complete(folder: Path, settings: dict[str, int]) -> bool:
    try:
        if json.loads((folder / _RECORD).read_text(encoding="utf-8")) != settings:
            return False
    except (FileNotFoundError, ValueError):
        return False
    jobs = _plan(folder, settings["train"], settings["test"], settings["seed"])
    expected = {path for job in jobs for path in (job.image, job.mask) if path}
    return expected <= set(folder.glob("**/*.png"))


def _plan(folder: Path, train: int, test: int, seed: int) -> list[_Job]:
    jobs = []
    for split, part, count in ((_TRAIN, "seg_train", train), (_TEST, "seg_test", test)):
        for label, name in enumerate(CLASSES):
            for number in range(count):
                file = Path(name) / f"{number:05}.png"
                mask = folder / "seg_test_masks" / file if split == _TEST else None
                jobs.append(_Job((split, label, number), name, folder / part / part / file, mask))
    # The unlabelled are of classes in an order that their numbers do not tell.
    order = np.random.default_rng(seed).permutation(UNLABELLED) % len(CLASSES)
    for number, label in enumerate(order.tolist()):
        file = folder / "seg_pred" / "seg_pred" / f"{number:05}.png"
        jobs.append(_Job((_UNLABELLED, label, number), CLASSES[label], file, None))
    return jobs


def _draw(jobs: list[_Job], size: int, seed: int, progress: Callable[[int], None] | None) -> None:
    for parent in {path.parent for job in jobs for path in (job.image, job.mask) if path}:
        parent.mkdir(parents=True)
    pool = ThreadPoolExecutor(_THREADS)
    try:
        for _ in pool.map(lambda job: _write(job, size, seed), jobs):
            if progress is not None:
                progress(1)
    finally:
        pool.shutdown(cancel_futures=True)


def _write(job: _Job, size: int, seed: int) -> None:
    sequence = np.random.SeedSequence(seed, spawn_key=job.key)
    scene = draw_scene(job.class_name, np.random.default_rng(sequence), size=size)
    _write_png(job.image, scene.image[..., ::-1])
    if job.mask is not None:
        _write_png(job.mask, scene.mask.astype(np.uint8) * 255)


def _write_png(path: Path, pixels: NDArray[np.uint8]) -> None:
    # Encoded in memory, because OpenCV cannot open every path that Python can.
    _, data = cv2.imencode(".png", pixels)
    path.write_bytes(data.tobytes())
