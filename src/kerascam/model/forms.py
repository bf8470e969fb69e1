"""How a site's output is read as a grid, and where the cells of that grid lie on the image."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isclose

import tensorflow as tf

from .._types import Features
from ..resizing import Edges
from . import graph
from .placing import Cells, Layout, Layouts, cells_of, layouts_of
from .sites import Site, as_layer_gives, in_form, may_stand_first

Grid = tuple[int, int]


@dataclass(frozen=True)
class Form:
    """A site's output as (batch, *grid, features).

    Attributes:
        site: The layer.
        cells: Where its cells lie; None if the graph does not tell, and shapes do.
        size: The image's grid; None if the layer lies on no image.
        grid: The tokens' (rows, columns), where the user gives them.
        edges: For each grid axis, what part of the image it covers; None is all of it.
        note: What the user should know of it, if anything.
    """

    site: Site
    cells: Cells | None
    size: tuple[int | None, ...] | None
    grid: Grid | None
    edges: Edges
    note: str | None

    def read(self, tensor: tf.Tensor) -> Features:
        """Bring the output, or its gradient, to (batch, *grid, features), at least float32."""
        if self.cells is None:
            tensor = in_form(self.site, tensor, self.size, self.grid)
        else:
            tensor = self.cells.to_grid(tensor)
        return tensor if tensor.dtype == tf.float64 else tf.cast(tensor, tf.float32)

    def written(self, features: Features, own: tf.Tensor) -> tf.Tensor:
        """Bring (batch, *grid, features) to the form of the output: the inverse of `read`.

        Args:
            features: Shape (batch, *grid, features).
            own: The layer's own output for each of these images, whose prefix tokens are kept.
        """
        if self.cells is None:
            return as_layer_gives(self.site, features, own)
        tensor = self.cells.from_grid(tf.cast(features, own.dtype), own)
        return tf.ensure_shape(tensor, [None, *own.shape[1:]])


def followed(image: tf.Tensor, ends: Sequence[tf.Tensor], channel: int | None = None) -> Layouts:
    """Follow an input through the graph that is being traced, up to some tensors.

    Args:
        image: The input.
        ends: The tensors.
        channel: Which axis its channels run along, the batch axis not counted, if that is known.
    """
    needed = graph.ancestors(ends)
    operations = tf.compat.v1.get_default_graph().get_operations()
    return layouts_of(image, [each for each in operations if each.name in needed], channel)


def channels_stand_first(image: tf.Tensor, layouts: Layouts, guess: bool) -> bool:
    """Tell whether an input's channels stand before its grid.

    The first product with weights sums over the channels. What can only be colours by its length
    is not taken for rows, though: a model may begin with a product over its rows.

    Args:
        image: The input.
        layouts: It, followed to the layers or to the scores.
        guess: What the layers say of themselves, if no product tells.
    """
    read, kept = layouts.mixing or (frozenset(), frozenset())
    if read - kept == {0} and len(image.shape) > 2:
        return may_stand_first(image)
    if read - kept == {len(image.shape) - 2}:
        return False
    return guess


def form_of(
    site: Site,
    tensor: tf.Tensor,
    image: tf.Tensor,
    layouts: Layouts,
    first: bool,
    grid: Grid | None,
) -> Form:
    """Find the form of a site's output.

    Args:
        site: The layer.
        tensor: Its output.
        image: The input that it lies on.
        layouts: That input, followed to the output.
        first: Whether the input's channels stand before its grid.
        grid: The tokens' (rows, columns), where the user gives them.

    Raises:
        ValueError: If the output's first axis is not the images, or `grid` is not how the graph
            lays the tokens out.
    """
    axes = [axis for axis in range(len(image.shape) - 1) if axis != channel_axis(image, first)]
    size = tuple(image.shape[axis + 1] for axis in axes)
    layout = layouts.of(tensor)
    cells = None
    if isinstance(layout, Layout):
        cells = cells_of(layout, frozenset({channel_axis(image, first)}))
        if cells is None or cells.axes != tuple(axes) or cells.views:
            _check_batch(site, tensor, layout)
            cells = None
    if cells is None:
        note = (
            f"where the cells of layer {site.path} lie could not be followed through the model"
            f"{_by(layouts)}: the map is stretched over the whole image"
        )
        return Form(site, None, size, grid, (None,) * len(size), note)
    if grid is not None and len(tensor.shape) == 3 and cells.lengths != tuple(grid):
        raise ValueError(
            f"grid={tuple(grid)} is not how the tokens of layer {site.path!r} lie: the model cuts "
            f"its images into {cells.lengths}; leave grid= out"
        )
    edges = tuple(
        None if _covers(edge, length, pixels) else edge
        for edge, length, pixels in zip(cells.edges, cells.lengths, size, strict=True)
    )
    return Form(site, cells, size, grid, edges, None)


def channel_axis(image: tf.Tensor, first: bool) -> int:
    """Return which axis of an input its channels run along, the batch axis not counted."""
    return 0 if first else len(image.shape) - 2


def _covers(edge: tuple[float, float], cells: int | None, pixels: int | None) -> bool:
    """Tell whether the cells of an axis cover the whole of it, in its direction."""
    begin, width = edge
    if width == 0:
        return True
    if cells is None or pixels is None:
        # Only the run tells how many pixels a stride leaves over: less than half a cell.
        return width > 0 and abs(begin) <= width / 2
    end = begin + width * cells
    return isclose(begin, 0, abs_tol=1e-6) and isclose(end, pixels, abs_tol=1e-6)


def _check_batch(site: Site, tensor: tf.Tensor, layout: Layout) -> None:
    if Layout(layout.axes[:1]).image_axes:
        raise ValueError(
            f"layer {site.path!r} gives an output of shape {tuple(tensor.shape)} whose first axis "
            f"holds parts of the images too, such as windows, views or frames, and these cannot be "
            f"put back in their places; name a layer whose first axis is the images"
        )


def _by(layouts: Layouts) -> str:
    if not layouts.strangers:
        return ""
    return f" (by {', '.join(sorted(layouts.strangers)[:3])})"
