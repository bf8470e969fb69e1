"""What the shortcuts of a residual network are worth: it and a plain network of the same depth.

Both have the same convolutions, begin from the same seed and see the same batches of drawn scenes;
one adds its input to each block, the other does not. The losses of every epoch are written beside
the example's networks, whose report and documentation draw them.

    PYTHONPATH=examples python benchmarks/depth.py [--epochs 20]
"""

import argparse
import json
import os
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

SIDE, PER_CLASS, HELD, BATCH, RATE = 48, 200, 40, 64, 1e-3
#: 6 blocks a stage: 48 convolutions in blocks, and the stem's.
WIDTHS, BLOCKS = (16, 24, 32, 48), (6, 6, 6, 6)


def curves(shortcuts: bool, epochs: int, folder: Path) -> dict[str, list[float]]:
    """Train one network, and return its losses and accuracies, a number an epoch."""
    import keras

    from scene_classification.data.augmentation import Augmenter
    from scene_classification.data.batches import (
        decode_images,
        evaluation_batches,
        steps_per_epoch,
        training_batches,
    )
    from scene_classification.data.folder import read_folder
    from scene_classification.networks.residual import Size, residual_network

    keras.utils.set_random_seed(0)
    scenes = read_folder(folder)
    images = decode_images(scenes.train, SIDE)
    steps, classes = steps_per_epoch(len(images), BATCH), len(scenes.classes)
    network = residual_network(
        Size(WIDTHS, BLOCKS),
        input_shape=(SIDE, SIDE, 3),
        classes=classes,
        shortcuts=shortcuts,
    )
    network.compile(
        keras.optimizers.AdamW(RATE, global_clipnorm=1.0),
        loss="categorical_crossentropy",
        metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
        jit_compile=False,
    )
    history = network.fit(
        training_batches(
            images,
            scenes.train.labels,
            classes,
            batch_size=BATCH,
            augmenter=Augmenter("light", "none", size=SIDE, seed=0),
            seed=0,
            first_step=0,
            last_step=epochs * steps,
        ),
        validation_data=evaluation_batches(
            decode_images(scenes.test, SIDE), scenes.test.labels, classes, batch_size=BATCH
        ),
        epochs=epochs,
        steps_per_epoch=steps,
        shuffle=False,
        verbose=0,
    ).history
    return {name: [round(value, 4) for value in values] for name, values in history.items()}


def main() -> None:
    """Train both, and write what they reached."""
    from scene_classification.data.drawn.folder import write_drawn_scenes
    from scene_classification.networks.depth import DEPTH

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=20)
    epochs = parser.parse_args().epochs
    with tempfile.TemporaryDirectory() as made:
        folder = write_drawn_scenes(Path(made) / "scenes", train=PER_CLASS, test=HELD, size=SIDE)
        report: dict[str, Any] = {
            "convolutions": 1 + 2 * sum(BLOCKS),
            "images": 6 * PER_CLASS,
            "held_out": 6 * HELD,
            "side": SIDE,
            "plain": curves(False, epochs, folder),
            "residual": curves(True, epochs, folder),
        }
    DEPTH.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    for name in ("plain", "residual"):
        print(f"{name}: loss {report[name]['loss'][-1]}, held out {report[name]['val_loss'][-1]}")


if __name__ == "__main__":
    main()
