"""One result in one folder: pictures, perhaps arrays or a page, and a manifest that comes last.

Other files of the folder are the user's. A file is removed only if the folder's own manifest lists
it as one that kerascam wrote and the file itself carries kerascam's mark; it is overwritten
only if it carries the mark. Without the manifest, as after a run that was killed, nothing is
removed.
"""

import json
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np

from ..files import check_folder, json_bytes, write_atomically
from ..marks import check_free, is_marked, mark_zip
from ..pictures import encode_png

ARRAYS, CONTACT_SHEET, MANIFEST = "arrays.npz", "index.html", "manifest.json"

#: What a manifest of this kind says under "format": the sign that kerascam wrote it.
FORMAT = "kerascam folder 1"

# The keys of an entry that name pictures; all others hold texts, such as the image's own name.
_PICTURES = ("file", "heatmap", "overlay")
_START = f'{{\n  "format": "{FORMAT}"'.encode()
_LARGE = 2**24  # bytes: what somebody else wrote is not parsed if it is larger


class ResultFolder:
    """A folder for one result, which may hold an older one.

    The older result stays whole until the first file of the new one is complete.

    Args:
        path: Made when the first file is written.
        argument: The name of the user's argument, for messages.

    Attributes:
        path: The folder.
        argument: As given.

    Raises:
        ValueError: If it is a file, or holds a manifest that is not kerascam's or is of a version
            that did not mark its files.
    """

    def __init__(self, path: Path, argument: str = "folder") -> None:
        self.path, self.argument = path, argument
        self._cleared = False
        check_folder(path, argument)
        self.old_files()

    @property
    def manifest(self) -> Path:
        """The manifest's path."""
        return self.path / MANIFEST

    @property
    def page(self) -> Path:
        """The path of the page that shows all pictures."""
        return self.path / CONTACT_SHEET

    def holds_result(self) -> bool:
        """Tell whether an older result is there, which the next file would replace."""
        return not self._cleared and self.manifest.exists()

    def old_files(self) -> list[Path]:
        """Find the pictures and the page of the older result, which the new one replaces.

        Raises:
            ValueError: If the manifest is not kerascam's.
        """
        manifest = _read(self)
        entries = manifest.get("explanations")
        listed = [entry for entry in entries if isinstance(entry, dict)] if entries else []
        names = dict.fromkeys(
            name for entry in listed for key in _PICTURES if _is_name(name := entry.get(key))
        )
        pages = [CONTACT_SHEET] if manifest.get("page") == CONTACT_SHEET else []
        return [self.path / name for name in (*names, *pages) if is_marked(self.path / name)]

    def check_free(self, name: str) -> None:
        """Raise if a file of this name may not be written.

        Raises:
            NotOursError: If something is there that kerascam did not write.
        """
        check_free(self.path / name, self.argument)

    def write_picture(self, name: str, image: np.ndarray) -> None:
        """Write a picture.

        Args:
            name: A file name that ends in .png.
            image: Shape (height, width, 3), uint8 RGB.

        Raises:
            NotOursError: If something of this name is there that kerascam did not write.
            OSError: If the folder cannot be written to.
        """
        self._write(name, encode_png(image))

    def write_page(self, page: str) -> None:
        """Write the page that shows all pictures, after them.

        Args:
            page: As HTML, with the mark.

        Raises:
            NotOursError: If something of its name is there that kerascam did not write.
            OSError: If the folder cannot be written to.
        """
        self._write(CONTACT_SHEET, page.encode("utf-8", "xmlcharrefreplace"))

    def write_arrays(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Write arrays by name into one `.npz` file.

        Raises:
            NotOursError: If something of its name is there that kerascam did not write.
            OSError: If the folder cannot be written to.
        """

        def write(file: Any) -> None:
            # No array is called "allow_pickle", the one name that savez takes for itself.
            np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
            mark_zip(file)

        self.check_free(ARRAYS)
        self.path.mkdir(parents=True, exist_ok=True)
        write_atomically(self.path / ARRAYS, write, ready=self._clear)

    def write_manifest(self, content: Mapping[str, Any]) -> Path:
        """Write the manifest, after all other files.

        Args:
            content: What JSON can hold; "explanations" is a list with a dict for each image.

        Returns:
            The manifest's path.
        """
        encoded = json_bytes({"format": FORMAT, **content})
        self.path.mkdir(parents=True, exist_ok=True)
        write_atomically(self.manifest, lambda file: file.write(encoded), ready=self._make_way)
        return self.manifest

    def _write(self, name: str, content: bytes) -> None:
        self.check_free(name)
        self.path.mkdir(parents=True, exist_ok=True)
        write_atomically(self.path / name, lambda file: file.write(content), ready=self._clear)

    def _make_way(self) -> None:
        _read(self)  # raises if somebody else's has come meanwhile
        self._clear()

    def _clear(self) -> None:
        """Take away the older result, the manifest first: a folder that has one is complete."""
        if self._cleared:
            return
        files = self.old_files()
        self.manifest.unlink(missing_ok=True)
        for file in files:
            if is_marked(file):
                file.unlink(missing_ok=True)
        self._cleared = True


def write_folder(
    folder: ResultFolder,
    arrays: Mapping[str, np.ndarray],
    pictures: Mapping[str, Sequence[np.ndarray]],
    facts: Mapping[str, Any],
    records: Sequence[Mapping[str, Any]],
) -> Path:
    """Write the files one by one, each whole or not at all, and the manifest when all are there.

    Args:
        folder: Made if it is missing; the pictures of an older result in it are taken away.
        arrays: The arrays by name, for one `.npz` file.
        pictures: By kind, "heatmap" or "overlay": one per image, each of shape
            (height, width, 3), uint8 RGB.
        facts: What the manifest says of the whole.
        records: What it says of each image; the names of its pictures are added.

    Returns:
        The manifest's path.

    Raises:
        NotOursError: If a file that kerascam did not write has one of the names; nothing is
            written then.
        OSError: If the folder cannot be written to.
    """
    names = [
        {kind: f"{index:03d}-{kind}.png" for kind in pictures} for index in range(len(records))
    ]
    for name in (ARRAYS, *(name for each in names for name in each.values())):
        folder.check_free(name)
    folder.write_arrays(arrays)
    for index, each in enumerate(names):
        for kind, name in each.items():
            folder.write_picture(name, pictures[kind][index])
    explanations = [{**record, **each} for record, each in zip(records, names, strict=True)]
    return folder.write_manifest({**facts, "arrays": ARRAYS, "explanations": explanations})


def maps_by_name(
    maps: np.ndarray | tuple[np.ndarray, ...] | None, name: str = "maps"
) -> dict[str, np.ndarray]:
    """Name the maps of one layer "maps", those of several "maps_0", "maps_1" and so on."""
    if maps is None:
        return {}
    each = maps if isinstance(maps, tuple) else (maps,)
    names = [name] if len(each) == 1 else [f"{name}_{place}" for place in range(len(each))]
    return dict(zip(names, each, strict=True))


def finite_or_none(number: Any) -> float | None:
    """Return a number that JSON can hold."""
    return float(number) if np.isfinite(number) else None


def _read(folder: ResultFolder) -> dict[str, Any]:
    """Read the manifest, or raise if it is not ours; without any, an empty one."""
    try:
        if not stat.S_ISREG(folder.manifest.lstat().st_mode):
            raise ValueError(_refusal(folder, "that kerascam did not write"))
        data = folder.manifest.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    content = _parse(data)
    if isinstance(content, dict) and content.get("format") == FORMAT:
        return content if isinstance(content.get("explanations"), list) else {}
    of_older = isinstance(content, dict) and "explanations" in content and (
        "kerascam" in content or content.get("arrays") == ARRAYS
    )  # fmt: skip
    raise ValueError(
        _refusal(
            folder,
            "of an older kerascam, whose pictures are not marked as its own"
            if of_older
            else "that kerascam did not write",
        )
    )


def _parse(data: bytes) -> Any:
    if len(data) > _LARGE and not data.startswith(_START):
        return None
    try:
        return json.loads(data)
    except (ValueError, RecursionError, MemoryError):
        return None


def _refusal(folder: ResultFolder, whose: str) -> str:
    return (
        f"{folder.argument} {str(folder.path)!r} holds a {MANIFEST} {whose}: give another folder, "
        f"or move that file and what belongs to it"
    )


def _is_name(name: object) -> TypeGuard[str]:
    """Tell whether this is the name of a picture in the folder itself, not a way out of it."""
    return (
        isinstance(name, str)
        and name.endswith(".png")
        and "\0" not in name
        and Path(name).name == name
    )
