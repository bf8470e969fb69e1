"""Maps that know nothing of the model: what a method must beat before it is believed."""

import zlib
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from .._host_types import HostHeatmaps, HostImages

Draw: TypeAlias = Callable[[HostImages, int], HostHeatmaps]


def uniform(images: HostImages, seed: int) -> HostHeatmaps:
    """The same heat everywhere."""
    del seed
    return np.ones(images.shape[:-1])


def centered_gaussian(images: HostImages, seed: int) -> HostHeatmaps:
    """A blob in the middle, where photographers aim: exp(−r² / 2σ²), σ a quarter of each side."""
    del seed
    size: tuple[int, ...] = images.shape[1:-1]
    heat = np.ones(size)
    for axis, length in enumerate(size):
        apart = (np.arange(length) - (length - 1) / 2) / (length / 4)
        heat *= np.exp(-(apart**2) / 2).reshape(-1, *[1] * (len(size) - axis - 1))
    return np.broadcast_to(heat, images.shape[:-1])


def random(images: HostImages, seed: int) -> HostHeatmaps:
    """Noise of each pixel; of the seed and the image, so that an image has its own in any batch."""
    noise = [
        np.random.default_rng([seed, zlib.crc32(image.tobytes())]).random(image.shape[:-1])
        for image in images
    ]
    return np.stack(noise)


def edges(images: HostImages, seed: int) -> HostHeatmaps:
    """The edges of the image: the length of its gradient, over all channels."""
    del seed
    axes = [axis for axis in range(1, images.ndim - 1) if images.shape[axis] > 1]
    values = images.astype(np.float64)
    squares = [(np.gradient(values, axis=axis) ** 2).sum(-1) for axis in axes]
    heat = np.sqrt(np.sum([np.zeros(images.shape[:-1]), *squares], axis=0))
    most = heat.reshape(len(heat), -1).max(1).reshape(-1, *[1] * (heat.ndim - 1))
    return heat / np.where(most > 0, most, 1)


BASELINES: dict[str, tuple[str, Draw]] = {
    "uniform": ("Uniform map", uniform),
    "centered_gaussian": ("Centered Gaussian", centered_gaussian),
    "random": ("Random map", random),
    "edges": ("Edge detector", edges),
}
