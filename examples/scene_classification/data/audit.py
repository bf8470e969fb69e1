"""What is wrong with a data set: found, counted and, where training would suffer, left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from scene_classification.data.copies import Copies, find_copies
from scene_classification.data.examine import SPLITS, Examined, examine
from scene_classification.data.folder import Scenes, Split

#: The largest class may have this many times the images of the smallest before it is flagged.
IMBALANCE = 1.5

UNREADABLE = "unreadable"
IN_TEST = "copy in the test split"
OTHER_LABEL = "copy under another label"
SAME_CLASS = "copy in the same class"
REASONS = (UNREADABLE, IN_TEST, OTHER_LABEL, SAME_CLASS)


def audit(scenes: Scenes, *, progress: Callable[[int], None] | None = None) -> Audit:
    """Decode every file of a data set and note what is wrong.

    Args:
        scenes: The data set.
        progress: Called with 1 after each file.
    """
    return Audit(scenes.root, scenes.classes, examine(scenes, progress))


@dataclass(frozen=True)
class Audit:
    """All files of a data set, examined, and what follows from it.

    Attributes:
        root: The folder that paths are given below.
        classes: Class names in order of class index.
        files: Every file: training, test, then unlabelled.
    """

    root: Path
    classes: tuple[str, ...]
    files: tuple[Examined, ...]

    @cached_property
    def unreadable(self) -> tuple[Examined, ...]:
        """The files that cannot be decoded."""
        return tuple(file for file in self.files if file.error)

    @cached_property
    def sizes(self) -> list[tuple[tuple[int, int], int]]:
        """Each height and width in pixels and its number of images, the most common first."""
        return Counter(file.size for file in self.files if file.size is not None).most_common()

    @cached_property
    def odd_sizes(self) -> tuple[Examined, ...]:
        """The images of another size than the most common one."""
        return tuple(file for file in self.files if file.size and file.size != self.sizes[0][0])

    @cached_property
    def copies(self) -> tuple[Copies, ...]:
        """The images that are there more than once."""
        return find_copies(self.files)

    @cached_property
    def dropped(self) -> dict[Path, str]:
        """Why `clean` leaves out each of the files that it leaves out.

        Nothing readable is taken from the test split: results stay comparable with those of others
        who measure on it.
        """
        reasons = {file.path: UNREADABLE for file in self.unreadable}
        for copies in self.copies:
            trained = [file.path for file in copies.files if file.split == "train"]
            if copies.across_splits or copies.two_labels:
                reason = IN_TEST if copies.across_splits else OTHER_LABEL
                reasons.update(dict.fromkeys(trained, reason))
            else:
                reasons.update(dict.fromkeys(trained[1:], SAME_CLASS))
        return reasons

    def clean(self, scenes: Scenes) -> Scenes:
        """Leave out what would harm training.

        That is unreadable files of every split and, of the training split, images with an exact
        copy in the test split or under another label. Of copies in one class the first is kept:
        one to learn from and one to validate on would make validation too kind.

        Args:
            scenes: The data set that was audited, or a part of it.

        Raises:
            ValueError: If a class loses all its images of a labelled split.
        """
        train, test = (self._clean(split) for split in (scenes.train, scenes.test))
        for name, split in (("training", train), ("test", test)):
            left = set(split.labels.tolist())
            lost = [each for label, each in enumerate(scenes.classes) if label not in left]
            if lost:
                raise ValueError(
                    f"no usable image of class {lost[0]!r} is left in the {name} split of "
                    f"{str(self.root)!r}; mend or replace its files"
                )
        return Scenes(scenes.root, scenes.classes, train, test, self._clean(scenes.unlabelled))

    def _clean(self, split: Split) -> Split:
        kept = [number for number, path in enumerate(split.paths) if path not in self.dropped]
        return split.take(np.array(kept, np.int64))

    def counts(self, split: str) -> dict[str, int]:
        """Return the number of files of each class of a split."""
        labels = Counter(file.label for file in self.files if file.split == split)
        return {name: labels[label] for label, name in enumerate(self.classes)}

    def imbalance(self) -> dict[str, Any]:
        """Compare the largest class of the training split with the smallest."""
        counts = self.counts("train")
        largest, smallest = (pick(counts, key=counts.__getitem__) for pick in (max, min))
        ratio = counts[largest] / counts[smallest]
        return {
            "ratio": ratio,
            "largest": largest,
            "smallest": smallest,
            "threshold": IMBALANCE,
            "flagged": ratio > IMBALANCE,
        }

    def lines(self) -> list[str]:
        """Return the findings in words, one sentence a line."""
        found = self.to_json()
        counts, copies, imbalance = found["counts"], found["copies"], found["imbalance"]
        train, test = (sum(counts[split].values()) for split in ("train", "test"))
        left_out = Counter(self.dropped.values())
        flag = "" if imbalance["flagged"] else "not "
        balance = (
            f"{imbalance['largest']} has {imbalance['ratio']:.2f} times the training images of "
            f"{imbalance['smallest']}: {flag}out of balance"
        )
        if imbalance["ratio"] == 1:
            balance = "all classes have the same number of training images"
        return [
            f"{train:,} images to train on, {test:,} to test on, "
            f"{counts['unlabelled']:,} unlabelled",
            balance,
            f"unreadable files: {len(self.unreadable)}, left out",
            f"images of another size than most: {len(self.odd_sizes)}, resized",
            f"images there more than once: {copies['images']}, {copies['two_labels']} under two "
            f"labels, {copies['across_splits']} in training and test, "
            f"{copies['repeated']} repeated in a training class",
            "training images left out: "
            + ", ".join(f"{left_out[why]} with a {why}" for why in REASONS if why != UNREADABLE),
        ]

    def to_json(self) -> dict[str, Any]:
        """Return all findings as what JSON can hold; paths are relative to the root."""
        sizes = [{**_size(size), "images": count} for size, count in self.sizes]
        return {
            "classes": list(self.classes),
            "counts": {
                "train": self.counts("train"),
                "test": self.counts("test"),
                "unlabelled": sum(file.split == "unlabelled" for file in self.files),
            },
            "imbalance": self.imbalance(),
            "unreadable": [{**self._name(file), "reason": file.error} for file in self.unreadable],
            "sizes": sizes,
            "odd_sizes": [{**self._name(file), **_size(file.size)} for file in self.odd_sizes],
            "copies": {
                "images": len(self.copies),
                "harmless": sum(map(_harmless, self.copies)),
                "across_splits": sum(each.across_splits for each in self.copies),
                "two_labels": sum(each.two_labels for each in self.copies),
                "repeated": sum(each.repeated for each in self.copies),
                "groups": [self._group(each) for each in self.copies],
            },
            "dropped": self._dropped(),
        }

    def _group(self, copies: Copies) -> dict[str, Any]:
        return {
            "across_splits": copies.across_splits,
            "two_labels": copies.two_labels,
            "repeated": copies.repeated,
            "files": [self._name(file) for file in copies.files],
        }

    def _dropped(self) -> dict[str, Any]:
        files = [file for file in self.files if file.path in self.dropped]
        named = [{**self._name(file), "reason": self.dropped[file.path]} for file in files]
        counts = Counter((each["split"], each["reason"]) for each in named)
        return {
            **{name: {why: counts[name, why] for why in REASONS} for name in SPLITS},
            "files": named,
        }

    def _name(self, file: Examined) -> dict[str, Any]:
        label = None if file.label < 0 else self.classes[file.label]
        path = file.path.relative_to(self.root).as_posix()
        return {"path": path, "split": file.split, "class": label}


def _harmless(copies: Copies) -> bool:
    return not (copies.across_splits or copies.two_labels or copies.repeated)


def _size(size: tuple[int, int] | None) -> dict[str, int]:
    height, width = size or (0, 0)
    return {"height": height, "width": width}
