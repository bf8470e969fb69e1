"""Write a file whole or not at all; read what somebody else wrote."""

import contextlib
import json
import os
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO


def write_atomically(
    path: str | os.PathLike[str],
    write: Callable[[BinaryIO], Any],
    *,
    ready: Callable[[], None] | None = None,
    partial: Path | None = None,
) -> None:
    """Write beside the file and rename: an old file stays until the new one is complete.

    Args:
        path: In a folder that exists.
        write: Writes the content to the open binary file.
        ready: Called when the content is complete on disk, before it gets its name. If it raises,
            nothing is written.
        partial: The file's name until it is complete, beside it; what has that name is written
            over. None for a name that no other process has.

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
    new = partial is None
    partial = partial or path.with_name(f".{uuid.uuid4().hex}.tmp")  # os.replace is atomic beside
    try:
        with partial.open("xb" if new else "wb") as file:
            write(file)
        if ready is not None:
            ready()
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_durably(path: Path, content: Any, partial: Path | None = None) -> None:
    """Write a file that has its name only when all of it is on disk, also after a loss of power.

    What a killed process left half written has another name and is written over.

    Args:
        path: In a folder that exists.
        content: Bytes, or what has their interface.
        partial: That other name; None for `.NAME.part`.
    """
    partial = path.with_name(f".{path.name}.part") if partial is None else partial

    def write(file: BinaryIO) -> None:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())

    write_atomically(path, write, partial=partial)
    with contextlib.suppress(OSError, AttributeError):  # no folder can be opened on Windows
        place = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(place)
        finally:
            os.close(place)


def check_folder(path: Path, argument: str) -> None:
    """Raise if a path that is to be a folder is a file.

    Args:
        path: There may be nothing yet.
        argument: The name of the user's argument, for the message.

    Raises:
        ValueError: If it is one.
    """
    if path.exists() and not path.is_dir():
        raise ValueError(f"{argument} {str(path)!r} is a file: name a folder, or a new one")


def json_bytes(content: Mapping[str, Any]) -> bytes:
    r"""Return what a JSON file of this content holds.

    Half a surrogate pair, which UTF-8 cannot hold, becomes JSON's own escape of it.

    Example:
        >>> json_bytes({"a": 1})
        b'{\n  "a": 1\n}\n'
    """
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode("utf-8", "backslashreplace")


def parse_json(text: str | bytes) -> Any:
    """Parse JSON that somebody else wrote.

    Raises:
        ValueError: If it is no valid JSON, whatever the reason; `json.loads` has others for text of
            brackets that are nested too deeply.

    Example:
        >>> parse_json("[" * 200_000)
        Traceback (most recent call last):
        ValueError: not valid JSON: nested too deeply
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("not valid JSON: nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"not valid JSON: {error}") from None


def shown(path: str | os.PathLike[str]) -> str:
    """Return a file name as text that any terminal and JSON can hold, whatever bytes are in it."""
    return os.fsencode(path).decode("utf-8", "replace")
