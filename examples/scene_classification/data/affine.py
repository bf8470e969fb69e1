"""A random map of the plane for each image: crop, mirror, turn and zoom in one resampling."""

from __future__ import annotations

import math
from typing import Any

import keras
import tensorflow as tf
from keras import ops


class RandomAffine(keras.layers.Layer):
    """Crop, mirror, turn and zoom each image its own way.

    The pixel p of the result shows what the image has at

        s + R(θ) M (p − c) / z,

    with c the center of the result, s that of the part of the image that it shows, R the rotation,
    M = diag(±1, 1) the mirror and z the zoom. One resampling costs a third of layers that follow
    each other, and blurs less. What lies outside of the image is its reflection.

    Args:
        turn: θ is even between −turn and turn, in degrees.
        zoom: z is even between these two, in its logarithm; above 1 makes things larger.
        mirror: Probability that left and right change places.
        size: Height and width of the result, in pixels, no more than the image's; s is even where
            such a crop fits. None keeps the image's size and center.
    """

    def __init__(
        self,
        turn: float,
        zoom: tuple[float, float] = (1.0, 1.0),
        *,
        mirror: float = 0.5,
        size: int | None = None,
    ) -> None:
        super().__init__(dtype="float32")
        self.turn, self.zoom, self.mirror, self.size = math.radians(turn), zoom, mirror, size
        self.generator = keras.random.SeedGenerator()

    def call(self, images: Any, training: bool = False) -> Any:
        """Return the images, shaped (batch, height, width, channels), each by its own map.

        Args:
            images: Shaped (batch, height, width, channels); height and width are known.
            training: Without it, only the middle is cut out.
        """
        (height, width), count = images.shape[1:3], ops.shape(images)[0]
        size = (self.size or height, self.size or width)
        if not training:
            top, left = (height - size[0]) // 2, (width - size[1]) // 2
            return images[:, top : top + size[0], left : left + size[1]]
        rows = map_rows(
            self._matrices(count),
            ops.stack(
                [self._middles(count, width, size[1]), self._middles(count, height, size[0])]
            ),
            ((size[1] - 1) / 2, (size[0] - 1) / 2),
        )
        # What keras.ops.image.affine_transform calls, which cannot say how large the result is.
        return tf.raw_ops.ImageProjectiveTransformV3(
            images=images,
            transforms=rows,
            output_shape=size,
            fill_value=0.0,
            interpolation="BILINEAR",
            fill_mode="REFLECT",
        )

    def _matrices(self, count: Any) -> Any:
        """Return R(θ) M / z of each image, shaped (2, 2, count)."""
        low, high = (math.log(zoom) for zoom in self.zoom)
        turn = self._draw(count, -self.turn, self.turn)
        scale = ops.exp(-self._draw(count, low, high))
        sign = ops.where(self._draw(count, 0.0, 1.0) < self.mirror, -1.0, 1.0)
        cos, sin = scale * ops.cos(turn), scale * ops.sin(turn)
        return ops.stack([ops.stack([sign * cos, -sin]), ops.stack([sign * sin, cos])])

    def _middles(self, count: Any, side: int, size: int) -> Any:
        slack = (side - size) / 2
        return (side - 1) / 2 + self._draw(count, -slack, slack)

    def _draw(self, count: Any, low: float, high: float) -> Any:
        return keras.random.uniform((count,), low, high, seed=self.generator)


def map_rows(matrices: Any, sources: Any, center: tuple[float, float]) -> Any:
    """Write p ↦ s + A (p − c) in eight numbers, as TensorFlow's projective transform takes them.

    Args:
        matrices: A of each image, on pairs (x, y), shaped (2, 2, count).
        sources: s of each image, shaped (2, count), in pixels.
        center: c, in pixels.

    Returns:
        Shaped (count, 8).
    """
    a, b, c, d = matrices[0, 0], matrices[0, 1], matrices[1, 0], matrices[1, 1]
    x, y = center
    none = ops.zeros_like(a)
    return ops.stack(
        [a, b, sources[0] - a * x - b * y, c, d, sources[1] - c * x - d * y, none, none], axis=1
    )
