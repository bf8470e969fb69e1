"""Where on the image the cells of a layer look in effect: the centre of their derivative's energy.

Pads on one side and strides let a cell look beside the part of the image that it is drawn on, and
what the kernels have learned makes up for some of it. So it is measured, on images.
"""

from collections.abc import Sequence
from itertools import product
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from . import specs
from .compiled import compile_graph
from .energy import centre_of, energy_of
from .form import Form
from .input_form import InputForm
from .question import Shift
from .sites import forward

_MOST_IMAGES = 16
_MIDDLE = 3  # cells along each axis, or 2 or 4 if there are an even number of them
_BACKGROUND = 0.1  # of the largest energy along an axis: what lies below is left out


def effective_shift(
    model: keras.Model,
    form: Form,
    inputs: Sequence[np.ndarray],
    like: Any,
    place: int,
    own: InputForm,
) -> Shift:
    r"""Measure how far the cells of a layer look from where they are drawn.

    The energy at pixel $q$ is $E(q) = \sum_c (\partial \langle A_M, r \rangle /
    \partial x_{qc})^2$ with the cells $M$ in the middle of the grid and $r$ of a random number per
    feature times a random sign per cell, each image's divided by its sum. It is added up over the
    images and their mirror images, so that what is seen in them cancels out. Its centre along each
    axis, without a background below a tenth of the peak, is compared with the middle of $M$.

    Args:
        model: The model.
        form: The form of the layer's output.
        inputs: The user's; at most sixteen images are looked at.
        like: Their structure, for a model that does not declare one.
        place: Which of them the images are.
        own: How that input is read.

    Returns:
        For each axis of the grid, in pixels; 0 for one of a single cell, or whose places the layer
        sees by themselves.
    """
    batch = [_first(model, each) for each in inputs]
    axes = [] if form.axes is None else list(form.axes)
    signature = [tf.TensorSpec(each.shape, each.dtype) for each in batch]
    middles: list[tuple[float, int]] = []

    def energies(seed: tf.Tensor, *tensors: tf.Tensor) -> tf.Tensor:
        _, (runs,), _ = forward(model, specs.pack(model, tensors, like), [form.site])
        features = form.read(runs)
        spans = [_middle(length) for length in features.shape[1 : len(axes) + 1]]
        middles[:] = [
            ((begin + end - 1) / 2, length)
            for (begin, end), length in zip(spans, features.shape[1:], strict=False)
        ]
        cells = features[(slice(None), *(slice(*span) for span in spans))]
        # One weight per feature, and a sign per cell: so each cell counts alike.
        signs = tf.sign(tf.random.stateless_uniform(tf.shape(cells)[:-1], seed, -1.0, 1.0))
        weights = signs[..., None] * tf.random.stateless_normal([cells.shape[-1]], seed)
        number = tf.reduce_sum(cells * tf.cast(weights, cells.dtype))
        return energy_of(number, tensors[place], own)

    measured = compile_graph(energies, [tf.TensorSpec([2], tf.int32), *signature], freeze=False)
    total = np.zeros(own.images(batch[place]).shape[:-1])
    for draw, mirrored in enumerate(_mirrored(batch[place], own, axes)):
        tensors = [tf.constant(each) for each in (*batch[:place], mirrored, *batch[place + 1 :])]
        energy = measured(tf.constant([draw, 0]), *tensors).numpy().astype(float)
        sums = energy.sum(tuple(range(1, energy.ndim)), keepdims=True)
        total += np.divide(energy, sums, out=np.zeros_like(energy), where=sums > 0)
    total = total[np.isfinite(total).all(tuple(range(1, total.ndim)))]

    def shifts(energy: np.ndarray) -> list[float]:
        return [
            0.0
            if position < form.views or length == 1 or not energy.any()
            else centre_of(energy, axis, _BACKGROUND)
            - _drawn(form, position, middle, length, energy.shape[axis])
            for position, (axis, (middle, length)) in enumerate(zip(axes, middles, strict=True))
        ]

    spread = np.std([shifts(each) for each in total], 0, ddof=1) if len(total) > 1 else np.nan
    errors = np.broadcast_to(spread / np.sqrt(max(len(total), 1)), len(axes))
    return Shift(form.site.name, tuple(shifts(total.sum(0))), tuple(map(float, errors)), len(total))


def _first(model: keras.Model, each: np.ndarray) -> np.ndarray:
    count = specs.declared_batch(model)
    return each[:_MOST_IMAGES] if count is None else np.resize(each, (count, *each.shape[1:]))


def _mirrored(images: np.ndarray, own: InputForm, axes: Sequence[int]) -> list[np.ndarray]:
    """Return the images mirrored along each choice of the axes of the layer's grid."""
    along = [own.grid(images.ndim)[axis] + 1 for axis in axes]
    return [
        np.flip(images, tuple(axis for axis, turned in zip(along, choice, strict=True) if turned))
        for choice in product([False, True], repeat=len(along))
    ]


def _middle(length: int) -> tuple[int, int]:
    """Return the begin and end of a few cells that lie evenly about the middle of an axis."""
    width = min(length, _MIDDLE if length % 2 else 2 * (_MIDDLE // 2))
    return (length - width) // 2, (length + width) // 2


def _drawn(form: Form, position: int, middle: float, cells: int, pixels: int) -> float:
    """Return at which pixel the middle of some cells is drawn."""
    begin, width = form.edges[position] or (0.0, pixels / cells)
    return begin + width * (middle + 0.5) - 0.5
