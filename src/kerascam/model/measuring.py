"""Where on the image the cells of a layer look, measured: the derivative of a few by noise images.

The arithmetic of `placing` is exact, and ends at an operation that it does not know. Then this says
whether the layer's first axis is the images, and along which of their axes its grid runs.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..errors import DoesNotFitError
from ..resizing import Edges
from . import specs
from .compiled import compile_graph
from .energy import centre_of, energy_of
from .input_form import InputForm
from .question import Measured
from .sites import Site, forward, in_form, without_image

_PROBES = 4  # cells along each axis of the grid
_ASIDE = 1.5  # times half a step: how far from its line one cell may look
_PEAK = 0.25  # of the largest energy: what lies below is background, such as that of attention


def measure(
    model: keras.Model,
    site: Site,
    inputs: Sequence[np.ndarray],
    like: Any,
    place: int,
    form: InputForm,
    grid: tuple[int, int] | None,
) -> Measured:
    r"""Measure where the cells of a layer look.

    The energy of cell $p$ at pixel $q$ is $E_p(q) = \sum_c (\partial \langle A_p, r \rangle /
    \partial x_{qc})^2$ with random $r$. Its centres, at a few cells along each axis of the grid,
    give the line $x = a i + b$ along which the cells lie. Cells elsewhere must lie as they say
    too, and all of it be the same for other noise, beside other values of the other inputs.

    Args:
        model: The model.
        site: The layer.
        inputs: The user's, for their shapes and the spread of their values.
        like: Their structure, for a model that does not declare one.
        place: Which of them the images are.
        form: How the images are read.
        grid: The tokens' (rows, columns), if the user passes them.

    Raises:
        ValueError: If the layer is the same for every image, or its first axis is not the images.
    """
    if not tf.as_dtype(inputs[place].dtype).is_floating:  # it has no derivative
        size = form.images(inputs[place]).shape[1:-1]
        return Measured(site.name, tuple(size), None)
    count, given = specs.declared_batch(model) or 2, len(inputs[place])
    try:
        return _measured(model, site, inputs, like, place, form, grid, count)
    except DoesNotFitError:  # the model takes as many as were given, which it does not declare
        if count == given:
            raise
        return _measured(model, site, inputs, like, place, form, grid, given)


def _measured(
    model: keras.Model,
    site: Site,
    inputs: Sequence[np.ndarray],
    like: Any,
    place: int,
    form: InputForm,
    grid: tuple[int, int] | None,
    count: int,
) -> Measured:
    """Measure with so many images; the other arguments are those of `measure`."""
    batch = [np.resize(each, (count, *each.shape[1:])) for each in inputs]
    random = np.random.default_rng(0)
    batch[place] = _noise(inputs[place], batch[place].shape, form, random, gains=(1.0, 1.0))
    size = form.images(batch[place]).shape[1:-1]
    cells: list[tuple[int, int]] = []
    places: list[tuple[int, ...]] = []
    others: list[tuple[int, ...]] = []
    lengths: list[int] = []

    def energies(*tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        *images, cell = tensors
        _, (runs,), _ = forward(model, specs.pack(model, images, like), [site])
        features = tf.cast(in_form(site, runs[0], tuple(size), grid), tf.float32)
        weights = tf.random.stateless_normal([features.shape[-1]], [0, 1])
        numbers = tf.reduce_sum(features * weights, -1)
        if None in numbers.shape[1:]:
            return {}
        cells[:] = _probed(tuple(numbers.shape[1:]))
        others[:] = _scattered(tuple(numbers.shape[1:]))
        middle = [length // 2 for length in numbers.shape[1:]]
        places[:] = [(*middle[:axis], index, *middle[axis + 1 :]) for axis, index in cells]
        lengths[:] = numbers.shape[1:]
        number = tf.gather(tf.reshape(numbers[-1], [-1]), cell)
        found = energy_of(number, images[place], form)
        dead = tf.reduce_all(numbers == 0)
        return {"energy": found, "rows": tf.shape(numbers)[0], "dead": dead}

    signature = [tf.TensorSpec(each.shape, each.dtype) for each in batch]
    # Which cell is asked for is an input: each gradient of its own would be traced.
    graph = compile_graph(energies, [*signature, tf.TensorSpec([], tf.int64)], freeze=False)
    if not cells:  # only the run tells how many there are
        return Measured(site.name, tuple(size), None)
    every = places + others

    def run(values: Sequence[np.ndarray]) -> tuple[np.ndarray, Any]:
        """Return the energy of each cell, shape (cells, batch, *size), and what else was found."""
        tensors = [tf.constant(each) for each in values]
        indices = [np.ravel_multi_index(cell, lengths) for cell in every]
        found = [graph(*tensors, tf.constant(index, tf.int64)) for index in indices]
        return np.stack([each["energy"].numpy() for each in found]), found[-1]

    energy, found = run(batch)
    total, own = energy.sum(), energy[:, -1]
    if not total:
        batch[place] = np.resize(inputs[place], batch[place].shape)
        energy, given = run(batch)
        if bool(given["dead"]) or energy.any():  # noise does not wake it
            return Measured(site.name, tuple(size), None)
        raise without_image(site)
    # A window of the last image alone is on the first axis beside others of the same image.
    if own.sum() < 0.99 * total or int(found["rows"]) != count:
        raise ValueError(
            f"layer {site.path!r} mixes the images of a batch, or its first axis is not the "
            f"images: name a layer whose first axis is the images"
        )
    again = [_others(each, random) for each in batch]
    again[place] = _noise(inputs[place], batch[place].shape, form, random, gains=(0.3, 3.0))
    other = run(again)[0][:, -1]
    edges = _edges(own + other, cells, tuple(size))
    if edges is not None and not (
        other.any() and all(_lie_there(edges, each, every) for each in (own, other))
    ):
        edges = None
    return Measured(site.name, tuple(size), edges)


def _noise(
    given: np.ndarray,
    shape: Sequence[int],
    form: InputForm,
    random: np.random.Generator,
    gains: tuple[float, float],
) -> np.ndarray:
    """Draw noise images with the mean and the spread of the user's.

    Args:
        given: The user's images.
        shape: How many there are to be, and of which shape.
        form: How they are read.
        random: Draws the noise.
        gains: How strong the noise is, and how strong in the quarter where each axis ends: what
            looks for the place of something is drawn there.
    """
    noise = random.normal(size=shape)
    quarter = (
        slice(None),
        *(slice(length // 2, None) for length in form.images(noise).shape[1:-1]),
    )
    gain = np.full_like(noise, gains[0])
    form.images(gain)[quarter] = gains[1]  # a view
    return (noise * gain * (given.std() or 1.0) + given.mean()).astype(given.dtype)


def _others(given: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Draw other values of an input that is not looked at, within the range of the user's."""
    low, high = given.min(), given.max()
    if given.dtype.kind in "iu":
        return random.integers(low, high, given.shape, given.dtype, endpoint=True)
    if given.dtype.kind == "b":
        return given
    return random.uniform(low, high, given.shape).astype(given.dtype)


