"""The layers to look at: hear their outputs in one forward pass, and bring them to one form."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import keras
import tensorflow as tf

from .._types import Features
from ..errors import brief
from . import graph, shadow
from .grids import channels_last, to_grid
from .layers import channels_first, walk
from .outputs import tensors_in

IMAGE_CHANNELS = (1, 3, 4)

#: What a layer gave in each of its runs that is looked at.
Runs: TypeAlias = tuple[tf.Tensor, ...]


@dataclass(frozen=True)
class Site:
    """A layer to look at.

    Attributes:
        path: Its path.
        layer: The layer.
        run: Which of its runs, in the order of execution; None if there is but one.
        channels_first: Whether its features stand before its grid.
    """

    path: str
    layer: keras.Operation
    run: int | None
    channels_first: bool


def forward(
    model: keras.Model,
    inputs: Any,
    sites: Sequence[Site],
    tape: tf.GradientTape | None = None,
    others: Callable[[], Sequence[tuple[keras.Operation, shadow.Listener]]] = tuple,
    given: Sequence[Sequence[tf.Tensor]] | None = None,
) -> tuple[Any, list[Runs]]:
    """Run the model once; a tape watches the sites' outputs from the moment they exist.

    Args:
        model: The model.
        inputs: As the model is called with.
        sites: The layers to look at.
        tape: Records the pass, if there is one.
        others: Returns further listeners, new ones for each try.
        given: What replaces the outputs of each site's runs, in the layer's form; none leaves them.

    Returns:
        The model's outputs, and the outputs of each site's runs as the layer gave them: of the
        run that the site names, or else of all.

    Raises:
        ValueError: If a site does not run, or runs where it cannot be seen.
    """
    for inline_all in (False, True):
        heard: list[list[tf.Tensor]] = [[] for _ in sites]
        listeners = [
            *others(),
            *(
                (site.layer, _listener(site, runs, tape, other))
                for site, runs, other in zip(sites, heard, given or [()] * len(sites), strict=True)
            ),
        ]
        outputs = shadow.run(model, inputs, listeners, inline_all=inline_all)
        if not graph.hides_operations(tensors_in(outputs)):
            break
    return outputs, [_wanted_runs(site, runs) for site, runs in zip(sites, heard, strict=True)]


def _listener(
    site: Site,
    runs: list[tf.Tensor],
    tape: tf.GradientTape | None,
    given: Sequence[tf.Tensor],
) -> shadow.Listener:
    def hear(arguments: Any, output: Any) -> Any:
        del arguments
        tensors = tensors_in(output)
        if not tensors:
            return None
        wanted = site.run in (None, len(runs))
        if wanted and tape is not None:
            tape.watch(tensors[0])
        runs.append(tensors[0])
        if not wanted or not given:
            return None
        return _with_first(output, given[len(runs) - 1 if site.run is None else 0])

    return hear


def _with_first(nest: Any, tensor: tf.Tensor) -> Any:
    """Return a nest with another tensor in place of its first one."""
    leaves = keras.tree.flatten(nest)
    place = next(index for index, leaf in enumerate(leaves) if tf.is_tensor(leaf))
    leaves[place] = tensor
    return keras.tree.pack_sequence_as(nest, leaves)


def _wanted_runs(site: Site, runs: list[tf.Tensor]) -> Runs:
    if not runs:
        raise ValueError(
            f"layer {site.path!r} did not run: the model's forward pass in inference mode does "
            f"not reach it; suggest_layers(model) lists those that run"
        )
    if site.run is not None and not 0 <= site.run < len(runs):
        raise ValueError(
            f"call_index must be from 0 to {len(runs) - 1} for layer {site.path!r}, not "
            f"{brief(site.run)}"
        )
    wanted = tuple(runs) if site.run is None else (runs[site.run],)
    for tensor in wanted:
        if tensor.shape.rank is None or tensor.shape.rank < 3:
            raise ValueError(
                f"layer {site.path!r} gives an output of shape {tuple(tensor.shape)}, which has "
                f"no grid to draw a map on; suggest_layers(model) lists those that have one"
            )
        if graph.is_foreign(tensor):
            raise ValueError(
                f"layer {site.path!r} runs inside a tf.cond or tf.while_loop, where its output "
                f"cannot be seen; name a layer outside"
            )
    return wanted


def in_form(
    site: Site,
    tensor: tf.Tensor,
    image: tuple[int | None, ...] | None,
    grid: tuple[int, int] | None,
) -> Features:
    """Bring a site's output, or its gradient, to (batch, *grid, features), by their shapes.

    Raises:
        ValueError: If it holds tokens that fit no grid.
    """
    tensor = channels_last(tensor, site.channels_first)
    try:
        return to_grid(tensor, image, grid)
    except ValueError as error:
        raise ValueError(f"layer {site.path!r}: {error}") from None


def as_layer_gives(site: Site, features: Features, own: tf.Tensor) -> tf.Tensor:
    """Bring (batch, *grid, features) to the form of a site's output: the inverse of `in_form`.

    Args:
        site: The layer.
        features: Shape (batch, *grid, features).
        own: The layer's own output for each of these images, whose prefix tokens are kept.
    """
    if len(features.shape) == len(own.shape) + 1:  # tokens that were laid out on their grid
        depth = features.shape[-1]
        tokens = tf.reshape(features, [tf.shape(features)[0], -1, depth])
        prefix = own[:, : tf.shape(own)[1] - tf.shape(tokens)[1]]
        features = tf.concat([prefix, tf.cast(tokens, own.dtype)], 1)
    elif site.channels_first:
        features = tf.experimental.numpy.moveaxis(features, -1, 1)
    return tf.ensure_shape(tf.cast(features, own.dtype), [None, *own.shape[1:]])


def images_channels_first(model: keras.Model, images: tf.Tensor) -> bool:
    """Tell whether the images' channels stand before their grid.

    They do where those of the first layer that says so do, unless only the last axis can be
    colours: a model may transpose its images first.
    """
    formats = (getattr(layer, "data_format", None) for _, layer in walk(model))
    return next(filter(None, formats), None) == "channels_first" and may_stand_first(images)


def may_stand_first(images: tf.Tensor) -> bool:
    """Tell whether the channels of images may stand first: not if only the last can be colours."""
    return images.shape[1] in IMAGE_CHANNELS or images.shape[-1] not in IMAGE_CHANNELS


def site_of(model: keras.Model, path: str, layer: keras.Operation, call_index: int | None) -> Site:
    """Make the site of a found layer.

    Args:
        model: The model.
        path: The layer's path.
        layer: The layer.
        call_index: Which of its runs, counted as they are written.
    """
    order = _written_order(model, layer)
    run = order.index(call_index) if call_index in order else call_index
    return Site(path, layer, run, id(layer) in channels_first(model))


def _written_order(model: keras.Model, layer: keras.Operation) -> list[int]:
    """Number a shared layer's runs as they are written, in the order in which they are executed.

    A functional model runs its nodes by depth, which need not be the order in which they were
    made. Empty where there is nothing to put in order.
    """
    written = getattr(layer, "_inbound_nodes", [])
    for part in (model, *(each for _, each in walk(model))):
        depths = getattr(part, "_nodes_by_depth", {})
        nodes = [node for depth in sorted(depths, reverse=True) for node in depths[depth]]
        own = [written.index(node) for node in nodes if node.operation is layer]
        if len(own) > 1:
            return [sorted(own).index(place) for place in own]
    return []
