"""What training images go through: Keras's own augmentation layers, seeded by the step.

Every draw is a function of the run's seed and the step's number, so a run that was stopped and goes
on sees the images that it would have seen. Each layer computes in a dtype of its own whatever the
network's: moving pixels is cheapest as bytes, and half precision would round colors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from keras import layers

from scene_classification.data.affine import RandomAffine
from scene_classification.data.mirror import RandomMirror

#: Training crops are this share of the image, so that a crop can be anywhere.
CROP = 0.875
#: Draws that one layer makes in a step; steps this far apart never share one.
DRAWS_PER_STEP = 64
#: RGB 0–255 as the layers below take it: Keras's settings of their dtype and range.
BYTES: dict[str, Any] = {"dtype": "uint8"}
FLOATS: dict[str, Any] = {"dtype": "float32"}
COLORS: dict[str, Any] = {"dtype": "float32", "value_range": (0, 255)}


def crop_size(image_size: int) -> int:
    """Return the height and width, in pixels, of the training crops of images of a size."""
    return round(CROP * image_size)


def light(size: int) -> list[keras.Layer]:
    """Crop, mirror and change the light: cheap, and what a photographer's next step would do."""
    return [*_cropped_and_mirrored(size), *_light()]


def standard(size: int) -> list[keras.Layer]:
    """Turn and zoom as well, each image its own way."""
    return [RandomAffine(7.0, zoom=(0.9, 1.25), mirror=0.5, size=size), *_light()]


def randaugment(size: int) -> list[keras.Layer]:
    """Crop and mirror, then two of nine operations, after RandAugment (Cubuk et al., 2020).

    As in Keras's layer of that name, a batch shares its two operations and each image has its own
    magnitudes; here only those two are computed. Three of the paper's operations are left out:
    equalization costs as much as five others, a solarized scene is no scene, and Keras's sharpness
    leaves a dark frame.
    """
    return [*_cropped_and_mirrored(size), OneOf(_operations()), OneOf(_operations())]


def _cropped_and_mirrored(size: int) -> list[keras.Layer]:
    return [layers.RandomCrop(size, size, **BYTES), RandomMirror()]


def _light() -> list[keras.Layer]:
    return [layers.RandomBrightness(0.15, **COLORS), layers.RandomContrast(0.2, **COLORS)]


def _operations() -> list[keras.Layer]:
    return [
        layers.Identity(**FLOATS),
        RandomAffine(15.0, mirror=0.0),
        layers.RandomShear(0.15, 0.15, fill_mode="reflect", **FLOATS),
        layers.RandomTranslation(0.15, 0.15, fill_mode="reflect", **FLOATS),
        layers.RandomBrightness(0.3, **COLORS),
        layers.RandomContrast(0.4, **COLORS),
        layers.RandomColorDegeneration(0.7, **COLORS),
        layers.RandomPosterization((4, 8), **COLORS),
        layers.AutoContrast(**COLORS),
    ]


RECIPES: dict[str, Callable[[int], list[keras.Layer]]] = {
    "light": light,
    "standard": standard,
    "randaugment": randaugment,
}

MIXES: dict[str, Callable[[], list[keras.Layer]]] = {
    "none": lambda: [],
    "mixup": lambda: [layers.MixUp(alpha=0.2, **FLOATS)],
    "cutmix": lambda: [layers.CutMix(factor=1.0, **FLOATS)],
    "both": lambda: [layers.MixUp(alpha=0.2, **FLOATS), layers.CutMix(factor=1.0, **FLOATS)],
}


class OneOf(keras.layers.Layer):
    """Let one of several layers, drawn for the whole batch, do its work; the others do none.

    Args:
        choices: The layers, equally likely.
    """

    def __init__(self, choices: list[keras.Layer]) -> None:
        super().__init__(dtype="float32")
        self.choices = choices
        self.generator = keras.random.SeedGenerator()

    def call(self, images: Any, training: bool = False) -> Any:
        """Return the images after the layer drawn."""
        drawn = keras.random.randint((), 0, len(self.choices), seed=self.generator)
        return tf.switch_case(
            drawn, [lambda layer=layer: layer(images, training=training) for layer in self.choices]
        )


class Augmenter:
    """Vary a batch of training images, the same way whenever the same step comes.

    Args:
        recipe: A name in `RECIPES`.
        mix: A name in `MIXES`. With `"both"`, steps take turns.
        size: Height and width to crop to, in pixels.
        seed: The seed of every draw.

    Raises:
        ValueError: If `recipe` or `mix` is unknown.
    """

    def __init__(self, recipe: str, mix: str, *, size: int, seed: int) -> None:
        if recipe not in RECIPES:
            raise ValueError(f"augment={recipe!r} is unknown; choose one of {sorted(RECIPES)}")
        if mix not in MIXES:
            raise ValueError(f"mix={mix!r} is unknown; choose one of {sorted(MIXES)}")
        self._seed = seed
        self._layers = RECIPES[recipe](size)
        self._mixes = MIXES[mix]()

    def __call__(self, step: Any, images: Any, labels: Any) -> tuple[Any, Any]:
        """Return the images (float32, 0–255) and labels of this step, varied.

        Args:
            step: Number of the step, a scalar int64 tensor.
            images: RGB 0–255, uint8, shaped (batch, height, width, 3).
            labels: One row of class shares for each image, shaped (batch, classes).
        """
        self._rewind(step)
        for layer in self._layers:
            images = layer(tf.cast(images, layer.compute_dtype), training=True)
        images = tf.cast(images, tf.float32)
        if self._mixes:
            blends = [lambda mix=mix: _mixed(mix, images, labels) for mix in self._mixes]
            images, labels = tf.switch_case(tf.cast(step % len(blends), tf.int32), blends)
        return tf.clip_by_value(images, 0.0, 255.0), labels

    def _rewind(self, step: Any) -> None:
        # A Keras seed generator is the pair (seed, number of draws so far).
        drawn = tf.cast(step, tf.int64) * DRAWS_PER_STEP
        for number, generator in enumerate(self._generators()):
            state = tf.stack([tf.constant(self._seed + 1000 * number, tf.int64), drawn])
            generator.state.assign(tf.cast(state, generator.state.dtype))

    def _generators(self) -> list[Any]:
        top = [*self._layers, *self._mixes]
        found = [sub for layer in top for sub in layer._flatten_layers()]
        return [layer.generator for layer in found if hasattr(layer, "generator")]


def _mixed(mix: keras.Layer, images: Any, labels: Any) -> tuple[Any, Any]:
    blend = mix({"images": images, "labels": labels}, training=True)
    return blend["images"], blend["labels"]
