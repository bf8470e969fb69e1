"""What a survey costs: beside the model's forward pass, in memory, on disk, and by workers of Ray.

    python benchmarks/survey.py [speed] [memory] [workers] [--images 256] [--rounds 5]

Without a part all are measured: some ten minutes on two processors, and 1.5 GB of memory.
Photographs are drawn noise, so that no other data is needed.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from timing import machine

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

PARTS = ("speed", "memory", "workers")
NETWORKS = ("MobileNetV2", "ResNet50")
GOAL = 0.9
COUNTS = (10_000, 1_000_000)

# A model so small that 1,000,000 images take minutes, and images that are made as they are needed.
MEMORY = """
import resource, sys, tempfile, time
import keras, tensorflow as tf
import kerascam
from keras import layers

count = int(sys.argv[1])
keras.utils.set_random_seed(0)
model = keras.Sequential([
    keras.Input((16, 16, 3)), layers.Conv2D(8, 3, strides=2, padding="same", activation="relu"),
    layers.GlobalAveragePooling2D(), layers.Dense(4, activation="softmax")])

def batch(numbers):
    return tf.random.stateless_uniform((tf.size(numbers), 16, 16, 3), (numbers[0], 0))

images = tf.data.Dataset.range(count).batch(256).map(batch)
seen = []
def show(done, total):
    with open("/proc/self/statm") as file:
        seen.append(int(file.read().split()[1]) * resource.getpagesize() / 2**20)
