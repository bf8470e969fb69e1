"""Learning from a teacher (Hinton et al., 2015, arXiv:1503.02531)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from keras import ops
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from scene_classification.data.augmentation import crop_size


class Distillation(keras.Model):
    """A student that is trained to answer as a teacher does.

    With p and q the student's and the teacher's probabilities, softened by the temperature T
    (p_i^(1/T) / Σ_j p_j^(1/T), which is the softmax of the logits over T),

        loss = (1 − w) · CE(labels, p) + w · T² · KL(q_T ‖ p_T).

    Both see the same augmented image ("function matching": Beyer et al., 2022, arXiv:2106.05237).

    Args:
        student: The model to train.
        teacher: Maps images to the probabilities of a trained model of the same classes.
        weight: w, between 0 and 1.
        temperature: T, at least 1.
    """

    def __init__(
        self,
        student: keras.Model,
        teacher: Callable[[Any], Any],
        *,
        weight: float,
        temperature: float,
    ) -> None:
        super().__init__(name="distillation")
        self.student, self.teacher = student, teacher
        self.weight, self.temperature = weight, temperature

    def call(self, images: Any, training: bool | None = None) -> Any:
        """Return the student's probabilities."""
        return self.student(images, training=training)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return the loss above while training, and the labels' share of it alone otherwise."""
        labels = super().compute_loss(x, y, y_pred, sample_weight, training)
        if not training:
            return labels
        taught = soften(ops.stop_gradient(self.teacher(x)), self.temperature)
        answer = soften(y_pred, self.temperature)
        difference = ops.mean(keras.losses.kl_divergence(taught, answer))
        return (1 - self.weight) * labels + self.weight * self.temperature**2 * difference


def soften(probabilities: Any, temperature: float) -> Any:
    """Return p^(1/T), scaled to sum to one: the softmax of the logits over T."""
    logits = ops.log(ops.maximum(ops.cast(probabilities, "float32"), 1e-7))
    return ops.softmax(logits / temperature)


def read_teachers(paths: Sequence[Path], image_size: int) -> Callable[[Any], Any]:
    """Read saved classifiers as one teacher, which answers with the mean of their probabilities.

    Args:
        paths: One or more saved Keras classifiers that take RGB 0–255.
        image_size: Height and width, in pixels, of the images that the student takes.

    Raises:
        FileNotFoundError: If one of the files does not exist.
    """
    teachers = [_read_teacher(path, image_size) for path in paths]
    return lambda batch: ops.mean(ops.stack([teacher(batch) for teacher in teachers]), axis=0)


def _read_teacher(path: Path, image_size: int) -> Callable[[Any], Any]:
    """Read a saved classifier as a function whose weights are constants.

    It is asked about training crops. One that takes larger images than the student gets the
    student's crops enlarged, so that it sees things in the size in which it knows them.

    TensorFlow fuses a convolution of constant weights with the normalization and activation after
    it, which makes the forward pass about twice as fast as the model's own.
    """
    if not path.is_file():
        raise FileNotFoundError(f"teacher={str(path)!r} does not exist; give a saved classifier")
    saved = keras.models.load_model(path, compile=False)
    side = crop_size(saved.input_shape[1] or image_size)
    images = keras.Input((side, side, 3))
    model = keras.models.clone_model(saved, input_tensors=images)
    model.set_weights(saved.get_weights())
    answer = tf.function(lambda batch: model(batch, training=False))
    signature = tf.TensorSpec((None, side, side, 3), tf.float32)
    frozen = convert_variables_to_constants_v2(answer.get_concrete_function(signature))
    return lambda batch: frozen(_sized(batch, side))[0]


def _sized(batch: Any, side: int) -> Any:
    batch = tf.cast(batch, tf.float32)
    return batch if batch.shape[1] == side else tf.image.resize(batch, (side, side))
