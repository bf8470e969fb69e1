"""The versions of one model: the highest is served, until the next one is available."""

from __future__ import annotations

import contextlib
import logging
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...signatures import HIGHEST_VERSION
from .. import words
from .limits import Status, failure, servable_not_found, status_not_found
from .servable import Servable

#: What makes a folder a version.
MODEL_FILE = "saved_model.pb"


def version_folders(base: Path) -> dict[int, Path]:
    """Return where each version of a model is.

    A version is a folder named by a whole number in which there is a `saved_model.pb`. All else is
    ignored: notes, and folders that are being written.

    Args:
        base: The model's folder.

    Raises:
        OSError: If it is not there, or cannot be read.
    """
    found = {}
    for path in base.iterdir():
        number = int(path.name) if re.fullmatch("[0-9]+", path.name) else HIGHEST_VERSION + 1
        if number <= HIGHEST_VERSION and (path / MODEL_FILE).is_file():
            found[number] = path
    return found


def newest_version(base: Path) -> tuple[int, Path] | None:
    """Return the highest version of a model and where it is; None if there is none.

    Args:
        base: The model's folder, which need not be there.
    """
    try:
        return max(version_folders(base).items(), default=None)
    except OSError:
        return None


def content_of(path: Path) -> frozenset[tuple[str, int, int]]:
    """Return what tells whether anything in a folder has changed: names, sizes and times."""
    found = set()
    for file in path.rglob("*"):
        try:
            state = file.stat()
        except OSError:  # removed since it was listed
            continue
        found.add((str(file), state.st_size, state.st_mtime_ns))
    return frozenset(found)


LOADING = Status(words.LOADING)
logger = logging.getLogger(__name__)


@dataclass
class _Version:
    """What is known of one version; guarded by the lock of `Versions`."""

    number: int
    status: Status
    servable: Servable | None = None
    in_flight: int = 0


@dataclass
class _Trouble:
    """A version that could not be loaded: how often that was tried, and what its folder held."""

    version: _Version
    content: frozenset[Any]
    tries: int = 0
    reason: Status = LOADING


class Versions:
    """Loads the highest version of a model, watches for another, and swaps.

    Another is a higher one, or, if the folder of the one served is gone, the highest of those that
    are left. If none is left, none is served; but a model's folder that is itself away for a
    moment, with its disk, ends nothing. All of this is as in TensorFlow Serving.

    Args:
        base: The model's folder, with one folder for each version.
        name: The model's name.
        load: Loads the version in a folder.
        poll_seconds: Time between two looks at the folder.
        load_tries: How many looks in a row may fail to load a version before it is given up, until
            something in its folder changes.
    """

    def __init__(
        self,
        base: Path,
        name: str,
        load: Callable[[Path], Servable],
        poll_seconds: float,
        load_tries: int = 1,
    ) -> None:
        self.name = name
        self._base, self._load, self._poll_seconds = base, load, poll_seconds
        self._load_tries = load_tries
        self._lock = threading.Lock()
        self._versions: dict[int, _Version] = {}
        self._serving: _Version | None = None
        self._trouble: _Trouble | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="versions", daemon=True)

    def start(self) -> None:
        """Begin to load and watch, in a thread of its own."""
        self._thread.start()

    def close(self) -> None:
        """Stop watching, and unload what was served; nothing may be in flight."""
        self._stop.set()
        self._thread.join()
        with self._lock:
            serving, self._serving = self._serving, None
        if serving is not None:
            self._unload(serving)

    @contextlib.contextmanager
    def lease(self, number: int | None = None) -> Iterator[tuple[int, Servable]]:
        """Hold a version for the duration of one request: it is not unloaded before.

        Args:
            number: The version; by default, the one that is served.

        Raises:
            RequestError: If it is not served.
        """
        with self._lock:
            held = self._serving
            if held is None or held.servable is None or number not in (None, held.number):
                raise servable_not_found(self.name, number)
            held.in_flight += 1
            servable = held.servable
        try:
            yield held.number, servable
        finally:
            with self._lock:
                held.in_flight -= 1
                last = not held.in_flight and held.status.state == words.UNLOADING
            if last:
                self._unload(held)

    def is_serving(self) -> bool:
        """Return whether a version is available."""
        with self._lock:
            return self._serving is not None

    def failure(self) -> str | None:
        """Return why the newest version is not served, if loading it was given up."""
        with self._lock:
            trouble = self._trouble
            if trouble is None or trouble.tries < self._load_tries:
                return None
            return f"version {trouble.version.number} of {self.name!r}: {trouble.reason}"

    def statuses(self, number: int | None = None) -> list[dict[str, Any]]:
        """Return what is known of every version, the highest first, or of one.

        Raises:
            RequestError: If nothing is known.
        """
        with self._lock:
            found = [
                version.status.answer(version.number)
                for version in sorted(self._versions.values(), key=lambda each: -each.number)
                if number in (None, version.number)
            ]
        if not found:
            raise status_not_found(self.name, number)
        return found

    def _watch(self) -> None:
        while True:
            try:
                self.look()
            except Exception:  # a folder that cannot be read ends nothing that is served
                logger.exception("could not look for versions of %r", self.name)
            if self._stop.wait(self._poll_seconds):
                return

    def look(self) -> None:
        """Find the highest version, load it, and serve it in place of the current one.

        Raises:
            OSError: If the model's folder cannot be read.
        """
        newest = max(version_folders(self._base).items(), default=None)
        trouble = self._trouble
        if trouble is not None and (newest is None or newest[0] != trouble.version.number):
            self._give_up(trouble)
            self._trouble = None
        if newest is None:
            self._swap(None)
        elif self._serving is None or newest[0] != self._serving.number:
            self._try(*newest)

    def _try(self, number: int, path: Path) -> None:
        content, trouble = content_of(path), self._trouble
        if trouble is None or trouble.content != content:
            # A new one also for a number that was served before: that may still have requests.
            trouble = _Trouble(_Version(number, LOADING), content)
            with self._lock:
                self._versions[number] = trouble.version
        if trouble.tries == self._load_tries:
            return  # still what could not be loaded
        try:
            servable = self._load(path)
        except Exception as error:  # whatever is wrong with a model, the one served goes on
            self._fail(trouble, failure(error))
            return
        self._trouble = None
        trouble.version.servable = servable
        self._swap(trouble.version)

    def _fail(self, trouble: _Trouble, reason: Status) -> None:
        with self._lock:
            self._trouble = trouble
            trouble.tries, trouble.reason = trouble.tries + 1, reason
        logger.error(
            "cannot load version %d of %r, try %d of %d: %s",
            trouble.version.number,
            self.name,
            trouble.tries,
            self._load_tries,
            reason,
        )
        if trouble.tries == self._load_tries:
            self._give_up(trouble)

    def _give_up(self, trouble: _Trouble) -> None:
        with self._lock:
            trouble.version.status = trouble.reason

    def _swap(self, version: _Version | None) -> None:
        with self._lock:
            old, self._serving = self._serving, version
            if version is not None:
                version.status = Status(words.AVAILABLE)
            if old is not None:
                old.status = Status(words.UNLOADING)
            idle = old is not None and not old.in_flight
        if version is not None:
            logger.info("version %d of %r is available", version.number, self.name)
        if old is not None and idle:
            self._unload(old)

    def _unload(self, version: _Version) -> None:
        with self._lock:
            servable, version.servable = version.servable, None
        if servable is not None:
            servable.close()
        with self._lock:
            version.status = Status(words.END)
        logger.info("version %d of %r is unloaded", version.number, self.name)
