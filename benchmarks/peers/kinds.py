"""Which kinds of model each Keras library explains, and whether its Grad-CAM is right.

The models are those of `tests/zoo.py`; what is right was computed there by hand, from the logits.
A library gets every chance that its user has: the layer by name and by object, the model as it is
and with its last activation taken off, the model cut off behind its logits, inputs as a list in
the model's order, images one by one. The best of all tries counts.

Maps are compared on the layer's grid, each scaled to a maximum of 1; where a library only gives
them enlarged, the reference is enlarged by the library's own rule.

    python -m benchmarks.peers.kinds PEER [FIRST]
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .attempts import ATTEMPTS
from .cases import ENVIRONMENT

TOLERANCE = 1e-3  # of a map's maximum
ROUNDED = 3e-2  # for the kinds that the zoo itself allows more: half precision, 8-bit integers
KERAS = tuple(ATTEMPTS)
RANKS = {"right": 2, "wrong": 1, "refused": 0}


def measure() -> dict[str, dict[str, list[str]]]:
    """Ask all libraries at the same time: for each kind, a verdict and the reason."""
    running = {peer: start(peer, 0) for peer in KERAS}
    found: dict[str, dict[str, list[str]]] = {peer: {} for peer in KERAS}
    for peer, process in running.items():
        while True:
            last = None
            for line in process.stdout:
                last, *told = json.loads(line)
                found[peer][last] = told
            if process.wait() == 0:
                break
            if last is None or found[peer][last][0] != "starts":
                raise RuntimeError(f"python -m {__package__}.kinds {peer} fails: run it to see why")
            found[peer][last] = ["refused", "the process died"]
            process = start(peer, len(found[peer]))
        print(f"kinds: {peer}", file=sys.stderr, flush=True)
    return found


def start(peer: str, first: int) -> subprocess.Popen[str]:
    """Start a process that goes through the kinds."""
    return subprocess.Popen(
        [sys.executable, "-m", f"{__package__}.kinds", peer, str(first)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=ENVIRONMENT,
    )


def verdicts(peer: str, first: int) -> Iterator[list[str]]:
    """Try a library on one kind after the other, and say which one comes next."""
    import zoo

    for kind, build in list(zoo.KINDS.items())[first:]:
        yield [kind, "starts", ""]
        yield [kind, *best(peer, build)]


def best(peer: str, build: Any) -> tuple[str, str]:
    """Try all ways, each on a model of its own, until one gives the right map."""
    import keras
    import numpy as np
    import zoo

    told = [("refused", "no way to ask")]
    for attempt in ATTEMPTS[peer]:
        keras.utils.set_random_seed(0)
        specimen = build()
        wanted = grad_cam(zoo.reference(specimen, specimen.classes))
        try:
            maps, enlarge = attempt(specimen)
            wanted = scaled(enlarge(wanted) if enlarge else wanted)
            told.append(compared(np.asarray(maps, "float64"), wanted, specimen.tolerance))
        except Exception as error:
            told.append(("refused", worded(error)))
        if told[-1][0] == "right":
            break
    return max(told[1:] or told, key=lambda each: RANKS[each[0]])


def compared(maps: Any, wanted: Any, tolerance: float) -> tuple[str, str]:
    """Judge maps beside what is wanted."""
    import numpy as np

    if maps.size != wanted.size:
        return "wrong", f"a map of {maps[0].size} places for {wanted[0].size}"
    gap = np.abs(scaled(np.maximum(maps, 0).reshape(wanted.shape)) - wanted).max()
    if gap <= (TOLERANCE if tolerance <= TOLERANCE else ROUNDED):
        return "right", ""
    return "wrong", f"off by {gap:.2g}"


def worded(error: Exception) -> str:
    """Say an error in a line; of an error out of a `tf.function`, the line behind the code."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [""]
    text = lines[-1] if "in user code" in lines[0] else f"{type(error).__name__}: {lines[0]}"
    return text[:160]


def grad_cam(found: Any) -> Any:
    """Weigh the activations by the gradients' means, from the zoo's reference."""
    import numpy as np

    places = tuple(range(1, found.gradients.ndim - 1))
    weights = found.gradients.mean(places, keepdims=True)
    return np.maximum((weights * found.activations).sum(-1), 0)


def scaled(maps: Any) -> Any:
    """Scale each map to a maximum of 1; a map of zeros stays."""
    import numpy as np

    top = maps.max(tuple(range(1, maps.ndim)), keepdims=True)
    return np.divide(maps, top, out=np.zeros(maps.shape), where=top > 0)


if __name__ == "__main__":
    import os
    import warnings

    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))
    warnings.simplefilter("ignore")
    told = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for verdict in verdicts(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0):
        print(json.dumps(verdict), file=told, flush=True)
    told.flush()
    os._exit(0)  # some leave threads behind
