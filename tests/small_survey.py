"""A small network and photographs of noise, for tests of surveys."""

import cv2
import keras
import numpy as np
from keras import layers as L


def make_model(classes, seed=0, side=12):
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.Input((side, side, 3)),
            L.Rescaling(1 / 255),
            L.Conv2D(5, 3, strides=2, padding="same", activation="relu", name="last"),
            L.GlobalAveragePooling2D(),
            L.Dense(classes, activation="softmax"),
        ]
    )


def write_place(folder, names, count):
    """Write a model, its class names, and photographs in a folder of each class by turns.

    One more file is none.
    """
    make_model(len(names)).save(folder / "model.keras")
    (folder / "names.txt").write_text("\n".join(names))
    rng = np.random.default_rng(0)
    for number in range(count):
        file = folder / "photos" / names[number % len(names)] / f"{number:02d}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(file), rng.integers(0, 255, (20, 30, 3), np.uint8))
    (folder / "photos" / "bee" / "00.jpg").write_bytes(b"no photograph")
