"""Where the scenes come from: drawn here, read from a folder, or downloaded from Kaggle."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scene_classification.classes import CLASSES
from scene_classification.config import Config
from scene_classification.data.drawn import UNLABELLED, write_drawn_scenes
from scene_classification.data.folder import Scenes, read_folder
from scene_classification.run_folder import RunFolder

#: The Intel scenes on Kaggle.
KAGGLE_DATA_SET = "puneet6060/intel-image-classification"

Progress = Callable[[int], None]


def open_scenes(config: Config, run: RunFolder, progress: Progress | None = None) -> Scenes:
    """Make the scenes of a run ready and list them.

    Args:
        config: The run's settings; `source` names one of `SOURCES`.
        run: Scenes are drawn below its folder when `config.data` is None.
        progress: Called with 1 after each scene drawn.

    Raises:
        ValueError: If `source` is unknown, or needs a folder and has none.
        FileNotFoundError: If a folder lacks what `read_folder` expects.
        ModuleNotFoundError: If `source` is `"kaggle"` and kagglehub is not installed.
        ConnectionError: If Kaggle cannot be reached or refuses.
    """
    if config.source not in SOURCES:
        raise ValueError(f"source={config.source!r} is unknown; choose one of {sorted(SOURCES)}")
    return read_folder(SOURCES[config.source](config, run, progress))


def scenes_to_make(config: Config) -> int | None:
    """Return how many scenes `open_scenes` will report, or None if that is not known before."""
    if config.source != "drawn":
        return None
    return len(CLASSES) * (config.drawn_train + config.drawn_test) + UNLABELLED


def _drawn(config: Config, run: RunFolder, progress: Progress | None) -> Path:
    return write_drawn_scenes(
        run.root / "data" if config.data is None else Path(config.data),
        train=config.drawn_train,
        test=config.drawn_test,
        size=config.image_size,
        seed=config.seed,
        progress=progress,
    )


def _folder(config: Config, run: RunFolder, progress: Progress | None) -> Path:
    if config.data is None:
        raise ValueError(
            "source='folder' needs a folder and data is None; give the folder that holds seg_train "
            "and seg_test with --data FOLDER"
        )
    return Path(config.data)


def _kaggle(config: Config, run: RunFolder, progress: Progress | None) -> Path:
    try:
        kagglehub: Any = importlib.import_module("kagglehub")
    except ImportError as error:
        raise ModuleNotFoundError(
            "source='kaggle' needs kagglehub, which is not installed; pip install kagglehub",
            name="kagglehub",
        ) from error
    try:
        return Path(kagglehub.dataset_download(KAGGLE_DATA_SET))
    # Whatever it is (kagglehub's own, requests', the file system's), there is one way round it.
    except Exception as error:
        raise ConnectionError(
            f"source='kaggle' could not download {KAGGLE_DATA_SET!r}: "
            f"{type(error).__name__}: {error}; download the zip by hand from "
            f"https://www.kaggle.com/datasets/{KAGGLE_DATA_SET}, unpack it and use "
            "--source folder --data FOLDER"
        ) from error


#: Each makes its scenes ready and returns the folder that holds them.
SOURCES: dict[str, Callable[[Config, RunFolder, Progress | None], Path]] = {
    "drawn": _drawn,
    "folder": _folder,
    "kaggle": _kaggle,
}
