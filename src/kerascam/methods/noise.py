"""Noisy copies of images."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from .._types import Images
from ..arguments import number_in, real_number
from ..baselines import float_type, in_type
from ..errors import brief
from ..maps import grid_axes
from ..repeat import MOST_COPIES, Numbered

_INT32 = np.iinfo(np.int32)


def check_noise(samples: Any, noise: Any, seed: Any, *, least: int = 1) -> None:
    """Raise if an option of a method that adds noise has a wrong type or value.

    Args:
        samples: How many noisy copies there are.
        noise: Their standard deviation, as a share of an image's range.
        seed: Seed of the noise.
        least: The fewest samples that the method takes.
    """
    number_in("samples", samples, least, MOST_COPIES)
    number_in("seed", seed, _INT32.min, _INT32.max)
    if real_number("noise", noise) < 0:
        raise ValueError(f"noise must be at least 0 and finite, not {brief(noise)}")


def noisy_copies(images: Images, noise: float, seed: int) -> Callable[[Any], Any]:
    """Return a function from the numbers of samples to noisy copies of the images.

    Every image meets the same noise, scaled to its own range.

    Args:
        images: Shape (batch, *size, channels). Copies of whole numbers are rounded, in the range of
            their type.
        noise: The standard deviation, as a share of each image's range of values.
        seed: Seed of the noise.

    Returns:
        Maps numbers, (n,), to (n, batch, *size, channels).
    """
    axes = [*grid_axes(images, features=True), len(images.shape) - 1]
    given, images = images.dtype, ops.cast(images, float_type(images))
    span = ops.max(images, axes, keepdims=True) - ops.min(images, axes, keepdims=True)
    shape = (1, *ops.shape(images)[1:])

    def draw(sample: Any) -> Any:
        return keras.random.normal(shape, dtype=images.dtype, seed=Numbered(seed, sample))

    return lambda chosen: in_type(given, images + noise * span * ops.map(draw, chosen))
