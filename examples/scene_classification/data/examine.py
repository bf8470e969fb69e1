"""Looking at every file of a data set once: can it be decoded, how large is it, what does it show.

Files are decoded by the very function that training decodes them with, so what is readable here is
readable there.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import tensorflow as tf

from scene_classification.data.batches import read_image
from scene_classification.data.folder import Scenes

SPLITS = ("train", "test", "unlabelled")


@dataclass(frozen=True)
class Examined:
    """What is known of one file.

    Attributes:
        path: The file.
        split: `"train"`, `"test"` or `"unlabelled"`.
        label: Class index; −1 for an unlabelled image.
        size: Height and width in pixels; None for an unreadable file.
        pixels: SHA-256 of size and decoded pixels. Unlike that of the bytes of the file, it is the
            same for copies whose headers differ or that were losslessly packed again, and such
            copies are one image to a network. Empty for an unreadable file.
        error: Why the file is unreadable; empty for one that is readable.
    """

    path: Path
    split: str
    label: int
    size: tuple[int, int] | None = None
    pixels: str = ""
    error: str = ""


def examine(scenes: Scenes, progress: Callable[[int], None] | None = None) -> tuple[Examined, ...]:
    """Look at every file of a data set, several at a time.

    Args:
        scenes: The data set.
        progress: Called in this thread with 1 after each file.
    """
    found = []
    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        for file in pool.map(_examine, _listed(scenes)):
            found.append(file)
            if progress is not None:
                progress(1)
    finally:
        pool.shutdown(cancel_futures=True)
    return tuple(found)


def _listed(scenes: Scenes) -> Iterator[Examined]:
    for name in SPLITS:
        split = getattr(scenes, name)
        for path, label in zip(split.paths, split.labels.tolist(), strict=True):
            yield Examined(path, name, label)


def _examine(file: Examined) -> Examined:
    try:
        image = read_image(str(file.path)).numpy()
    except tf.errors.OpError as error:
        return Examined(file.path, file.split, file.label, error=_reason(error, file.path))
    size = (image.shape[0], image.shape[1])
    pixels = hashlib.sha256(f"{size}".encode() + image.tobytes()).hexdigest()
    return Examined(file.path, file.split, file.label, size, pixels)


def _reason(error: tf.errors.OpError, path: Path) -> str:
    """Return TensorFlow's message without the names of its operations and of the file."""
    message = re.sub(r"\{\{.*?\}\}|\[Op:.*", "", error.message)
    return message.replace(f"{path}; ", "").strip(" .")
