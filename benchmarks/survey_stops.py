"""Kill a survey at random moments, and break files in ten ways: is the table as it should be?

`python benchmarks/survey_stops.py` takes some minutes and prints what it found.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

WORK = """
import os, sys
import keras, kerascam
folder, out = sys.argv[1:]
model = keras.saving.load_model(folder + "/model.keras")
explainer = kerascam.GradCAM(model, class_names=["even", "odd"])
show = lambda done, total: print(done, flush=True)
kerascam.explain_dataset(
    explainer, folder + "/photos", out, batch_size=16, shard_size=64, progress=show)
"""


def photographs(folder: Path, count: int) -> None:
    """Write a model, and photographs of random blocks in two folders."""
    import cv2
    import keras
    import numpy as np

    keras.utils.set_random_seed(0)
    layers = keras.layers
    keras.Sequential(
        [
            keras.Input((64, 64, 3)),
            layers.Rescaling(1 / 255),
            *[layers.Conv2D(32, 3, strides=2, padding="same", activation="relu") for _ in "123"],
            layers.GlobalAveragePooling2D(),
            layers.Dense(2, activation="softmax"),
        ]
    ).save(folder / "model.keras")
    rng = np.random.default_rng(0)
    for number in range(count):
        file = folder / "photos" / ("odd" if number % 2 else "even") / f"{number:05d}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        blocks = rng.integers(0, 255, (8, 8, 3), np.uint8)
        cv2.imwrite(str(file), cv2.resize(blocks, (96, 96), interpolation=cv2.INTER_CUBIC))


def run(folder: Path, out: Path, after: float | None = None) -> bool:
    """Run a survey in a process of its own; whether it ended.

    Args:
        folder: Where model and photographs are.
        out: Where the survey goes.
        after: Kill it so many seconds after its first image may be explained.
    """
    command = [sys.executable, "-c", WORK, str(folder), str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        if after is not None and process.stdout is not None:
            process.stdout.readline()
            time.sleep(after)
            process.kill()
        process.communicate()
    if process.returncode not in (0, -signal.SIGKILL):
        raise RuntimeError(f"the survey ended with {process.returncode}")
    return process.returncode == 0


def shards(out: Path) -> dict[str, bytes]:
    """Read the files of a table."""
    return {path.name: path.read_bytes() for path in sorted(out.glob("shard-*"))}


def kill(folder: Path, times: int, seed: int) -> None:
    """Kill a survey so many times, each time from the start on, and let it end."""
    import json

    run(folder, folder / "whole")
    expected = shards(folder / "whole")
    manifest = json.loads((folder / "whole" / "manifest.json").read_text())
    draws, same, written = random.Random(seed), 0, []
    for number in range(times):
        out = folder / f"killed{number}"
        ended = run(folder, out, draws.uniform(0, manifest["seconds"]))
        written.append(len(shards(out)))
        if not ended:
            run(folder, out)
        same += shards(out) == expected
    print(
        f"{manifest['images']} images in {len(expected)} shards, killed at {times} random moments"
    )
    print(f"shards that were there after the kills: {', '.join(map(str, written))}")
    print(f"went on to the same bytes: {same} of {times}")


def broken(folder: Path, count: int) -> None:
    """Break one file in twenty, in ten ways, and survey them."""
    import kerascam

    files = sorted((folder / "photos").rglob("*.jpg"))[:count]
    for each in sorted((folder / "photos").rglob("*.jpg"))[count:]:
        each.unlink()
    bad = files[::20]
    for number, file in enumerate(bad):
        content = file.read_bytes()
        ways = [
            b"", b"no photograph", content[: len(content) // 3], bytes(len(content)),
            content[:20], b"<!doctype html>", b"GIF89a", b"\x89PNG\r\n\x1a\n" + content[8:],
            content[::-1], None,
        ]  # fmt: skip
        way = ways[number % 10]
        file.unlink()
        if way is None:
            file.symlink_to(folder / "nowhere")
        else:
            file.write_bytes(way)
    run(folder, folder / "broken")
    found = kerascam.read_survey(folder / "broken")
    named = {name for name, _ in found.failures()}
    expected = {file.relative_to(folder / "photos").as_posix() for file in bad}
    print(f"{count} files, {len(bad)} broken in ten ways: {len(named)} named, all of them and no")
    print(f"other: {named == expected}; rows of the others: {len(found)} of {count - len(bad)}")


def main() -> None:
    """Run both and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        photographs(Path(made), arguments.images)
        kill(Path(made), arguments.kills, arguments.seed)
        broken(Path(made), arguments.images // 2)


if __name__ == "__main__":
    main()
