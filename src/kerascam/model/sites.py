"""The layers to look at: hear their outputs in one forward pass, and bring them to one form."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import keras
import tensorflow as tf

from .._types import Features
from ..errors import brief
from . import graph, shadow
from .grids import channels_last, to_grid
from .layers import channels_first, every_layer, walk
from .outputs import tensors_in
from .parts_of_outputs import part_of, tensors_by_name, used_part, with_part

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
        part: Which of the tensors that it returns, by its path in the output; None if there is but
            one, or the one that the model's output is computed from.
        is_settled: Whether the part was found, and not given.
    """

    path: str
    layer: keras.Operation
    run: int | None
    channels_first: bool
    part: str | None = None
    is_settled: bool = False

    @property
    def name(self) -> str:
        """The path, with that of the part if it was given."""
        return self.path if self.part is None or self.is_settled else f"{self.path}/{self.part}"


def without_image(site: Site) -> ValueError:
    """Word that a site's output does not depend on the images."""
    return ValueError(
        f"layer {site.path!r} returns the same values for every image, as embeddings of positions "
        f"do: there is nothing to see there; suggest_layers(model) lists the others"
    )


def forward(
    model: keras.Model,
    inputs: Any,
    sites: Sequence[Site],
    tape: tf.GradientTape | None = None,
    others: Callable[[], Sequence[tuple[keras.Operation, shadow.Listener]]] = tuple,
    given: Sequence[Sequence[tf.Tensor]] | None = None,
) -> tuple[Any, list[Runs], list[Site]]:
    """Run the model once; a tape watches the sites' outputs from the moment they exist.

    Args:
        model: The model.
        inputs: As the model is called with.
        sites: The layers to look at.
        tape: Records the pass, if there is one.
        others: Returns further listeners, new ones for each try.
        given: What replaces the outputs of each site's runs, in the layer's form; none leaves them.

    Returns:
        The model's outputs, the outputs of each site's runs as the layer gave them, of the run
        that the site names, or else of all; and the sites, with their parts.

    Raises:
        ValueError: If a site does not run, or runs where it cannot be seen.
    """
    for inline_all in (False, True):
        heard: list[list[Any]] = [[] for _ in sites]
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
    settled = [
        _with_found_part(site, runs, tensors_in(outputs))
        for site, runs in zip(sites, heard, strict=True)
    ]
    seen = [
        _wanted_runs(site, [_part_of(site, each) for each in runs])
        for site, runs in zip(settled, heard, strict=True)
    ]
    return outputs, seen, settled


def _with_found_part(site: Site, runs: Sequence[Any], ends: Sequence[tf.Tensor]) -> Site:
    if site.part is not None or not runs:
        return site
    part = used_part(runs[-1], ends)
    return site if part is None else replace(site, part=part, is_settled=True)


def _part_of(site: Site, output: Any) -> tf.Tensor:
    try:
        return part_of(output, site.part)
    except KeyError:
        names = tensors_by_name(output)
        known = ", ".join(f"{site.path}/{name}" for name in names) if len(names) > 1 else "only one"
        raise ValueError(
            f"layer {site.path!r} returns no tensor {site.part!r}; it returns {known}"
        ) from None


def _listener(
    site: Site,
    runs: list[Any],
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
            tape.watch([each for each in tensors if each.dtype.is_floating])
        runs.append(output)
        if not wanted or not given:
            return None
        return with_part(output, site.part, given[len(runs) - 1 if site.run is None else 0])

    return hear


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
                f"layer {site.path!r} returns an output of shape {tuple(tensor.shape)}, which has "
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


def site_of(
    model: keras.Model,
    path: str,
    layer: keras.Operation,
    call_index: int | None,
    part: str | None = None,
) -> Site:
    """Make the site of a found layer.

    Args:
        model: The model.
        path: The layer's path.
        layer: The layer.
        part: Which of its tensors.
        call_index: Which of its runs, counted as they are written.
    """
    order = _written_order(model, layer)
    run = order.index(call_index) if call_index in order else call_index
    return Site(path, layer, run, id(layer) in channels_first(model), part)


def _written_order(model: keras.Model, layer: keras.Operation) -> list[int]:
    """Number a shared layer's runs as they are written, in the order in which they are executed.

    A functional model runs its nodes by depth, which need not be the order in which they were
    made. Empty if there is nothing to put in order.
    """
    written = getattr(layer, "_inbound_nodes", [])
    for part in every_layer(model):
        depths = getattr(part, "_nodes_by_depth", {})
        nodes = [node for depth in sorted(depths, reverse=True) for node in depths[depth]]
        own = [written.index(node) for node in nodes if node.operation is layer]
        if len(own) > 1:
            return [sorted(own).index(place) for place in own]
    return []
