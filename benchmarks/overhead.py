"""What an explanation costs beside the forward pass that it needs anyway.

Prints a table of ratios and writes them as JSON. Everything is measured in one process,
interleaved, as medians; only what happens once in a process (the first call, the import) is
measured in fresh processes.

    python benchmarks/overhead.py [--rounds 30] [--calls 500] [--json overhead.json]
"""

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from timing import machine, medians

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

SIZE = 224
STARTS = 3  # fresh processes for what happens once in a process

FIRST_CALL = """
import os, sys, time
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras, numpy as np
from kerascam import GradCAM
keras.utils.set_random_seed(0)
model = keras.applications.ResNet50(weights=None)
images = np.random.default_rng(0).uniform(0, 255, (1, 224, 224, 3)).astype("float32")
if {turned}:  # by an operation that the arithmetic of places does not know
    raw = keras.Input((224, 224, 3))
    turn = np.array([[1, 0, 0, 0, 1, 0, 0, 0]], "float32")
    model = keras.Model(raw, model(keras.ops.image.affine_transform(raw, turn)))
explain = GradCAM(model)
start = time.perf_counter()
{call}
print(time.perf_counter() - start)
"""
FIRST_CALLS = {
    "GradCAM": {"call": "explain(images)", "turned": False},
    "predict": {"call": "model.predict(images, verbose=0)", "turned": False},
    "measured": {"call": "explain(images)", "turned": True},
}
IMPORT = "import time; s = time.perf_counter(); import kerascam; print(time.perf_counter() - s)"


def forward(model: Any) -> Callable[[Any], Any]:
    """Compile the plain forward pass, for any batch size, with its result on the host."""
    import tensorflow as tf

    compiled = tf.function(lambda images: model(images, training=False), autograph=False)
    traced = compiled.get_concrete_function(tf.TensorSpec((None, SIZE, SIZE, 3), tf.float32))
    return lambda images: traced(tf.constant(images)).numpy()


def overhead(name: str, model: Any, batches: list[int], rounds: int) -> list[dict[str, Any]]:
    """Compare GradCAM, and GradCAM with frozen weights, with the plain forward pass."""
    import numpy as np

    from kerascam import GradCAM

    plain, explain, frozen = forward(model), GradCAM(model), GradCAM(model, freeze=True)
    rows = []
    for batch in batches:
        images = np.random.default_rng(0).uniform(0, 255, (batch, SIZE, SIZE, 3))
        images = images.astype("float32")
        times = medians(
            {
                "forward": lambda images=images: plain(images),
                "GradCAM": lambda images=images: explain(images),
                "frozen": lambda images=images: frozen(images),
            },
            rounds,
        )
        difference = np.abs(explain(images).heatmaps - frozen(images).heatmaps).max()
        rows.append(
            {
                "model": name,
                "batch": batch,
                "forward_ms": 1e3 * times["forward"],
                "gradcam_ratio": times["GradCAM"] / times["forward"],
                "frozen_ratio": times["frozen"] / times["forward"],
                "frozen_difference": float(difference),
            }
        )
    return rows


def steady(model: Any, calls: int) -> dict[str, float]:
    """Count traces over batches and classes, and resident memory over many calls."""
    import numpy as np

    from kerascam import GradCAM

    traces = 0

    def counted(outputs: Any, classes: Any) -> Any:
        nonlocal traces
        traces += 1
        return targets.logit(outputs, classes)

    from kerascam import targets

    explain = GradCAM(model, target=counted)
    draw = np.random.default_rng(0)
    for batch in (1, 3, 8, 2):
        images = draw.uniform(0, 255, (batch, SIZE, SIZE, 3)).astype("float32")
        explain(images, draw.integers(0, 1000, batch))
    for _ in range(50):  # TensorFlow's own buffers settle first
        explain(images[:1])
    gc.collect()
    before = resident_mebibytes()
    for _ in range(calls):
        explain(images[:1])
    gc.collect()
    return {
        "traces": traces,
        "calls": calls,
        "resident_growth_mib": resident_mebibytes() - before,
        "resident_mib": before,
    }


def resident_mebibytes() -> float:
    """Read this process's resident memory (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def fresh(codes: dict[str, str]) -> dict[str, float]:
    """Run each code in fresh processes, in turn; take the medians of the numbers they print."""
    times: dict[str, list[float]] = {name: [] for name in codes}
    for _ in range(STARTS):
        for name, code in codes.items():
            done = subprocess.run(
                [sys.executable, "-c", code], check=True, capture_output=True, text=True
            )
            times[name].append(float(done.stdout.split()[-1]))
    return {name: statistics.median(each) for name, each in times.items()}


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30, help="timed rounds of each contender")
    parser.add_argument("--calls", type=int, default=500, help="calls for the memory measurement")
    parser.add_argument("--json", type=Path, default=Path("overhead.json"), help="where to write")
    arguments = parser.parse_args()

    first = fresh({name: FIRST_CALL.format(**how) for name, how in FIRST_CALLS.items()})
    imported = fresh({"import": IMPORT})["import"]

    import keras

    keras.utils.set_random_seed(0)
    models = {
        "ResNet50": keras.applications.ResNet50(weights=None),
        "MobileNetV2": keras.applications.MobileNetV2(weights=None),
    }
    rows = [
        row
        for name, model in models.items()
        for row in overhead(name, model, [1, 8], arguments.rounds)
    ]
    steadiness = steady(models["MobileNetV2"], arguments.calls)
    report = {
        **machine(),
        "rounds": arguments.rounds,
        "overhead": rows,
        "first_call_s": first,
        "first_call_ratio": first["GradCAM"] / first["predict"],
        "import_ms": 1e3 * imported,
        **steadiness,
    }
    arguments.json.write_text(json.dumps(report, indent=2) + "\n")
    print(table(report))


def table(report: dict[str, Any]) -> str:
    """Word the report as Markdown."""
    lines = [
        f"TensorFlow {report['tensorflow']}, Keras {report['keras']}, {report['cores']} cores, "
        f"medians of {report['rounds']} interleaved rounds, {SIZE}×{SIZE} images.",
        "",
        "| model | batch | forward pass | GradCAM / forward | frozen / forward "
        "| frozen − live heatmap |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {row['model']} | {row['batch']} | {row['forward_ms']:.1f} ms "
        f"| {row['gradcam_ratio']:.3f} | {row['frozen_ratio']:.3f} "
        f"| {row['frozen_difference']:.1e} |"
        for row in report["overhead"]
    ]
    first = report["first_call_s"]
    lines += [
        "",
        f"First call, ResNet50, fresh process: GradCAM {first['GradCAM']:.2f} s, "
        f"model.predict {first['predict']:.2f} s: {report['first_call_ratio']:.2f} ×; "
        f"with cells that must be measured {first['measured']:.2f} s.",
        f"Traces over batches 1, 3, 8, 2 with other classes: {report['traces']}.",
        f"Resident memory over {report['calls']} calls: "
        f"{report['resident_growth_mib']:+.1f} MiB of {report['resident_mib']:.0f} MiB.",
        f"import kerascam: {report['import_ms']:.0f} ms.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
