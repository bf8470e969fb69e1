"""What it costs to watch a training: the callback's own time beside the epoch that it ends.

The scene example's small network learns drawn scenes, 2,400 images of 96 pixels per epoch, and 16
others are explained at the end of each. Ways to record them stand side by side in one training, so
that each has been timed in the same epochs; what is said is the median.

    PYTHONPATH=examples python benchmarks/callback.py [--epochs 8] [--json FILE]
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from timing import machine

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

BATCH, SIDE, WATCHED = 64, 96, 16
PER_CLASS = 400


def timed(callback: Any, times: dict[str, list[float]]) -> Any:
    """Time a callback's beginning and its ends of epochs."""

    def around(name: str) -> None:
        work = getattr(callback, name)

        def run(*arguments: Any) -> None:
            start = time.perf_counter()
            work(*arguments)
            times.setdefault(name, []).append(time.perf_counter() - start)

        setattr(callback, name, run)

    around("on_train_begin")
    around("on_epoch_end")
    return callback


def ways(model: Any, images: Any, labels: Any, classes: Any, folder: Path) -> dict[str, Any]:
    """Make a callback for each way to record."""
    from kerascam import ExplainCallback, GradCAM, LayerCAM, Saliency

    places = {
        "TensorBoard": {"log_dir": folder / "events"},
        "sheets": {"folder": folder / "sheets"},
        "both": {"log_dir": folder / "both", "folder": folder / "both"},
    }
    made = {
        f"Grad-CAM, {name}": ExplainCallback(
            images, GradCAM(model, class_names=classes), labels, **place
        )
        for name, place in places.items()
    }
    return made | {
        f"{method.__name__}, both": ExplainCallback(
            images, method(model, class_names=classes), labels, **places["both"]
        )
        for method in (LayerCAM, Saliency)
    }


def train(epochs: int, folder: Path) -> list[dict[str, Any]]:
    """Train under all ways at once, and give a row for each."""
    import keras
    import numpy as np

    from scene_classification.data.augmentation import Augmenter, crop_size
    from scene_classification.data.batches import decode_images, steps_per_epoch, training_batches
    from scene_classification.data.drawn.folder import write_drawn_scenes
    from scene_classification.data.folder import read_folder
    from scene_classification.networks.residual import residual_network

    scenes = read_folder(write_drawn_scenes(folder / "scenes", train=PER_CLASS, test=3, size=SIDE))
    images = decode_images(scenes.train, SIDE)
    steps = steps_per_epoch(len(images), BATCH)
    batches = training_batches(
        images,
        scenes.train.labels,
        len(scenes.classes),
        batch_size=BATCH,
        augmenter=Augmenter("light", "none", size=crop_size(SIDE), seed=0),
        seed=0,
        first_step=0,
        last_step=epochs * steps,
    )
    watched = np.linspace(0, len(scenes.test) - 1, WATCHED).astype(int)
    pictures = decode_images(scenes.test, SIDE)[watched]
    network = residual_network("small", input_shape=(None, None, 3), classes=len(scenes.classes))
    network.compile(
        keras.optimizers.AdamW(1e-3, global_clipnorm=1.0),
        loss="categorical_crossentropy",
        jit_compile=False,
    )
    callbacks = ways(network, pictures, scenes.test.labels[watched], scenes.classes, folder)
    times: dict[str, dict[str, list[float]]] = {name: {} for name in callbacks}
    starts: list[float] = []
    ends: list[float] = []
    clock = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda *_: starts.append(time.perf_counter()),
        on_epoch_end=lambda *_: ends.append(time.perf_counter()),
    )
    network.fit(
        batches,
        epochs=epochs,
        steps_per_epoch=steps,
        verbose=0,
        shuffle=False,
        callbacks=[clock, *(timed(callback, times[name]) for name, callback in callbacks.items())],
    )
    # The first epoch traces the training step and warms up the rest.
    epoch = statistics.median(b - a for a, b in list(zip(starts, ends, strict=True))[1:])
    return [
        {
            "record": name,
            "images": WATCHED,
            "epoch_s": epoch,
            "callback_ms": 1e3 * statistics.median(found["on_epoch_end"][1:]),
            "share": statistics.median(found["on_epoch_end"][1:]) / epoch,
            "once_s": found["on_train_begin"][0],
        }
        for name, found in times.items()
    ]


def table(report: dict[str, Any]) -> str:
    """Word the report as Markdown."""
    lines = [
        f"TensorFlow {report['tensorflow']}, Keras {report['keras']}, {report['cores']} cores, "
        f"{6 * PER_CLASS:,} images of {SIDE} pixels per epoch, medians of {report['epochs'] - 1} "
        "epochs.",
        "",
        "| recorded | images | epoch | callback | share of the epoch | once, at the beginning |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {row['record']} | {row['images']} | {row['epoch_s']:.1f} s "
        f"| {row['callback_ms']:.0f} ms | {100 * row['share']:.2f} % | {row['once_s']:.1f} s |"
        for row in report["ways"]
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--epochs", type=int, default=8, help="the first one is not counted")
    parser.add_argument("--json", type=Path, help="where to write the figures as JSON")
    arguments = parser.parse_args()
    if arguments.epochs < 2:
        parser.error(
            f"--epochs must be at least 2, not {arguments.epochs}: the first is no measure"
        )

    import keras

    keras.utils.set_random_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        rows = train(arguments.epochs, Path(folder))
    report = {**machine(), "epochs": arguments.epochs, "ways": rows}
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(table(report))


if __name__ == "__main__":
    main()