start = time.perf_counter()
with tempfile.TemporaryDirectory() as out:
    survey = kerascam.explain_dataset(
        kerascam.GradCAM(model), images, out, batch_size=256, shard_size=8192, progress=show)
    seconds = time.perf_counter() - start
    size = sum(path.stat().st_size for path in survey.folder.glob("shard-*"))
    assert survey.manifest["images"] == count
    early = max(seen[: len(seen) // 10 or 1]) if count > 100_000 else max(seen)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    print(max(seen), early, peak, seconds, size / count)
"""


def network(name: str) -> Any:
    """Build a network with random weights."""
    import keras

    keras.utils.set_random_seed(0)
    return getattr(keras.applications, name)(weights=None)


def photographs(folder: Path, count: int) -> Path:
    """Write photographs of random blocks, 320 pixels wide."""
    import cv2
    import numpy as np

    rng = np.random.default_rng(0)
    folder.mkdir()
    for number in range(count):
        blocks = rng.integers(0, 255, (24, 32, 3), np.uint8)
        photo = cv2.resize(blocks, (320, 240), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(folder / f"{number:05d}.jpg"), photo)
    return folder


def speed(name: str, photos: Path, rounds: int) -> dict[str, float]:
    """Time a survey, and the forward pass alone on batches of the same files, in turn.

    Both are compiled before. Each goes over all files: read by the same threads, decoded, fitted,
    put into batches ahead of the model; the survey computes maps, relevance and the heat's place
    beside the predictions, and writes the table.
    """
    import tensorflow as tf

    import kerascam
    from kerascam.ahead import ahead
    from kerascam.pictures import MAX_PIXELS
    from kerascam.surveying.jobs import job_of
    from kerascam.surveying.running import run
    from kerascam.surveying.store import Store

    model = network(name)
    forward = tf.function(lambda images: model(images, training=False), reduce_retracing=True)
    with tempfile.TemporaryDirectory() as folder:
        job, settings = job_of(
            kerascam.GradCAM(model), photos, Store(Path(folder)), None, labels=None, fit="stretch",
            preprocess="-1-1", size=None, max_pixels=MAX_PIXELS, depth=16, batch_size=32,
            shard_size=64, threads=None,
        )  # fmt: skip
        job.first  # noqa: B018 - compiles
        count = job.items.count or 0
        shards = range(-(-count // job.shard_size))
        turns = iter(range(100))
        sizes = []

        def predict() -> None:
            with ahead(job.prepared(shards), 2) as batches:
                for batch in batches:
                    forward(batch.images).numpy()

        def survey() -> None:
            store = Store(Path(folder) / str(next(turns)))
            own = store.begin(settings, {})
            run(job, store, own, lambda done, total: None)
            sizes.append(sum(path.stat().st_size for path in store.shards()))

        contenders: dict[str, Callable[[], None]] = {"forward": predict, "survey": survey}
        times: dict[str, list[float]] = {each: [] for each in contenders}
        for turn in range(rounds + 1):
            for each in sorted(contenders, reverse=bool(turn % 2)):
                start = time.perf_counter()
                contenders[each]()
                if turn:  # the first warms up
                    times[each].append(time.perf_counter() - start)
    rates = {each: count / statistics.median(taken) for each, taken in times.items()}
    ratios = [one / two for one, two in zip(times["forward"], times["survey"], strict=True)]
    return {
        **rates,
        "ratio": statistics.median(ratios),
        "low": min(ratios),
        "high": max(ratios),
        "bytes": sizes[0] / count,
    }


def memory(count: int) -> list[float]:
    """Survey images in a process of its own; MiB at most, in the first tenth and in all."""
    command = [sys.executable, "-c", MEMORY, str(count)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return [float(word) for word in done.stdout.split()]


def workers(photos: Path, rounds: int) -> tuple[float, float, bool]:
    """Time whole calls in turn, by one process and by two workers; and whether bytes are alike."""
    import kerascam

    model = network(NETWORKS[0])
    times: dict[bool, list[float]] = {False: [], True: []}
    tables = set()
    for turn in range(rounds):
        for by_ray in (False, True) if turn % 2 else (True, False):
            with tempfile.TemporaryDirectory() as folder:
                start = time.perf_counter()
                survey = kerascam.explain_dataset(
                    kerascam.GradCAM(model), photos, folder, preprocess="-1-1", shard_size=32,
                    workers=kerascam.RayWorkers(workers=2) if by_ray else None, progress=False,
                )  # fmt: skip
                times[by_ray].append(time.perf_counter() - start)
                tables.add(b"".join(path.read_bytes() for path in survey.folder.glob("sh*-*")))
    alone, two = (statistics.median(times[by_ray]) for by_ray in (False, True))
    return alone, two, len(tables) == 1


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="what is measured")
    parser.add_argument("--images", type=int, default=256, help="photographs")
    parser.add_argument("--rounds", type=int, default=5, help="timed rounds of each contender")
    arguments = parser.parse_args()
    parts = arguments.parts or PARTS
    print(f"{machine()}; load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        photos = photographs(Path(folder) / "photos", arguments.images)
        for name in NETWORKS if "speed" in parts else ():
            found = speed(name, photos, arguments.rounds)
            met = "met" if found["ratio"] >= GOAL else "missed"
            print(
                f"{name}: {found['survey']:.1f} images a second, {found['forward']:.1f} by the "
                f"forward pass alone; ratio {found['ratio']:.2f} ({found['low']:.2f} to "
                f"{found['high']:.2f}), goal {GOAL} {met}; {found['bytes']:.0f} bytes an image"
            )
        for count in COUNTS if "memory" in parts else ():
            most, early, peak, seconds, size = memory(count)
            print(
                f"{count:,} images: {most:.0f} MiB at most while it ran ({early:.0f} in the first "
                f"tenth), {peak:.0f} in all; {count / seconds:.0f} images a second, {size:.0f} "
                f"bytes an image"
            )
        if "workers" in parts:
            alone, two, same = workers(photos, max(2, arguments.rounds // 2))
            print(
                f"{arguments.images} images: {alone:.1f} s by one process, {two:.1f} s by two "
                f"workers with their start, ratio {alone / two:.2f}; the same bytes: {same}"
            )


if __name__ == "__main__":
    main()
