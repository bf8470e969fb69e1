"""Decode image files inside a graph, and bring them to a model's size."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras
import tensorflow as tf

from ..pictures import Kernels, area_then_linear, crop
from .claims import is_jpeg
from .limits import Limits
from .orientation import upright


def _whole(method: str) -> Callable[[tf.Tensor, Any], tf.Tensor]:
    # In whole numbers, halves upward, as OpenCV does it in Python.
    return lambda photo, size: tf.floor(tf.image.resize(photo, size, method) + 0.5)


_KERNELS = Kernels(_whole("area"), _whole("bilinear"))


def _by_area(photo: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    return area_then_linear(photo, size, _KERNELS, keras.ops)


#: How a photograph is resized: a network answers best what is resized as its training images were.
RESIZERS: dict[str, Callable[[tf.Tensor, tuple[int, int]], tf.Tensor]] = {
    "area": _by_area,
    "bilinear": tf.image.resize,
    "antialias": partial(tf.image.resize, antialias=True),
}


@dataclass(frozen=True)
class Fitting:
    """How a photograph of any size becomes what a model of one size takes.

    Attributes:
        size: The (height, width) that the model takes, in pixels.
        channels: 3 for RGB, 1 for grey.
        resize: One of RESIZERS.
        crop: Whether the largest middle part in the model's proportions is taken, and not the
            whole photograph stretched.
        limits: What the files of one request may hold.
    """

    size: tuple[int, int]
    channels: int
    resize: str
    crop: bool
    limits: Limits

    def decode(self, data: tf.Tensor) -> tf.Tensor:
        """Decode one file: the part of the photograph that the model sees, at its own resolution.

        Upright by its EXIF orientation; an alpha channel is dropped and the colours under it kept.

        Args:
            data: Shape (), the file's bytes, found to be within the limits.

        Returns:
            Shape (height, width, 3), uint8 RGB.
        """
        photo = tf.cond(
            is_jpeg(data),
            # The transform that other decoders use too; TensorFlow's own choice is a coarser one.
            lambda: tf.io.decode_jpeg(data, channels=3, dct_method="INTEGER_ACCURATE"),
            lambda: tf.io.decode_image(data, channels=3, expand_animations=False),
        )
        photo = upright(tf.ensure_shape(photo, (None, None, 3)), data)
        return crop(photo, self.size, keras.ops) if self.crop else photo

    def fit(self, photo: tf.Tensor) -> tf.Tensor:
        """Resize to what the model takes.

        Args:
            photo: Shape (height, width, 3), uint8 RGB.

        Returns:
            Shape (*size, channels), float32, from 0 to 255.
        """
        fitted = RESIZERS[self.resize](photo, self.size)
        return tf.image.rgb_to_grayscale(fitted) if self.channels == 1 else fitted


def decode_all(
    files: tf.Tensor, fitting: Fitting, keep: Callable[[tf.Tensor], tf.Tensor]
) -> tuple[tf.TensorArray, tf.Tensor]:
    """Decode a batch of files, each of a size of its own, if all of them are within the limits.

    Args:
        files: Shape (batch,), bytes.
        fitting: What to fit them to.
        keep: From a photograph to what is drawn on.

    Returns:
        The photographs to draw on, and what the model takes of each, shape (batch, *size,
        channels), float32.
    """
    files = fitting.limits.check(files)
    count = tf.size(files)
    photos = tf.TensorArray(tf.uint8, count, infer_shape=False, element_shape=(None, None, 3))
    fitted = tf.TensorArray(tf.float32, count, element_shape=(*fitting.size, fitting.channels))

    def decode(
        place: tf.Tensor, photos: tf.TensorArray, fitted: tf.TensorArray
    ) -> tuple[tf.Tensor, tf.TensorArray, tf.TensorArray]:
        photo = fitting.decode(files[place])
        photos = photos.write(place, keep(photo))
        return place + 1, photos, fitted.write(place, fitting.fit(photo))

    _, photos, fitted = tf.while_loop(lambda place, *_: place < count, decode, (0, photos, fitted))
    return photos, tf.ensure_shape(fitted.stack(), (None, *fitting.size, fitting.channels))


def draw_all(
    photos: tf.TensorArray,
    heatmaps: tf.Tensor,
    draw: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
) -> tf.Tensor:
    """Draw each photograph's picture and encode it.

    Args:
        photos: As `decode_all` returns them.
        heatmaps: Shape (batch, h, w).
        draw: From a photograph and its heatmap to a picture, (height, width, 3), uint8.

    Returns:
        Shape (batch,), PNG files.
    """

    def encode(place: tf.Tensor) -> tf.Tensor:
        picture = draw(photos.read(place), heatmaps[place])
        # The fastest compression: these bytes travel once, and zlib's default takes four times as
        # long for a tenth less of them.
        return tf.io.encode_png(picture, compression=1)

    places = tf.range(tf.shape(heatmaps)[0])
    return tf.map_fn(encode, places, fn_output_signature=tf.TensorSpec((), tf.string))
