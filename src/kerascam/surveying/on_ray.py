"""Have Ray Data give the shards of a survey to workers, or write them in this process."""

import logging
import pickle
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, Protocol

from .running import Job, missing, run
from .store import Store
from .workers import RayWorkers, connected
from .writer import ShardWriter, sent

#: How often what a worker died of is begun again.
_RESTARTS = 3
#: How long workers may take to start, while others may hold the machines, in seconds.
_PATIENCE = 600
#: How long a file may need to be seen by another machine, in seconds.
_LAG = 60


class WriteAll(Protocol):
    """Writes all shards that are not there; see `run`."""

    def __call__(self, job: Job, store: Store, own: str, show: Callable[[int, int], Any]) -> None:
        """Write them."""


@contextmanager
def writing(asked: RayWorkers | None, store: Store) -> Iterator[WriteAll]:
    """Find what writes shards: workers, which are seen to be there before the model runs, or none.

    Args:
        asked: What is asked of Ray; None for this process.
        store: Where to. A whole survey needs nobody.
    """
    if asked is None or store.manifest is not None:
        yield run
        return
    with connected(asked) as count:
        yield partial(run_on_ray, workers=count, gpus_per_worker=asked.gpus_per_worker)


def run_on_ray(
    job: Job,
    store: Store,
    own: str,
    show: Callable[[int, int], Any],
    *,
    workers: int,
    gpus_per_worker: float,
) -> None:
    """Write all shards that are not there; Ray is connected.

    Args:
        job: What is done, on files.
        store: Where to.
        own: The survey's id.
        show: Called with how many images are done, and how many there are.
        workers: How many processes.
        gpus_per_worker: How many GPUs each has.

    Raises:
        RuntimeError: If a worker failed. What it raised is the cause; if that is an error of the
            explainer's, it is raised itself.
    """
    import ray
    from ray import cloudpickle

    count = job.items.count or 0
    shards = list(missing(job, store, own))
    done = count - sum(len(job.shard(number)) for number in shards)
    show(done, count)
    if not shards:
        return
    given = ray.put(sent(job, store, own, cloudpickle))
    tally = ray.remote(num_cpus=0)(_Tally).remote()
    rows = [
        {"shard": number, "files": pickle.dumps(job.items.part(job.shard(number)))}
        for number in shards
    ]
    with _quiet(ray.data):
        made = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
            _Worker,
            fn_constructor_args=(given, tally),
            batch_size=1,
            concurrency=min(workers, len(rows)),
            num_cpus=1,
            num_gpus=gpus_per_worker,
        )
        try:
            for row in made.iter_rows():
                if row["error"]:
                    raise _told(pickle.loads(bytes.fromhex(row["error"])))
                done += len(job.shard(row["shard"]))
                show(done, count)
        except ray.exceptions.RayError as error:  # of Ray's own
            raise _told(error) from error
    _check(job, store, own)


class _Tally:
    """Counts how often something was begun: Ray starts a worker that dies again without end."""

    def __init__(self) -> None:
        self._begun: Counter[Any] = Counter()

    def begin(self, what: Any) -> int:
        """Count it."""
        self._begun[what] += 1
        return self._begun[what]


class _Worker:
    """Writes shards in a process of Ray, and says what went wrong, which Ray would wrap."""

    def __init__(self, reference: Any, tally: Any) -> None:
        import ray

        self._tally = tally
        self._failed: Exception | None = None
        try:
            self._begin(f"worker {ray.get_runtime_context().get_actor_id()}")
            self._write = ShardWriter(ray.get(reference))
        except Exception as error:
            self._failed = error

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Write a shard; the error is none, or what pickle made of it in hexadecimal digits."""
        try:
            if self._failed is not None:
                raise self._failed
            self._begin(f"shard {batch['shard'][0]}")
            self._write(batch)
        except Exception as error:
            return {"shard": batch["shard"], "error": [_packed(error).hex()]}
        return {"shard": batch["shard"], "error": [""]}

    def _begin(self, what: str) -> None:
        import ray

        if ray.get(self._tally.begin.remote(what)) > 1 + _RESTARTS:
            raise RuntimeError(
                f"{what} was begun {1 + _RESTARTS} times and its process died each time, "
                f"perhaps for want of memory"
            )


def _packed(error: Exception) -> bytes:
    """Pickle an error; of one that cannot be, its words."""
    try:
        packed = pickle.dumps(error)
        pickle.loads(packed)
        return packed
    except Exception:
        return pickle.dumps(RuntimeError(f"{type(error).__name__}: {error}"))


def _told(error: Exception) -> Exception:
    """Say what went wrong in a worker: its own error, if it is one of arguments."""
    if isinstance(error, (ValueError, TypeError)):
        return error
    return RuntimeError(
        f"a worker of Ray failed; what was written stays, and the same call goes on from there: "
        f"{' '.join(str(error).split())}"
    )


def _check(job: Job, store: Store, own: str) -> None:
    """Wait until all shards are seen here, which another machine wrote.

    Raises:
        RuntimeError: If they are not.
    """
    until = time.monotonic() + _LAG
    while left := list(missing(job, store, own)):
        if time.monotonic() > until:
            raise RuntimeError(
                f"workers have written {store.shard(left[0]).name}, which is not seen in "
                f"{str(store.folder)!r} on this machine: out must be a folder that all share"
            )
        time.sleep(1)


@contextmanager
def _quiet(data: Any) -> Iterator[None]:
    """Keep Ray Data from writing to the terminal, and from waiting for ever."""
    context = data.DataContext.get_current()
    settings = {
        "enable_progress_bars": False,
        "print_on_execution_start": False,
        "wait_for_min_actors_s": _PATIENCE,
    }
    before = {name: getattr(context, name) for name in settings}
    handlers = [
        handler
        for handler in logging.getLogger("ray.data").handlers
        if isinstance(handler, logging.StreamHandler)
    ]
    levels = [handler.level for handler in handlers]
    try:
        for name, value in settings.items():
            setattr(context, name, value)
        for handler in handlers:
            handler.setLevel(logging.CRITICAL)
        yield
    finally:
        for name, value in before.items():
            setattr(context, name, value)
        for handler, level in zip(handlers, levels, strict=True):
            handler.setLevel(level)
