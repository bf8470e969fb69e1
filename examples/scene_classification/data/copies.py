"""Images that are there more than once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from scene_classification.data.examine import Examined


@dataclass(frozen=True)
class Copies:
    """Files that show the same image, pixel by pixel.

    Attributes:
        files: Two or more.
    """

    files: tuple[Examined, ...]

    @property
    def across_splits(self) -> bool:
        """Whether a test image is also a training image."""
        return {"train", "test"} <= {file.split for file in self.files}

    @property
    def two_labels(self) -> bool:
        """Whether the image stands under two classes."""
        return len({file.label for file in self.files} - {-1}) > 1

    @property
    def repeated(self) -> bool:
        """Whether a class has the image more than once to learn from."""
        trained = Counter(file.label for file in self.files if file.split == "train")
        return max(trained.values(), default=0) > 1


def find_copies(files: Iterable[Examined]) -> tuple[Copies, ...]:
    """Group the readable files that show the same image; images that are there once are left out.

    Photographs that were resized or compressed again differ in their pixels and are not found.
    """
    groups: dict[str, list[Examined]] = defaultdict(list)
    for file in files:
        if not file.error:
            groups[file.pixels].append(file)
    return tuple(Copies(tuple(group)) for group in groups.values() if len(group) > 1)
