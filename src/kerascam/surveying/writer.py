"""What a process elsewhere does for a survey: it is sent the job once, and then files by shards."""

import os
import pickle
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from ..fingerprints import differences
from .running import Job, write
from .store import Store
from .versions import versions


class Sent(NamedTuple):
    """What a process that writes shards is sent.

    Attributes:
        versions: Of what computes, which must be the same there.
        folder: Where the survey is.
        own: The survey's id.
        job: The pickled job, without its files; what is found of the first images is known.
    """

    versions: Mapping[str, str]
    folder: str
    own: str
    job: bytes


def sent(job: Job, store: Store, own: str, pickler: Any) -> Sent:
    """Pack a job on files for other processes.

    Args:
        job: What is done.
        store: Where the survey was begun.
        own: The survey's id.
        pickler: A module with `dumps`, which may take more than `pickle` does.

    Raises:
        TypeError: If the explainer or the preprocessing cannot be sent.
    """
    try:
        packed = pickler.dumps(job.of(job.items.part(range(0))))
    except Exception as error:
        raise TypeError(f"explainer cannot be sent to other processes: {error}") from error
    return Sent(versions(), str(store.folder.absolute()), own, packed)


class ShardWriter:
    """Writes shards of a survey, each whole or not at all.

    Args:
        given: What was sent.

    Raises:
        ValueError: If this machine has other versions, or does not see the survey's folder.
    """

    def __init__(self, given: Sent) -> None:
        # Several processes may share a GPU; by default TensorFlow takes all of its memory.
        os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
        here = f"worker on {socket.gethostname()}"
        found = differences(given.versions, versions())
        if found:
            raise ValueError(
                f"{here}: {'; '.join(found)}: rows would depend on who makes them. "
                f"Install the same versions on all machines"
            )
        self._own = given.own
        self._store = Store(Path(given.folder), writer=uuid4().hex[:12])
        if (self._store.begun or {}).get("id") != given.own:
            raise ValueError(
                f"{here}: out {given.folder!r} is not the survey's folder here: give a folder "
                f"that all machines share, under the same path"
            )
        self._job: Job = pickle.loads(given.job)

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Write some shards, unless they are there.

        Args:
            batch: The number of each shard ("shard"), and its files ("files"), pickled.

        Returns:
            The numbers ("shard").
        """
        for number, files in zip(batch["shard"], batch["files"], strict=True):
            if not self._store.holds(int(number), self._own):
                job = self._job.of(pickle.loads(files))
                for _ in write(job, [int(number)], self._store, self._own):
                    pass
        return {"shard": batch["shard"]}
