"""Name the pictures that a run writes."""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from .images import shown

_LONGEST = 80  # bytes of a stem or a class name; a file name may have 255
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*]')  # in a file name, on one system or other


class FileNames:
    """Names for the pictures of a run, unique also where case makes no difference.

    Args:
        images: All image files; of those with one stem, the second gets a 2, and so on.
        class_names: The class names; two that look alike in a file name are told apart by index.
    """

    def __init__(self, images: Iterable[Path], class_names: Sequence[str] | None = None) -> None:
        self._words = _words(class_names or ())
        self._stems: dict[Path, str] = {}
        taken: set[str] = set()
        for image in images:
            own = _short(_FORBIDDEN.sub("_", shown(image.stem)))
            stem, number = own, 1
            while _same(stem) in taken:
                number += 1
                stem = f"{own}-{number}"
            taken.add(_same(stem))
            self._stems[image] = stem

    def picture(self, image: Path, method: str, class_index: int, class_name: str) -> str:
        """Name the picture of one image, method and class."""
        if class_index < len(self._words):
            word = self._words[class_index]
        else:
            word = _unlike(slug(class_name), class_index, self._words)
        return f"{self._stems[image]}.{method}.{word}.png"

    def image_of(self, name: str, methods: Iterable[str]) -> Path | None:
        """Find the image of which a picture may get this name, for some class."""
        name = _same(name)
        starts = tuple(f".{method}." for method in methods)
        for image, stem in self._stems.items():
            rest = name.removeprefix(_same(stem))
            # A method and a word, which hold no dot.
            if rest.startswith(starts) and rest.endswith(".png") and rest.count(".") == 3:
                return image
        return None


def slug(name: str) -> str:
    """Word a class name so that it can stand in a file name.

    >>> slug("Egyptian cat"), slug("tench, Tinca tinca")
    ('egyptian-cat', 'tench-tinca-tinca')
    """
    return _short(re.sub(r"[\W_]+", "-", name.casefold())).strip("-")


def _words(class_names: Sequence[str]) -> list[str]:
    """Give each class a word of its own."""
    slugs = [slug(name) for name in class_names]
    unique = {word for word, count in Counter(slugs).items() if word and count == 1}
    words: list[str] = []
    for index, word in enumerate(slugs):
        words.append(word if word in unique else _unlike(word, index, unique.union(words, [word])))
    return words


def _unlike(word: str, index: int, others: Collection[str]) -> str:
    """Add the class's index to a word that is empty or that others have, until none has it."""
    while not word or word in others:
        word = f"{word}-{index}".lstrip("-")
    return word


def _same(name: str) -> str:
    """Return what two names share that some file system takes for one."""
    return unicodedata.normalize("NFC", name).casefold()


def _short(text: str) -> str:
    return text.encode()[:_LONGEST].decode(errors="ignore")