def _probed(grid: Sequence[int]) -> list[tuple[int, int]]:
    """List a few cells along each axis, not at the very border: pairs of an axis and an index."""
    inner = [set(_inside(np.linspace(0.15, 0.85, _PROBES), length)) for length in grid]
    return [
        (axis, int(index))
        for axis, length in enumerate(grid)
        for index in ([0, 1] if length == 2 else sorted(inner[axis]))
    ]


def _scattered(grid: Sequence[int]) -> list[tuple[int, ...]]:
    """List a few cells off the lines on which `_probed` looks: the first beside where they meet."""
    random = np.random.default_rng(0)
    beside = tuple(max(length // 2 - 1, 0) for length in grid)
    drawn = random.uniform(0.15, 0.85, (_PROBES - 1, len(grid)))
    along = [_inside(drawn[:, axis], length) for axis, length in enumerate(grid)]
    return [beside, *(tuple(map(int, each)) for each in zip(*along, strict=True))]


def _inside(shares: np.ndarray, length: int) -> np.ndarray:
    """Return the cells at shares of an axis; not its ends, where padding shifts what they see."""
    cells = shares * (length - 1) // 1
    return np.clip(cells, 1, length - 2) if length > 5 else cells


def _lie_there(edges: Edges, energy: np.ndarray, cells: Sequence[tuple[int, ...]]) -> bool:
    """Tell whether cells lie where the lines put them: on average within half a step.

    Others may not: rows need not run like each other. Of other images, or beside other inputs, none
    do if the model looks where something is, or where another input says.
    """
    seen = [place for place in range(len(cells)) if energy[place].any()]
    for axis, edge in enumerate(edges):
        if edge is None:
            continue
        begin, step = edge
        index = np.array([cells[place][axis] for place in seen])
        centres = np.array([centre_of(energy[place], axis, _PEAK) for place in seen])
        apart = centres - (begin + step * (index + 0.5) - 0.5)
        near = max(1.0, abs(step) / 2)
        # A cell by itself looks a little to the side, as its weights have it.
        if len(seen) and (abs(apart.mean()) > near or np.abs(apart).max() > _ASIDE * near):
            return False
    return True


def _edges(
    energy: np.ndarray, cells: Sequence[tuple[int, int]], size: tuple[int, ...]
) -> Edges | None:
    """Fit a line for each axis; None if one is no line, or runs along another axis of the image."""
    found: list[tuple[float, float] | None] = []
    for axis in range(len(size)):
        every = [place for place, (along, _) in enumerate(cells) if along == axis]
        own = [place for place in every if energy[place].any()]
        if len(every) == 1 and own:  # one cell, which covers all there is
            found.append(None)
            continue
        if len(own) < 2:
            return None
        index = np.array([cells[place][1] for place in own], float)
        lines = [
            np.polyfit(index, [centre_of(energy[place], image, _PEAK) for place in own], 1)
            for image in range(len(size))
        ]
        centres = np.array([centre_of(energy[place], axis, _PEAK) for place in own])
        step, begin = lines[axis]
        astray = max((abs(line[0]) for i, line in enumerate(lines) if i != axis), default=0.0)
        apart = np.abs(np.polyval((step, begin), index) - centres).max()
        if abs(step) < 0.25 or astray > abs(step) / 2 or apart > max(1.0, abs(step) / 2):
            return None
        found.append((float(begin + 0.5 - step / 2), float(step)))
    return tuple(found)
