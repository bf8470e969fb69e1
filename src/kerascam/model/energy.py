"""The energy of a derivative: where on the image a number looks."""

import numpy as np
import tensorflow as tf

from .input_form import InputForm


def energy_of(number: tf.Tensor, values: tf.Tensor, form: InputForm) -> tf.Tensor:
    r"""Differentiate a number by an input, in a graph: $\sum_c (\partial n / \partial x_{qc})^2$.

    Args:
        number: A scalar.
        values: The input, which has images in its own form.
        form: How it is read.

    Returns:
        Shape (batch, *size), float32; zero where the number does not depend on the input.
    """
    slopes = tf.gradients(number, values, unconnected_gradients="zero")[0]
    return tf.reduce_sum(form.images(tf.cast(slopes, tf.float32)) ** 2, -1)


def centre_of(energy: np.ndarray, axis: int, background: float) -> float:
    """Return the centre of an image's energy along an axis, in pixels.

    Args:
        energy: Shape (*size), not zero everywhere.
        axis: The axis.
        background: What is left out: less than this share of the largest sum along the axis.
    """
    profile = energy.sum(tuple(each for each in range(energy.ndim) if each != axis))
    weights = profile * (profile >= background * profile.max())
    return float((weights * np.arange(len(profile))).sum() / weights.sum())
