"""Processes of Ray: how many are asked for, and whether the machines can have them."""

import math
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ..arguments import number_in, real_number
from ..errors import brief
from ..optional import package_for

#: Processors that a worker asks for, and that are left for Ray's own work.
_EACH, _ROOM = 1, 1
#: How long a cluster may take to answer, in seconds.
_PATIENCE = 10


@dataclass(frozen=True)
class RayWorkers:
    """Processes that Ray runs on one or many machines, for `explain_dataset`.

    Args:
        address: "local" runs Ray on this machine until the survey is whole; "auto" finds the
            cluster that this machine belongs to, "HOST:6379" another one. If the program has
            called `ray.init` before, that is what is used.
        workers: How many processes explain; None for as many as the GPUs are enough for, or one
            per machine if they have none. Each asks Ray for one processor, and takes what the
            machine has: TensorFlow and the reading of files run in threads.
        gpus_per_worker: How many GPUs a process has: a whole number, or a share of one such as 0.5.

    Raises:
        TypeError: If an argument is of a wrong type.
        ValueError: If a number is out of its range.

    Example:
        >>> RayWorkers("auto", workers=8, gpus_per_worker=1).workers
        8
    """

    address: str = "local"
    workers: int | None = None
    gpus_per_worker: float = 0

    def __post_init__(self) -> None:
        address: Any = self.address
        if not isinstance(address, str) or not address:
            raise TypeError(f'address must be "local", "auto" or "HOST:PORT", not {brief(address)}')
        if self.workers is not None:
            number_in("workers", self.workers, 1)
        gpus = real_number("gpus_per_worker", self.gpus_per_worker)
        if gpus < 0 or (gpus > 1 and gpus % 1):
            raise ValueError(
                f"gpus_per_worker must be a whole number or a share of one, not {brief(gpus)}"
            )


def ray_package() -> Any:
    """Import Ray.

    Raises:
        ModuleNotFoundError: If it is not installed.
    """
    return package_for("workers=RayWorkers(...)", "ray", "'ray[data]'")


@contextmanager
def connected(asked: RayWorkers) -> Iterator[int]:
    """Run Ray or connect to it.

    Args:
        asked: What is asked for.

    Yields:
        How many workers there will be.

    Raises:
        ConnectionError: If there is no cluster at the address.
        ModuleNotFoundError: If Ray is not installed.
        ValueError: If the machines do not have what is asked for.
    """
    ray = ray_package()
    if ray.is_initialized():
        yield settled(asked, ray.nodes())
        return
    _begin(ray, asked)
    try:
        yield settled(asked, ray.nodes())
    finally:
        ray.shutdown()


def _begin(ray: Any, asked: RayWorkers) -> None:
    # By default it reports to its makers how it is used, and writes to the terminal.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    quiet = {"logging_level": "error", "log_to_driver": False}
    if asked.address == "local":
        # Ray has its workers yield to all else; this process waits for them.
        os.environ.setdefault("RAY_worker_niceness", "0")
        count = max(os.cpu_count() or 1, (asked.workers or 1) * _EACH + _ROOM)
        ray.init("local", num_cpus=count, include_dashboard=False, **quiet)
        return
    try:
        _knock(asked.address)
        ray.init(asked.address, **quiet)
    except (ConnectionError, ray.exceptions.RayError) as error:
        reason = " ".join(str(error).split())
        raise ConnectionError(
            f"address {asked.address!r}: no cluster of Ray lets us in there ({reason}); "
            f"`ray start --head` begins one, it may ask for a token (RAY_AUTH_MODE=token), and "
            f'"local" needs none'
        ) from error


def _knock(address: str) -> None:
    """Raise a ConnectionError if nobody listens, for whom Ray would wait a quarter of an hour."""
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), _PATIENCE).close()
    except (OSError, OverflowError) as error:
        raise ConnectionError(str(error)) from error


def settled(asked: RayWorkers, nodes: Sequence[Mapping[str, Any]]) -> int:
    """Find how many workers there will be, and refuse what would wait for ever.

    Ray waits without a word for machines that never come, and for a processor for its own work
    where workers hold them all.

    Args:
        asked: What is asked for.
        nodes: The machines, as `ray.nodes` lists them.

    Raises:
        ValueError: If the machines do not have what is asked for.
    """
    found = [node["Resources"] for node in nodes if node["Alive"]]
    processors = [int(each.get("CPU", 0)) for each in found]
    gpus = [each.get("GPU", 0) for each in found]
    fit = [_fitting(*each, asked.gpus_per_worker) for each in zip(processors, gpus, strict=True)]
    most = min(sum(fit), (sum(processors) - _ROOM) // _EACH)
    has = (
        f"{len(found)} machine{'s' * (len(found) != 1)} with {sum(processors)} processors and "
        f"{sum(gpus):g} GPUs"
    )
    if most < 1:
        raise ValueError(
            f"workers: Ray has {has}, which is too little for one worker, as one needs "
            f"{_needs(asked)}, and {_ROOM} more processor is left for Ray's own work"
        )
    if asked.workers is None:
        return most if asked.gpus_per_worker else min(most, sum(map(bool, fit)))
    if asked.workers > most:
        raise ValueError(
            f"workers must be at most {most}, not {asked.workers}: Ray has {has}, a worker needs "
            f"{_needs(asked)}, and {_ROOM} processor is left for Ray's own work; more would wait "
            f"for ever"
        )
    return asked.workers


def _needs(asked: RayWorkers) -> str:
    gpus = f" and {asked.gpus_per_worker:g} GPUs" if asked.gpus_per_worker else ""
    return f"{_EACH} processor{gpus} on one machine"


def _fitting(processors: int, gpus: float, share: float) -> int:
    """Count the workers that a machine has room for."""
    by_processors = processors // _EACH
    if not share:
        return by_processors
    # A share of a GPU lies on one of them.
    on_gpus = int(gpus) * int(1 / share) if share <= 1 else int(gpus) // math.ceil(share)
    return min(by_processors, on_gpus)
