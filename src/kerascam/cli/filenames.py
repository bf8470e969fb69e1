"""Name the pictures that a run writes."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from .images import shown

_LONGEST = 80  # bytes of a stem or a class name; a file name may have 255


class FileNames:
    """Names for the pictures of a run, unique also where case makes no difference.

    Args:
        images: All image files; of those with one stem, the second gets a 2, and so on.
        labels: The class names; two that look alike in a file name are told apart by index.
    """

    def __init__(self, images: Iterable[Path], labels: Sequence[str] | None = None) -> None:
        self._slugs = Counter(slug(name) for name in labels or ())
        self._stems: dict[Path, str] = {}
        taken: set[str] = set()
        for image in images:
            own = _short(shown(image.stem))
            stem, number = own, 1
            while stem.casefold() in taken:
                number += 1
                stem = f"{own}-{number}"
            taken.add(stem.casefold())
            self._stems[image] = stem

    def picture(self, image: Path, method: str, class_index: int, class_name: str) -> str:
        """Name the picture of one image, method and class."""
        word = slug(class_name)
        if not word or self._slugs[word] > 1:
            word = f"{word}-{class_index}".lstrip("-")
        return f"{self._stems[image]}.{method}.{word}.png"


def slug(name: str) -> str:
    """Word a class name so that it can stand in a file name.

    >>> slug("Egyptian cat"), slug("tench, Tinca tinca")
    ('egyptian-cat', 'tench-tinca-tinca')
    """
    return _short(re.sub(r"[\W_]+", "-", name.casefold())).strip("-")


def _short(text: str) -> str:
    return text.encode()[:_LONGEST].decode(errors="ignore")
