"""What the input pipeline of the scene classification example costs beside a training step.

The next batches are made while the network works on this one, so training is not starved while the
share is below one, and hardly slowed down by the shared cores while it is far below. Everything is
measured in one process, interleaved, as medians.

    PYTHONPATH=examples python benchmarks/input_pipeline.py [--rounds 20] [--json FILE]
"""

import argparse
import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from timing import machine, medians

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

BATCH, CLASSES = 64, 6
IMAGES = 8 * BATCH
SERVED = 8  # batches of each timed pass through a pipeline
STEP = "training step"


class Setting(NamedTuple):
    """A network, its dtype policy, and the sides of images and of their crops in pixels."""

    network: str
    precision: str
    image: int
    crop: int


SETTINGS = [
    Setting("small", "float32", 96, 84),
    Setting("medium", "mixed_bfloat16", 128, 112),
]


def pipelines(setting: Setting) -> dict[tuple[str, str], Any]:
    """Return the data sets that serve a few batches by every recipe and mix."""
    import numpy as np

    from scene_classification.data.augmentation import MIXES, RECIPES, Augmenter
    from scene_classification.data.batches import training_batches

    shape = (IMAGES, setting.image, setting.image, 3)
    images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    labels = np.arange(IMAGES) % CLASSES
    return {
        (recipe, mix): training_batches(
            images,
            labels,
            CLASSES,
            batch_size=BATCH,
            augmenter=Augmenter(recipe, mix, size=setting.crop, seed=0),
            seed=0,
            first_step=0,
            last_step=SERVED,
        )
        for recipe in RECIPES
        for mix in MIXES
    }


def training_step(setting: Setting, batch: Any) -> Callable[[], Any]:
    """Return a step of training on a batch, as the example takes it."""
    import keras

    from scene_classification.networks.residual import residual_network

    network = residual_network(setting.network, input_shape=(None, None, 3), classes=CLASSES)
    network.compile(
        keras.optimizers.AdamW(1e-3, global_clipnorm=1.0),
        loss="categorical_crossentropy",
        jit_compile=False,
    )
    return lambda: network.train_on_batch(*batch)


def measure(setting: Setting, rounds: int) -> list[dict[str, Any]]:
    """Compare every pipeline with a training step on one of its batches."""
    from scene_classification.training.build import precision

    with precision(setting.precision):
        served = pipelines(setting)
        contenders: dict[str, Callable[[], Any]] = {
            " ".join(names): partial(list, batches) for names, batches in served.items()
        }
        batch = next(iter(served["light", "none"].take(1)))
        times = medians({STEP: training_step(setting, batch), **contenders}, rounds)
    return [
        {
            **setting._asdict(),
            "recipe": names[0],
            "mix": names[1],
            "pipeline_ms": 1e3 * times[" ".join(names)] / SERVED,
            "step_ms": 1e3 * times[STEP],
            "share": times[" ".join(names)] / SERVED / times[STEP],
        }
        for names in served
    ]


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20, help="timed rounds of each contender")
    parser.add_argument("--json", type=Path, help="where to write the figures as JSON")
    arguments = parser.parse_args()

    import keras

    keras.utils.set_random_seed(0)
    report = {
        **machine(),
        "rounds": arguments.rounds,
        "batch": BATCH,
        "pipelines": [row for setting in SETTINGS for row in measure(setting, arguments.rounds)],
    }
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(table(report))


def table(report: dict[str, Any]) -> str:
    """Word the report as Markdown."""
    lines = [
        f"TensorFlow {report['tensorflow']}, Keras {report['keras']}, {report['cores']} cores, "
        f"batches of {report['batch']}, medians of {report['rounds']} interleaved rounds.",
        "",
        "| network | precision | image / crop | recipe | mix | pipeline | step | share |",
        "| --- | --- | ---: | --- | --- | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {row['network']} | {row['precision']} | {row['image']} / {row['crop']} "
        f"| {row['recipe']} | {row['mix']} | {row['pipeline_ms']:.1f} ms "
        f"| {row['step_ms']:.0f} ms | {100 * row['share']:.1f} % |"
        for row in report["pipelines"]
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
