"""Write a file whole or not at all."""

import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO


def write_atomically(
    path: str | os.PathLike[str],
    write: Callable[[BinaryIO], Any],
    *,
    ready: Callable[[], None] | None = None,
) -> None:
    """Write beside the file and rename: an old file stays until the new one is complete.

    Args:
        path: In a folder that exists.
        write: Writes the content to the open binary file.
        ready: Called when the content is complete on disk, before it gets its name. If it raises,
            nothing is written.

    Raises:
        OSError: If the folder cannot be written to.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_atomically(f"{folder}/note", lambda file: file.write(b"whole"))
        ...     Path(folder, "note").read_bytes()
        b'whole'
    """
    path = Path(path)
    partial = path.with_name(f".{uuid.uuid4().hex}.tmp")  # beside it: os.replace is then atomic
    try:
        with partial.open("xb") as file:
            write(file)
        if ready is not None:
            ready()
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
