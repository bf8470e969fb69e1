"""Refuse a run whose output would overwrite or remove what it reads."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..explain.result_folder import ResultFolder
from .filenames import FileNames
from .images import shown

_FIX = "give another --out, or leave it out"


def check(
    folder: ResultFolder, names: FileNames, methods: Sequence[str], read: Iterable[Path]
) -> None:
    """Raise if a file that the run reads is one that it would write or remove.

    Args:
        folder: Where the run writes.
        names: The names that it gives.
        methods: The methods that it explains by.
        read: All files that it reads: images, the model, the class names.

    Raises:
        ValueError: If there is such a file.
    """
    # By what the paths lead to, so that links of both kinds and other cases of letters count.
    old = {_identity(path) for path in (folder.manifest, *folder.old_pictures())} - {None}
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
