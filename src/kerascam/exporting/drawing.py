"""Make photographs and heatmaps ready, inside a graph, to be painted by `pictures.painter`."""

import keras
import tensorflow as tf

from ..pictures import brightened, shrunk_size


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
        size = shrunk_size((own[0], own[1]), side, keras.ops)
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
    if of_pixels:
        return brightened(heat[None], keras.ops)[0]
    top = tf.reduce_max(tf.abs(heat))
    return heat / tf.where(top > 0, top, 1.0)
