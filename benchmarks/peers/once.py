"""First calls and peaks of memory in fresh processes, and how often a model's Python runs.

python -m benchmarks.peers.once PEER
"""

import importlib
import json
import resource
import statistics
import subprocess
import sys
import time
from typing import Any

from .cases import ENVIRONMENT, FORWARD, KERAS, PEERS, SIZE, framework

MODEL, METHOD, BATCH = "ResNet50", "Grad-CAM", 8
TRACED = (1, 3, 8, 2)  # batches


def measure(starts: int) -> dict[str, dict[str, Any]]:
    """Start each library afresh, in turns; take the medians."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in (*FORWARD.values(), *PEERS)}
    for _ in range(starts):
        for name, each in found.items():
            done = subprocess.run(
                [sys.executable, "-m", f"{__package__}.once", name],
                capture_output=True,
                text=True,
                env=ENVIRONMENT,
            )
            each.append(answer(done))
            print(f"once: {name}: {each[-1]}", file=sys.stderr, flush=True)
    return {name: middle(each) for name, each in found.items()}


def answer(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Read the last line that a process printed."""
    if done.returncode == 0:
        return json.loads(done.stdout.splitlines()[-1])
    return {"error": (done.stderr.strip() or f"ended with {done.returncode}").splitlines()[-1]}


def middle(each: list[dict[str, Any]]) -> dict[str, Any]:
    """Take the median of each number, and the range of the first calls."""
    for one in each:
        if "error" in one:
            return one
    firsts = [one["first_s"] for one in each]
    return {
        "first_s": statistics.median(firsts),
        "first_range_s": [min(firsts), max(firsts)],
        "peak_mib": statistics.median(one["peak_mib"] for one in each),
        "runs": each[0]["runs"],
    }


def once(peer: str) -> dict[str, Any]:
    """Take the time of the first call, the peak of memory, and the runs of the model's Python."""
    side = importlib.import_module(f".{framework(peer)}_peers", __package__)
    side.prepare()
    model, images = side.make(MODEL), side.images(BATCH, SIZE)
    start = time.perf_counter()
    ask = side.asks(peer, model, side.layer_of(MODEL), METHOD)
    ask(images[:1])
    first = time.perf_counter() - start
    for _ in range(3):
        ask(images)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    try:
        runs = python_runs(side, peer) if peer in KERAS else []
    except Exception:  # of the counter's small model: what was measured stands
        runs = []
    return {"first_s": first, "peak_mib": peak, "runs": runs}


def python_runs(side: Any, peer: str) -> list[int]:
    """Count how often a layer's Python runs over batches of four sizes, and over them again.

    Each run at the first is a trace, or an eager pass; a compiled program does not run it again.
    """
    import keras

    count = 0

    class Counter(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            nonlocal count
            count += 1
            return 1.0 * x

    model = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            Counter(),
            keras.layers.Conv2D(4, 3, activation="relu", name="last"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(10),
        ]
    )
    model = keras.Model(model.inputs[0], model.outputs[0])  # some need a functional model
    ask = side.asks(peer, model, "last", METHOD)
    runs = []
    for _ in range(2):
        count = 0
        for batch in TRACED:
            ask(side.images(batch, 32))
        runs.append(count)
    return runs


if __name__ == "__main__":
    print(json.dumps(once(sys.argv[1])))
