"""The versions of one model: the highest is served, and another is ready before it goes."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scene_classification.serving.errors import RequestError
from scene_classification.serving.servable import Servable
from scene_classification.serving.states import Status, failure
from scene_classification.serving.version_folders import content_of, newest_version

logger = logging.getLogger(__name__)


@dataclass
class _Version:
    """What is known of one version; guarded by the lock of `Versions`."""

    number: int
    status: Status
    servable: Servable | None = None
    in_flight: int = 0


class Versions:
    """Loads the highest version of a model, watches for another, and swaps.

    Another is a higher one, or, when the folder of the one served is gone, the highest of those
    that are left. Where none is left, what is served goes on, unlike in TensorFlow Serving: a disk
    that is away for a moment must not end it.

    Args:
        base: The model's folder, with one folder for each version.
        name: Of the model.
        load: Loads the version in a folder.
        poll_seconds: Time between two looks at the folder.
    """

    def __init__(
        self, base: Path, name: str, load: Callable[[Path], Servable], poll_seconds: float
    ) -> None:
        self.name = name
        self._base, self._load, self._poll_seconds = base, load, poll_seconds
        self._lock = threading.Lock()
        self._versions: dict[int, _Version] = {}
        self._serving: _Version | None = None
        self._failed: tuple[int, frozenset[Any]] | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="versions", daemon=True)

    def start(self) -> None:
        """Begin to load and watch, in a thread of its own."""
        self._thread.start()

    def close(self) -> None:
        """Stop watching, and let go of what was served; nothing may be in flight."""
        self._stop.set()
        self._thread.join()
        with self._lock:
            serving, self._serving = self._serving, None
        if serving is not None:
            self._unload(serving)

    @contextlib.contextmanager
    def lease(self, number: int | None = None) -> Iterator[tuple[int, Servable]]:
        """Hold a version for the time of one request: it is not unloaded before.

        Args:
            number: Of the version; by default, the one that is served.

        Raises:
            RequestError: If it is not served.
        """
        with self._lock:
            held = self._serving
            if held is None or held.servable is None or number not in (None, held.number):
                asked = (
                    f"Latest({self.name})" if number is None else f"Specific({self.name}, {number})"
                )
                raise RequestError(404, f"Servable not found for request: {asked}")
            held.in_flight += 1
            servable = held.servable
        try:
            yield held.number, servable
        finally:
            with self._lock:
                held.in_flight -= 1
                last = not held.in_flight and held.status.state == "UNLOADING"
            if last:
                self._unload(held)

    def statuses(self, number: int | None = None) -> list[dict[str, Any]]:
        """Return what is known of every version, the highest first, or of one.

        Raises:
            RequestError: If nothing is known.
        """
        with self._lock:
            found = [
                version.status.told(version.number)
                for version in sorted(self._versions.values(), key=lambda each: -each.number)
                if number in (None, version.number)
            ]
        if not found:
            what = "any versions" if number is None else f"version {number}"
            raise RequestError(404, f"Could not find {what} of model {self.name}")
        return found

    def _watch(self) -> None:
        while True:
            try:
                self.look()
            except Exception:  # a folder that cannot be read must not end what is served
                logger.exception("could not look for versions of %r", self.name)
            if self._stop.wait(self._poll_seconds):
                return

    def look(self) -> None:
        """Look which version is the highest; load it, and put it in the place of the one served."""
        newest = newest_version(self._base)
        if newest is None:
            return
        number, path = newest
        if self._serving is not None and number == self._serving.number:
            return
        content = content_of(path)
        if self._failed == (number, content):
            return  # still what could not be loaded
        # A new one also for a number that was served before: that may still have requests.
        version = _Version(number, Status("LOADING"))
        with self._lock:
            self._versions[number] = version
        try:
            servable = self._load(path)
        except Exception as error:  # whatever is wrong with a model, the one served goes on
            self._failed = number, content
            with self._lock:
                version.status = failure(error)
            logger.error("cannot load version %d of %r: %s", number, self.name, version.status)
            return
        self._swap(version, servable)

    def _swap(self, version: _Version, servable: Servable) -> None:
        with self._lock:
            old, self._serving = self._serving, version
            version.servable, version.status = servable, Status("AVAILABLE")
            if old is not None:
                old.status = Status("UNLOADING")
            idle = old is not None and not old.in_flight
        logger.info("version %d of %r is available", version.number, self.name)
        if old is not None and idle:
            self._unload(old)

    def _unload(self, version: _Version) -> None:
        with self._lock:
            servable, version.servable = version.servable, None
        if servable is not None:
            servable.close()
        with self._lock:
            version.status = Status("END")
        logger.info("version %d of %r is unloaded", version.number, self.name)
