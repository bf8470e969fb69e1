"""One library in a process of its own: waits at a pipe, and does what it is told, once.

    python -m benchmarks.peers.worker PEER

Each line in is a JSON object, and each line out its answer: `{"do": "prepare", ...}` makes ready
for a case and warms up, `{"do": "run"}` runs it once and answers with the seconds that it took.
"""

import contextlib
import gc
import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from .cases import SIZE, framework

WARM_UPS = 2
SHORT = 0.1  # seconds: what is shorter runs once before it is timed, as the turn has cooled it


class Library:
    """The library, and what it has ready."""

    def __init__(self, peer: str) -> None:
        self.peer = peer
        self.side = importlib.import_module(f".{framework(peer)}_peers", __package__)
        self.side.prepare()
        self.made: tuple[str, str] | None = None
        self.name, self.model, self.ask, self.images = "", None, None, None
        self.last = 0.0

    def prepare(self, model: str, method: str, batch: int) -> dict[str, Any]:
        """Make ready, keeping what fits from the case before."""
        self.images = self.side.images(batch, SIZE)
        if self.made != (model, method):
            self.ask, self.made = None, None
            gc.collect()
            if self.name != model:
                self.name, self.model = model, self.side.make(model)
            layer = self.side.layer_of(model)
            try:
                self.ask = self.side.asks(self.peer, self.model, layer, method)
            except KeyError:
                return {"error": "has no such method"}
            self.made = (model, method)
        for _ in range(getattr(self.side, "WARM_UPS", WARM_UPS)):
            self.run()
        return {}

    def run(self) -> dict[str, Any]:
        """Run once."""
        if self.last < SHORT:
            self.ask(self.images)
        forget_peak()
        start = time.perf_counter()
        self.ask(self.images)
        self.last = time.perf_counter() - start
        return {"seconds": self.last, "peak_mib": peak_mib()}


def forget_peak() -> None:
    """Let the kernel measure the peak of resident memory from here on (Linux)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_mib() -> float:
    """Return the peak of resident memory."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
    return float("nan")


def serve(peer: str) -> None:
    """Answer until the pipe ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is not an answer

    def say(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    try:
        library = Library(peer)
    except Exception as error:
        say({"error": f"{type(error).__name__}: {error}"})
        return
    say({})
    for line in sys.stdin:
        request = json.loads(line)
        try:
            say(getattr(library, request.pop("do"))(**request))
        except Exception as error:
            say({"error": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    serve(sys.argv[1])
