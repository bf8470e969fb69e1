"""Draw an overlay inside a graph: the same picture as `Explanation.overlay`, to the last bit.

Each step here is the one of `explanation` and `render`, in the same order and precision; their
tests compare the bytes.
"""

from typing import Any

import numpy as np
import tensorflow as tf

from ..pictures.figure import BRIGHT_PERCENTILE
from ..pictures.render import choose_colormap


def palette(colormap: str, *, signed: bool) -> np.ndarray:
    """List the colours of a colormap, from the lowest to the highest value.

    Args:
        colormap: A matplotlib name, or "auto".
        signed: Whether the middle is zero.

    Returns:
        Shape (colours, 3), uint8 RGB.

    Example:
        >>> palette("gray", signed=False)[[0, 255]].tolist()
        [[0, 0, 0], [255, 255, 255]]
    """
    colors = choose_colormap(colormap, signed=signed)
    return np.asarray(colors(np.arange(colors.N), bytes=True))[:, :3]


def shrink(photo: tf.Tensor, side: int | None) -> tf.Tensor:
    """Shrink a photograph to what is drawn on; one that is small enough stays as it is.

    Args:
        photo: Shape (height, width, 3), uint8 RGB.
        side: How long the longer side may be, in pixels; None for any length.

    Returns:
        Shape (at most height, at most width, 3), uint8 RGB.
    """
    if side is None:
        return photo
    own = tf.shape(photo)[:2]
    longer = tf.reduce_max(own)

    def shrunk() -> tf.Tensor:
        exact = tf.cast(own, tf.float64) * side / tf.cast(longer, tf.float64)
        size = tf.maximum(tf.cast(tf.round(exact), tf.int32), 1)
        pixels = tf.image.resize(photo, size, tf.image.ResizeMethod.AREA)
        return tf.cast(tf.round(pixels), tf.uint8)

    return tf.cond(longer > side, shrunk, lambda: photo)


def shown(heatmap: tf.Tensor, *, of_pixels: bool, scaled: bool) -> tf.Tensor:
    """Bring one heatmap into [-1, 1], as pictures show it.

    Args:
        heatmap: Shape (h, w).
        of_pixels: Whether it is a gradient method's: a few pixels hold its maximum, and it is
            drawn up to a percentile.
        scaled: Whether its values are in [-1, 1] already.

    Returns:
        Shape (h, w), float32.
    """
    heat = tf.cast(heatmap, tf.float32)
    if scaled and not of_pixels:
        return heat
    strength = tf.reshape(tf.abs(heat), [-1])
    top = tf.reduce_max(strength)
    if of_pixels:
        count = tf.size(strength)
        share = tf.constant(BRIGHT_PERCENTILE / 100, tf.float64)
        place = tf.cast(tf.math.ceil(tf.cast(count - 1, tf.float64) * share), tf.int32)
        bright = tf.math.top_k(strength, count - place).values[-1]
        top = tf.where(bright > 0, bright, top)
    heat = heat / tf.where(top > 0, top, 1.0)
    return tf.clip_by_value(heat, -1, 1) if of_pixels else heat


def overlay(
    photo: tf.Tensor, heat: tf.Tensor, colors: np.ndarray, alpha: float, *, signed: bool
) -> tf.Tensor:
    """Lay a heatmap over its photo: round(alpha * colour + (1 - alpha) * photo) in each pixel.

    Args:
        photo: Shape (height, width, 3), uint8 RGB.
        heat: Shape (h, w), in [-1, 1]; resized to the photo.
        colors: A palette.
        alpha: Opacity of the colours.
        signed: Whether the middle colour is zero.

    Returns:
        Shape (height, width, 3), uint8 RGB.
    """
    size = tf.shape(photo)
    heat = _stretch(_stretch(heat, 0, size[0]), 1, size[1])
    low = -1 if signed else 0
    unit = (tf.clip_by_value(heat, low, 1) - low) / (1 - low)
    last = len(colors) - 1
    places = tf.minimum(tf.cast(unit * len(colors), tf.int32), last)
    # Colours are multiplied in the palette, where there are few, and not in every pixel.
    weighted = tf.constant(np.float32(alpha) * colors.astype(np.float32))
    under = np.float32(1 - alpha) * tf.cast(photo, tf.float32)
    return tf.cast(tf.round(tf.gather(weighted, places) + under), tf.uint8)


def _stretch(heat: tf.Tensor, axis: int, length: tf.Tensor) -> tf.Tensor:
    old = tf.shape(heat)[axis]
    scale = tf.cast(old, tf.float64) / tf.cast(length, tf.float64)
    places = (tf.cast(tf.range(length), tf.float64) + 0.5) * scale - 0.5
    places = tf.clip_by_value(places, 0, tf.cast(old - 1, tf.float64))
    before = tf.floor(places)
    share = tf.expand_dims(tf.cast(places - before, heat.dtype), 1 - axis)
    before = tf.cast(before, tf.int32)
    after = tf.minimum(before + 1, old - 1)
    return _take(heat, before, axis) * (1 - share) + _take(heat, after, axis) * share


def _take(heat: tf.Tensor, places: tf.Tensor, axis: int) -> Any:
    return tf.gather(heat, places, axis=axis)
