"""From a trained network and image files to one row of probabilities per image."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from scene_classification.data.batches import decoded_batches
from scene_classification.data.folder import Split


def predict(
    model: keras.Model,
    split: Split,
    *,
    batch_size: int = 64,
    progress: Callable[[int], None] | None = None,
) -> NDArray[np.float32]:
    """Run a classifier over the files of a split, holding only a few batches at a time.

    Args:
        model: Takes square RGB images, 0–255, of one fixed size; returns a probability per class.
        split: The files; each must be readable.
        batch_size: Images in a batch.
        progress: Called with the number of images of each batch when it is done.

    Returns:
        The probabilities, shaped (images, classes), in the order of `split.paths`.

    Raises:
        ValueError: If `model` does not take square images of one size, or a file is unreadable.
    """
    side = image_side(model)
    # Compiled here and not by `model.predict`, which would choose XLA: slower than oneDNN for
    # convolutions on a processor.
    forward = tf.function(
        lambda images: model(images, training=False),
        input_signature=[tf.TensorSpec((None, side, side, 3), tf.float32)],
    )
    probabilities = np.empty((len(split), model.output_shape[-1]), np.float32)
    done = 0
    for batch in decoded_batches(split, side, batch_size=batch_size):
        rows = forward(tf.cast(batch, tf.float32)).numpy()
        probabilities[done : done + len(rows)] = rows
        done += len(rows)
        if progress is not None:
            progress(len(rows))
    return probabilities


def image_side(model: keras.Model) -> int:
    """Return the height and width, in pixels, of the images that a model takes.

    Raises:
        ValueError: If they differ, or if the model leaves them free.
    """
    shape = model.input_shape
    if len(shape) != 4 or shape[1] is None or shape[1] != shape[2]:
        raise ValueError(
            f"model {model.name!r} takes {shape}; build it for square images of one size, "
            "(None, side, side, 3)"
        )
    return int(shape[1])
