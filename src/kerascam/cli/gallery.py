"""The pictures that a run writes, their names, and the page and the manifest of all."""

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from .. import __version__
from ..explain import CONTACT_SHEET, Explanation, ResultFolder
from ..pictures import Look
from .contact_sheet import ContactSheet
from .images import Photo, shown
from .result import Result

_LONGEST = 80  # bytes of a stem or a class name; a file name may have 255
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*]')  # in a file name, on one system or other


class FileNames:
    """Names for the pictures of a run, unique also on file systems that ignore case.

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
    """Return a unique word for each class."""
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


class Gallery:
    """A folder of overlays, with a page that shows them.

    `manifest.json` is written last and removed first: a folder that has one is complete.

    Args:
        folder: Where the files go.
        names: How the pictures are called.
        look: How overlays look.
    """

    def __init__(self, folder: ResultFolder, names: FileNames, look: Look) -> None:
        self.folder = folder
        self._names = names
        self._look = look
        self._sheet = ContactSheet(look)

    def add(self, photo: Photo, explanation: Explanation, index: int) -> Result:
        """Draw heatmap `index` of a batch over its photo, and write the picture.

        Raises:
            NotOursError: If a file that kerascam did not write has its name.
            MemoryError: If the picture is too large for this machine.
            OSError: If the folder cannot be written to.
        """
        self._sheet.add(photo)
        (picture,) = explanation[index].overlay(photo.pixels[None], **vars(self._look))
        class_index = int(explanation.classes[index])
        class_name = explanation.class_name(index)
        file = self._names.picture(photo.path, explanation.method, class_index, class_name)
        self.folder.write_picture(file, picture)
        return Result(
            place=photo.place,
            image=shown(photo.path),
            method=explanation.method,
            layer=explanation.layer,
            class_index=class_index,
            class_name=class_name,
            probability=float(explanation.probabilities[index]),
            score=float(explanation.scores[index]),
            status=explanation.statuses[index],
            signed=explanation.signed,
            file=file,
            notes=(*explanation.notes, *photo.notes),
        )

    def close(
        self,
        facts: dict[str, Any],
        results: Sequence[Result],
        failures: Sequence[tuple[str, str]],
        passed_over: Iterable[tuple[Path, str]],
    ) -> bool:
        """Write page and manifest, unless there is no result and they would replace earlier ones.

        Args:
            facts: What holds for the whole run.
            results: In the order of the images.
            failures: The images that could not be explained, each with the reason.
            passed_over: The images that were not tried, each with the reason.

        Returns:
            Whether they were written.
        """
        if not results and self.folder.holds_result():
            return False
        passed = [(shown(path), reason) for path, reason in passed_over]
        self.folder.write_page(self._sheet.page(facts, results, failures, passed))
        content = {
            "kerascam": __version__,
            **facts,
            "page": CONTACT_SHEET,
            "explanations": [result.entry() for result in results],
            "failures": [{"image": image, "reason": reason} for image, reason in failures],
            "passed_over": [{"image": image, "reason": reason} for image, reason in passed],
        }
        self.folder.write_manifest(content)
        return True


_FIX = "give another --out, or leave it out"


def check_conflicts(
    folder: ResultFolder, names: FileNames, methods: Sequence[str], read: Iterable[Path]
) -> None:
    """Refuse a run whose output would overwrite or remove what it reads.

    Args:
        folder: Where the run writes.
        names: The names of its pictures.
        methods: The methods that it explains by.
        read: All files that it reads: images, the model, the class names.

    Raises:
        ValueError: If there is such a file.
    """
    # By what the paths lead to, so that links of both kinds and case variants count.
    old = {_identity(path) for path in (folder.manifest, folder.page, *folder.old_files())} - {None}
    place = _identity(folder.path)
    for path in read:
        if _identity(path) in old:
            raise ValueError(
                f"{shown(path)} belongs to the earlier result in --out {shown(folder.path)}, "
                f"which this run would replace: {_FIX}"
            )
        for own in {path, Path(os.path.realpath(path))}:
            image = names.image_of(own.name, methods)
            if place is not None and _identity(own.parent) == place and image is not None:
                raise ValueError(
                    f"{shown(path)} has a name that this run may give to a picture of "
                    f"{shown(image)} in --out {shown(folder.path)}: {_FIX}"
                )


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
