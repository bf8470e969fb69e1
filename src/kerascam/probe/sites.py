"""The layers to look at: hear their outputs in one forward pass, and bring them to one form."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from .. import heads
from .._types import Features
from ..grids import channels_last, to_grid
from ..layers import channels_first, walk
from . import graph, shadow

_IMAGE_CHANNELS = (1, 3, 4)


@dataclass(frozen=True)
class Site:
    """A layer to look at.

    Attributes:
        path: Its path.
        layer: The layer.
        call_index: Which of its runs, where it runs several times.
        channels_first: Whether its features stand before its grid.
    """

    path: str
    layer: keras.Operation
    call_index: int | None
    channels_first: bool


def forward(
    model: keras.Model, inputs: Any, sites: Sequence[Site], tape: tf.GradientTape
) -> tuple[Any, list[tf.Tensor]]:
    """Run the model once; the tape watches the sites' outputs from the moment they exist.

    Returns:
        The model's outputs, and each site's output as the layer gave it.

    Raises:
        ValueError: If a site runs not once, or where it cannot be seen.
    """
    for inline_all in (False, True):
        heard: list[list[tf.Tensor]] = [[] for _ in sites]
        listeners = [
            (site.layer, _listener(site, runs, tape))
            for site, runs in zip(sites, heard, strict=True)
        ]
        outputs = shadow.run(model, inputs, listeners, inline_all=inline_all)
        if not _hides(outputs, heard):
            break
    return outputs, [_one_run(site, runs) for site, runs in zip(sites, heard, strict=True)]


def _listener(site: Site, runs: list[tf.Tensor], tape: tf.GradientTape) -> shadow.Listener:
    def hear(arguments: Any, output: Any) -> None:
        del arguments
        tensors = [tensor for tensor in keras.tree.flatten(output) if tf.is_tensor(tensor)]
        if tensors:
            if site.call_index in (None, len(runs)):
                tape.watch(tensors[0])
            runs.append(tensors[0])

    return hear


def _hides(outputs: Any, heard: list[list[tf.Tensor]]) -> bool:
    """Tell whether an inner `tf.function` keeps a site, or the end of the model, out of reach."""
    if any(graph.is_foreign(tensor) for runs in heard for tensor in runs):
        return True
    ends = [tensor for tensor in keras.tree.flatten(outputs) if tf.is_tensor(tensor)]
    return any(graph.is_hidden(end) and heads.find_logits(end) is None for end in ends)


def _one_run(site: Site, runs: list[tf.Tensor]) -> tf.Tensor:
    if not runs:
        raise ValueError(
            f"layer {site.path!r} did not run: the model's forward pass in inference mode does "
            f"not reach it; suggest_layers(model) lists those that run"
        )
    if site.call_index is None and len(runs) > 1:
        raise ValueError(
            f"layer {site.path!r} ran {len(runs)} times in one forward pass; choose one run by "
            f"call_index=, from 0 to {len(runs) - 1}"
        )
    index = site.call_index or 0
    if not 0 <= index < len(runs):
        raise ValueError(
            f"call_index must be from 0 to {len(runs) - 1} for layer {site.path!r}, not {index}"
        )
    if graph.is_foreign(runs[index]):
        raise ValueError(
            f"layer {site.path!r} runs inside a tf.cond or tf.while_loop, where its output cannot "
            f"be seen; name a layer outside"
        )
    return runs[index]


def in_form(
    site: Site,
    tensor: tf.Tensor,
    image: tuple[int | None, ...] | None,
    grid: tuple[int, int] | None,
) -> Features:
    """Bring a site's output, or its gradient, to (batch, *grid, features), at least float32.

    Raises:
        ValueError: If it has no grid.
    """
    if tensor.shape.rank is None or tensor.shape.rank < 3:
        raise ValueError(
            f"layer {site.path!r} gives an output of shape {tuple(tensor.shape)}, which has no "
            f"grid to draw a map on; suggest_layers(model) lists those that have one"
        )
    tensor = channels_last(tensor, site.channels_first)
    try:
        tensor = to_grid(tensor, image, grid)
    except ValueError as error:
        raise ValueError(f"layer {site.path!r}: {error}") from None
    return tensor if tensor.dtype == tf.float64 else tf.cast(tensor, tf.float32)


def images_channels_first(model: keras.Model, images: tf.Tensor) -> bool:
    """Tell whether the images' channels stand before their grid.

    They do where those of the first layer that says so do, unless only the last axis can be
    colours: a model may transpose its images first.
    """
    formats = (getattr(layer, "data_format", None) for _, layer in walk(model))
    if next(filter(None, formats), None) != "channels_first":
        return False
    return images.shape[1] in _IMAGE_CHANNELS or images.shape[-1] not in _IMAGE_CHANNELS


def site_of(model: keras.Model, path: str, layer: keras.Operation, call_index: int | None) -> Site:
    """Make the site of a found layer."""
    return Site(path, layer, call_index, id(layer) in channels_first(model))
