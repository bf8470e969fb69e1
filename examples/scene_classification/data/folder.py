"""Scenes in the folder layout in which the Intel scenes are published."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")


@dataclass(frozen=True)
class Split:
    """Some image files and the classes they stand under.

    Attributes:
        paths: The files, class by class, each class in order of name.
        labels: Class index of each file; −1 if the layout has none.
    """

    paths: tuple[Path, ...]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.paths)

    def take(self, positions: NDArray[np.int64]) -> Split:
        """Return the files at `positions`."""
        return Split(tuple(self.paths[i] for i in positions), self.labels[positions])


@dataclass(frozen=True)
class Scenes:
    """A data set: classes, training and test images, and perhaps unlabelled ones.

    Attributes:
        root: The folder that holds `seg_train`, `seg_test` and perhaps `seg_pred`.
        classes: Class names in order of class index.
        train: Labelled images to learn from.
        test: Labelled images to measure on.
        unlabelled: Images without a class.
    """

    root: Path
    classes: tuple[str, ...]
    train: Split
    test: Split
    unlabelled: Split

    def __len__(self) -> int:
        return len(self.train) + len(self.test) + len(self.unlabelled)

    def mask_path(self, image: Path) -> Path | None:
        """Return the file of the evidence mask of a test image, or None if there is none."""
        path = self.root / "seg_test_masks" / image.parent.name / f"{image.stem}.png"
        return path if path.is_file() else None


def read_folder(root: Path) -> Scenes:
    """List the images of a folder in the published layout.

    The layout is `seg_train/seg_train/<class>/*.jpg`, `seg_test/seg_test/<class>/*.jpg` and
    `seg_pred/seg_pred/*.jpg`; the doubled folder may be single. The classes are the folders below
    `seg_train`, in alphabetical order. Nothing is decoded here.

    Args:
        root: The folder.

    Raises:
        FileNotFoundError: If `root` or one of the two labelled splits is missing or empty.
        ValueError: If the two splits hold different classes.
    """
    if not root.is_dir():
        raise FileNotFoundError(
            f"data={str(root)!r} is not a folder; give the folder that holds seg_train and seg_test"
        )
    train, test = (_split_folder(root, name) for name in ("seg_train", "seg_test"))
    classes = _class_names(train)
    if _class_names(test) != classes:
        raise ValueError(
            f"seg_train has the classes {list(classes)} and seg_test {list(_class_names(test))}; "
            "both must hold one folder for each class"
        )
    unlabelled = root / "seg_pred"
    files = _images(unlabelled / "seg_pred") or _images(unlabelled)
    return Scenes(
        root,
        classes,
        _labelled(train, classes),
        _labelled(test, classes),
        Split(files, np.full(len(files), -1)),
    )


def validation_split(split: Split, share: float, seed: int) -> tuple[Split, Split]:
    """Hold out the same share of every class.

    Args:
        split: Labelled images.
        share: Share to hold out, between 0 and 1.
        seed: The seed of the choice.

    Returns:
        The images to train on and those to validate on.

    Raises:
        ValueError: If `share` leaves one of the two without an image of some class.
    """
    generator = np.random.default_rng(seed)
    held: list[NDArray[np.int64]] = []
    for label in np.unique(split.labels):
        positions = np.flatnonzero(split.labels == label)
        count = max(1, round(share * len(positions))) if share > 0 else 0
        if not 0 < count < len(positions):
            raise ValueError(
                f"validation_share={share} holds out {count} of {len(positions)} images of class "
                f"{label}; every class needs at least one image on either side"
            )
        held.append(generator.permutation(positions)[:count])
    validation = np.sort(np.concatenate(held))
    training = np.setdiff1d(np.arange(len(split)), validation)
    return split.take(training), split.take(validation)


def _split_folder(root: Path, name: str) -> Path:
    for folder in (root / name / name, root / name):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(
        f"data={str(root)!r} holds no {name}; expected {name}/{name}/<class>/*.jpg below it"
    )


def _class_names(folder: Path) -> tuple[str, ...]:
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and _images(entry))
    if len(names) < 2:
        raise FileNotFoundError(
            f"{str(folder)!r} holds {len(names)} folders with images; expected one for each class"
        )
    return tuple(names)


def _labelled(folder: Path, classes: tuple[str, ...]) -> Split:
    files = [_images(folder / name) for name in classes]
    labels = np.repeat(np.arange(len(classes)), [len(group) for group in files])
    return Split(tuple(path for group in files for path in group), labels)


def _images(folder: Path) -> tuple[Path, ...]:
    if not folder.is_dir():
        return ()
    return tuple(sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES))
