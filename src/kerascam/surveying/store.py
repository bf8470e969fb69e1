"""The folder of a survey: what it was begun with, its shards, and a manifest that comes last.

A shard holds the rows of a fixed range of positions, so that a survey that was stopped at any
moment goes on with the shards that are not there. Files get their names when they are whole and on
disk. A folder is refused if it holds a file of one of these names that is not of this survey.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..files import check_folder, json_bytes, parse_json, write_durably
from ..fingerprints import differences

FORMAT = "kerascam survey 1"
BEGUN, MANIFEST = "survey.json", "manifest.json"
#: The metadata of a shard: the survey that it belongs to.
ID_KEY = b"kerascam survey"
#: The name of a shard that is half written.
_HALF = re.compile(r"\.shard-\d+\.parquet(\.[0-9a-f]+)?\.part")


class Store:
    """A folder that holds one survey, or will.

    Args:
        folder: Made when the survey begins.
        argument: The name of the user's argument for it, for messages.
        writer: Where several processes write shards, another text for each of them: one that was
            given up and one that does its work again never write to the same file.
    """

    def __init__(self, folder: Path, argument: str = "out", writer: str = "") -> None:
        self.folder, self.argument, self.writer = folder, argument, writer
        check_folder(folder, argument)

    @property
    def begun(self) -> dict[str, Any] | None:
        """What the survey was begun with; None if the folder holds none.

        Raises:
            ValueError: If a file of that name is not of a survey.
        """
        return self._read(BEGUN)

    @property
    def manifest(self) -> dict[str, Any] | None:
        """What is known of a whole survey; None if it is not whole yet."""
        return self._read(MANIFEST)

    def begin(self, settings: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
        """Begin a survey, or check that the one that is there was begun with the same.

        Args:
            settings: What the rows depend on.
            facts: What else is to be known of it, such as the time.

        Returns:
            The survey's id: a hash of the settings.

        Raises:
            ValueError: If the settings differ, with all that does, or the folder holds files of
                others.
        """
        own = _id(settings)
        begun = self.begun
        if begun is None:
            self._check_free()
            self.folder.mkdir(parents=True, exist_ok=True)
            content = {"format": FORMAT, "id": own, "settings": settings, **facts}
            write_durably(self.folder / BEGUN, json_bytes(content))
        elif begun.get("id") != own:
            found = "; ".join(differences(begun.get("settings") or {}, _plain(settings)))
            raise ValueError(
                f"{self.argument} {str(self.folder)!r} holds a survey that was begun otherwise: "
                f"{found}. Give another folder, or what it was begun with"
            )
        return own

    def shard(self, number: int) -> Path:
        """Name the file of a shard."""
        return self.folder / f"shard-{number:05d}.parquet"

    def shards(self) -> list[Path]:
        """List the shards that are there, in order."""
        return sorted(self.folder.glob("shard-*.parquet"))

    def holds(self, number: int, own: str) -> bool:
        """Tell whether a shard is there.

        Raises:
            ValueError: If the file is not of this survey.
        """
        import pyarrow
        import pyarrow.parquet as parquet

        path = self.shard(number)
        if not path.exists():
            return False
        try:
            metadata = parquet.read_schema(path).metadata or {}
        except (OSError, pyarrow.ArrowException):
            metadata = {}
        if metadata.get(ID_KEY) != own.encode():
            raise ValueError(
                f"{self.argument} {str(self.folder)!r} holds {path.name}, which is not of this "
                f"survey: move it, or give another folder"
            )
        return True

    def write_shard(self, number: int, table: Any, own: str) -> None:
        """Write the rows of a shard.

        Args:
            number: Which shard.
            table: The rows, a `pyarrow.Table`.
            own: The survey's id.
        """
        import pyarrow
        import pyarrow.parquet as parquet

        buffer = pyarrow.BufferOutputStream()
        marked = table.replace_schema_metadata({ID_KEY: own.encode()})
        parquet.write_table(marked, buffer, compression="zstd")
        path, between = self.shard(number), f".{self.writer}" if self.writer else ""
        partial = path.with_name(f".{path.name}{between}.part")
        write_durably(path, buffer.getvalue(), partial)

    def finish(self, facts: Mapping[str, Any]) -> None:
        """Write the manifest: the survey is whole. What was left half written is removed."""
        for path in self.folder.glob(".shard-*.parquet*.part"):
            if _HALF.fullmatch(path.name):
                path.unlink(missing_ok=True)
        write_durably(self.folder / MANIFEST, json_bytes({**(self.begun or {}), **facts}))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other processes of this machine from writing the same survey.

        Raises:
            ValueError: If another one does.
        """
        try:
            import fcntl
        except ImportError:  # Windows has no such lock
            yield
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        place = os.open(self.folder, os.O_RDONLY)
        try:
            try:
                fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ValueError(
                    f"{self.argument} {str(self.folder)!r} is being written by another process"
                ) from None
            except OSError:  # a file system without locks
                pass
            yield
        finally:
            os.close(place)

    def _read(self, name: str) -> dict[str, Any] | None:
        path = self.folder / name
        if not os.path.lexists(path):
            return None
        try:
            content = parse_json(path.read_bytes())
        except (OSError, ValueError):
            content = None
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise ValueError(
                f"{self.argument} {str(self.folder)!r} holds {name}, which is not of a survey: "
                f"give another folder, or move that file"
            )
        return content

    def _check_free(self) -> None:
        """Raise if a file is there of a name that a survey writes."""
        self._read(MANIFEST)
        taken = [path.name for path in (self.folder / MANIFEST, *self.shards()) if path.exists()]
        if taken:
            raise ValueError(
                f"{self.argument} {str(self.folder)!r} holds {taken[0]} and no {BEGUN}: give "
                f"another folder, or move that file"
            )


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings as they are after they were written and read."""
    return dict(json.loads(json.dumps(settings)))


def _id(settings: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]
