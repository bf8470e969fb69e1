"""From files to batches: decoded once, in parallel, then picked by the step's number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from scene_classification.data.augmentation import Augmenter
from scene_classification.data.folder import Split


def decode_images(
    split: Split, size: int, progress: Callable[[int], None] | None = None
) -> NDArray[np.uint8]:
    """Decode every file of a split to RGB at one size.

    Args:
        split: The files.
        size: Height and width to resize to, in pixels; the shape of the image is not kept.
        progress: Called with the number of images of each batch when it is done.

    Returns:
        RGB 0–255, shaped (images, size, size, 3).

    Raises:
        ValueError: If a file is unreadable.
    """
    images = np.empty((len(split), size, size, 3), np.uint8)
    done = 0
    for batch in decoded_batches(split, size):
        images[done : done + len(batch)] = batch
        done += len(batch)
        if progress is not None:
            progress(len(batch))
    return images


def decoded_batches(split: Split, size: int, *, batch_size: int = 64) -> Iterator[Any]:
    """Decode the files of a split in parallel, in order, holding only a few batches at a time.

    Args:
        split: The files.
        size: Height and width to resize to, in pixels; the shape of the image is not kept.
        batch_size: Images in a batch; the last may have fewer.

    Yields:
        RGB 0–255, uint8, shaped (batch, size, size, 3).

    Raises:
        ValueError: If a file is unreadable.
    """
    # Said to be text: of an empty list TensorFlow would make numbers.
    names = tf.constant([str(path) for path in split.paths], tf.string)
    images = tf.data.Dataset.from_tensor_slices(names).map(
        lambda path: decode(path, size), num_parallel_calls=tf.data.AUTOTUNE
    )
    done = 0
    try:
        for batch in images.batch(batch_size).prefetch(2):
            yield batch
            done += len(batch)
    except tf.errors.OpError as error:
        raise ValueError(
            f"one of the {min(batch_size, len(split) - done)} images from "
            f"{str(split.paths[done])!r} on is unreadable; audit(scenes).clean(scenes) leaves out "
            "such files"
        ) from error


def decode(path: Any, size: int) -> Any:
    """Read one image file as RGB 0–255 uint8, shaped (size, size, 3)."""
    return resize(read_image(path), size)


def resize(image: Any, size: int) -> Any:
    """Resize RGB 0–255 to uint8, shaped (size, size, 3), as every image that a network sees."""
    resized = tf.image.resize(image, (size, size), antialias=True)
    return tf.cast(tf.clip_by_value(tf.round(resized), 0.0, 255.0), tf.uint8)


def read_image(path: Any) -> Any:
    """Read one image file as RGB 0–255 uint8 in its own size, shaped (height, width, 3)."""
    image = tf.io.decode_image(tf.io.read_file(path), channels=3, expand_animations=False)
    return tf.ensure_shape(image, (None, None, 3))


def steps_per_epoch(images: int, batch_size: int) -> int:
    """Return the full batches in one pass; the last few images of an order wait for the next."""
    return max(1, images // batch_size)


def training_batches(
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    classes: int,
    *,
    batch_size: int,
    augmenter: Augmenter,
    seed: int,
    first_step: int,
    last_step: int,
) -> tf.data.Dataset:
    """Serve the batches of some steps, each a function of the seed and the step's number alone.

    Every epoch is a new order of all images, so a run that stops and goes on serves the same
    batches as one that never stopped.

    Args:
        images: RGB 0–255 of all training images, shaped (images, height, width, 3).
        labels: Class index of each.
        classes: Number of classes.
        batch_size: Images in a batch.
        augmenter: What varies them.
        seed: The seed of the order.
        first_step: Number of the first step to serve, counted over all epochs.
        last_step: Number of the step to stop before.

    Returns:
        Batches of images (float32, 0–255) and rows of class shares.
    """
    with tf.device("CPU"):  # tf.data works there; an accelerator's memory is the network's
        pixels, rows = tf.constant(images), tf.one_hot(labels, classes)
    count, size = len(images), min(batch_size, len(images))
    steps = steps_per_epoch(count, size)

    def pick(step: Any) -> tuple[Any, Any, Any]:
        epoch, place = step // steps, step % steps
        seeds = tf.stack([tf.constant(seed, tf.int64), epoch])
        order = tf.random.experimental.stateless_shuffle(tf.range(count), seeds)
        chosen = order[place * size : (place + 1) * size]
        return step, tf.gather(pixels, chosen), tf.gather(rows, chosen)

    return (
        tf.data.Dataset.range(first_step, last_step)
        .map(pick, num_parallel_calls=tf.data.AUTOTUNE)
        # One after the other: the augmenter's layers hold the seed of the step in hand.
        .map(augmenter)
        .prefetch(tf.data.AUTOTUNE)
    )


def evaluation_batches(
    images: NDArray[np.uint8], labels: NDArray[np.int64], classes: int, *, batch_size: int
) -> tf.data.Dataset:
    """Serve all images once and in order, with rows of class shares."""
    rows = tf.one_hot(labels, classes)
    batches = tf.data.Dataset.from_tensor_slices((images, rows)).batch(batch_size)
    return batches.map(lambda x, y: (tf.cast(x, tf.float32), y)).prefetch(tf.data.AUTOTUNE)
