"""Lets the processes take turns, and takes medians and quartiles of what they answer."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from .cases import ENVIRONMENT, FORWARD, PEERS, Case, framework

PAUSE = 0.02  # seconds: a thread pool spins for a moment after its work
LEAST = 3  # rounds
ALL = (*FORWARD.values(), *PEERS)


class Spread(NamedTuple):
    """A median between its quartiles."""

    low: float
    median: float
    high: float


class Time(NamedTuple):
    """What a library took.

    Attributes:
        seconds: Per batch.
        ratio: Times its framework's forward pass.
        peak_mib: The peak of its process's resident memory in the call, the model included.
    """

    seconds: Spread
    ratio: Spread
    peak_mib: float = float("nan")


def spread(values: Sequence[float]) -> Spread:
    """Take the quartiles."""
    if len(values) < 2:
        return Spread(*values * 3)
    return Spread(*statistics.quantiles(values, n=4, method="inclusive"))


class Worker:
    """A library's process, as seen from outside."""

    def __init__(self, peer: str) -> None:
        self.died = False
        self.process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.worker", peer],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=ENVIRONMENT,
        )

    def tell(self, **request: Any) -> None:
        """Send a request and do not wait."""
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass

    def answer(self) -> dict[str, Any]:
        """Wait for the answer; a process that died answers so."""
        line = self.process.stdout.readline()
        self.died = not line
        return json.loads(line) if line else {"error": "its process died"}

    def close(self) -> None:
        """End the process."""
        self.process.stdin.close()
        self.process.wait()


Times = dict[Case, dict[str, Time]]
Reasons = dict[Case, dict[str, str]]


def measure(
    cases: Iterable[Case],
    rounds: int,
    seconds: float,
    names: Sequence[str] = ALL,
) -> tuple[Times, Reasons]:
    """Time all cases: what each library took, and why one did not."""
    workers = {name: Worker(name) for name in names}
    broken = {name: each.answer().get("error") for name, each in workers.items()}
    times: Times = {}
    reasons: Reasons = {}
    try:
        for case in cases:
            reasons[case] = {name: error for name, error in broken.items() if error}
            ready = {name: each for name, each in workers.items() if not broken[name]}
            for worker in ready.values():
                worker.tell(do="prepare", **case._asdict())
            for name, worker in list(ready.items()):
                if error := worker.answer().get("error"):
                    reasons[case][name] = error
                    del ready[name]
            taken, failed, peaks = take_turns(ready, rounds, seconds)
            reasons[case] |= failed
            broken |= {name: "its process died" for name in workers if workers[name].died}
            times[case] = {
                name: compared(name, taken)._replace(peak_mib=peaks[name])
                for name in taken
                if forward_of(name) in taken
            }
            print(line(case, times[case], reasons[case]), file=sys.stderr, flush=True)
    finally:
        for worker in workers.values():
            worker.close()
    return times, reasons


def take_turns(
    workers: dict[str, Worker], rounds: int, seconds: float
) -> tuple[dict[str, list[float]], dict[str, str], dict[str, float]]:
    """Run each once a round, forwards and backwards, until the rounds or the seconds are over.

    Returns:
        The seconds of each that went through all rounds, why the others did not, and the peak of
        each one's memory in MiB.
    """
    taken: dict[str, list[float]] = {name: [] for name in workers}
    failed: dict[str, str] = {}
    peaks: dict[str, float] = dict.fromkeys(workers, 0.0)
    start = time.monotonic()
    for turn in range(rounds):
        if turn >= LEAST and time.monotonic() - start > seconds:
            break
        for name in list(taken) if turn % 2 else list(reversed(taken)):
            time.sleep(PAUSE)
            workers[name].tell(do="run")
            found = workers[name].answer()
            if "error" in found:
                failed[name] = found["error"]
                del taken[name]
            else:
                taken[name].append(found["seconds"])
                peaks[name] = max(peaks[name], found["peak_mib"])
    return taken, failed, peaks


def forward_of(name: str) -> str:
    """Name the process whose forward pass a library is compared with."""
    return FORWARD.get(framework(name), FORWARD["keras"])


def compared(name: str, taken: dict[str, list[float]]) -> Time:
    """Compare a library with its framework's forward pass, round by round."""
    forward = taken[forward_of(name)]
    ratios = [own / other for own, other in zip(taken[name], forward, strict=True)]
    return Time(spread(taken[name]), spread(ratios))


def line(case: Case, times: dict[str, Time], reasons: dict[str, str]) -> str:
    """Say in a line how it went."""
    told = [f"{name} {time.seconds.median:.3f} s" for name, time in times.items()]
    told += [
        f"{name}: {reason[:200]}" for name, reason in reasons.items() if "no such" not in reason
    ]
    return f"{case.model}, {case.method}, batch {case.batch}: " + ", ".join(told)
