"""How a site's output is read as a grid, and where the cells of that grid lie on the image."""

from collections.abc import Sequence
from math import isclose

import tensorflow as tf

from ..errors import OpenLengthsError
from ..resizing import Edges
from . import graph
from .form import Form, Grid, together
from .input_form import InputForm
from .placing import Atom, Cells, Known, Layout, Layouts, cells_of, layouts_of, side_by_side
from .question import Measured
from .sites import Site


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


def form_of(
    site: Site,
    runs: Sequence[tf.Tensor],
    image: tf.Tensor,
    layouts: Layouts,
    own: InputForm,
    grid: Grid | None = None,
    measured: Sequence[Measured] = (),
) -> Form:
    """Find the form of a site's output.

    Args:
        site: The layer.
        runs: The output of each of its runs; several see parts of the images side by side.
        image: The input that it lies on.
        layouts: That input, followed to the output.
        own: How the input is read.
        grid: The tokens' (rows, columns), if the user passes them.
        measured: Where layers look whose cells the graph does not place.

    Raises:
        OpenLengthsError: If cells can only be placed on images of one size.
        ValueError: If the output's first axis is not the images, `grid` is not how the graph lays
            the tokens out, or several runs do not see parts of the images side by side.
    """
    axes = own.grid(len(image.shape))
    layout = layouts.of(runs[0]) if len(runs) == 1 else _side_by_side(site, runs, layouts)
    shape = tuple(together(runs).shape)
    cells = None
    if isinstance(layout, Layout):
        cells = cells_of(layout, own.channels)
        if cells is None or not _places_all(cells, shape, axes):
            _check_batch(site, runs[0], layout, image)
            cells = None
    if cells is None or not isinstance(layout, Layout):
        return _by_shapes(site, shape, image, axes, grid, measured, layouts)
    if grid is not None and len(shape) == 3 and cells.lengths != tuple(grid):
        raise ValueError(
            f"grid={tuple(grid)} is not how the tokens of layer {site.path!r} lie: the model cuts "
            f"its images into {cells.lengths}; leave grid= out"
        )
    edges = dict(zip(cells.on_image, zip(cells.edges, cells.lengths, strict=False), strict=True))
    places = {
        axis: round(place)
        for axis, place in layout.fixed
        if axis in axes and not isinstance(place, Atom) and isclose(place, round(place))
    }
    single = [axis for axis in places if image.shape[axis + 1] == 1]
    along = sorted((*edges, *single))
    kept = {axes.index(axis): place for axis, place in places.items() if axis not in single}
    views = max(cells.views, int(len(runs) > 1), sum(axis == axes[0] for axis in single))
    return Form(
        site,
        cells,
        tuple(image.shape[axis + 1] for axis in along),
        grid,
        tuple(
            _edge(*edges[axis], image.shape[axis + 1]) if axis in edges else None for axis in along
        ),
        tuple(map(axes.index, along)),
        tuple(kept.items()),
        views,
        tuple(along.index(axis) for axis in sorted(single)),
        note=_axes_note(site, [*map(axes.index, along)], len(axes), kept, views)
        or _own_axes_note(site, cells),
    )


def grid_on(image: tf.Tensor, own: InputForm, layout: Known | None) -> tuple[Cells, Edges] | None:
    """Find the grid of a tensor that runs along all axes of an image.

    Args:
        image: The input.
        own: How it is read.
        layout: What is known of the tensor.

    Returns:
        The cells and, for each axis, what part of the image they cover; None if there is no such
        grid.
    """
    axes = own.grid(len(image.shape))
    cells = cells_of(layout, own.channels) if isinstance(layout, Layout) else None
    if cells is None or cells.on_image != tuple(axes):
        return None
    edges = zip(axes, cells.edges, cells.lengths, strict=False)
    return cells, tuple(_edge(edge, cells, image.shape[axis + 1]) for axis, edge, cells in edges)


def _edge(
    edge: tuple[float, float], cells: int | None, pixels: int | None
) -> tuple[float, float] | None:
    return None if _covers(edge, cells, pixels) else edge


def _side_by_side(site: Site, runs: Sequence[tf.Tensor], layouts: Layouts) -> Layout:
    layout = side_by_side([layouts.of(tensor) for tensor in runs])
    if layout is None:
        raise many_runs(site, runs)
    return layout


def many_runs(site: Site, runs: Sequence[tf.Tensor]) -> ValueError:
    """Word that a layer has runs that do not belong together."""
    return ValueError(
        f"layer {site.path!r} ran {len(runs)} times in one forward pass; choose one run by "
        f"call_index=, from 0 to {len(runs) - 1}"
    )


def _places_all(cells: Cells, shape: Sequence[int | None], axes: Sequence[int]) -> bool:
    """Tell whether each cell has its place; an axis without cells may only be one that is gone.

    A grid that runs along all axes may have more of its own, such as the frequencies of a sound.
    """
    if None in cells.axes:
        return cells.on_image == tuple(axes)
    return cells.axes == tuple(axes) or len(shape) != len(axes) + 2


def _by_shapes(
    site: Site,
    shape: Sequence[int | None],
    image: tf.Tensor,
    axes: Sequence[int],
    grid: Grid | None,
    measured: Sequence[Measured],
    layouts: Layouts,
) -> Form:
    """Place the cells where they were measured, if there are as many axes, or tokens; note that."""
    lost = f"where the cells of layer {site.path} lie could not be followed through the model"
    own = Form(
        site, None, None, grid, (), None,
        note=f"{lost}{_by(layouts)}, nor measured: the map lies on the layer's own grid",
    )  # fmt: skip
    if len(shape) != len(axes) + 2 and (len(shape), len(axes)) != (3, 2):
        return own
    size = tuple(image.shape[axis + 1] for axis in axes)
    if None in size:
        raise OpenLengthsError(f"{lost}{_by(layouts)}")
    found = [each for each in measured if (each.name, each.size) == (site.name, size)]
    edges = (None,) * len(size) if not found else found[0].edges
    if edges is None:
        return own
    return Form(
        site, None, size, grid, edges, tuple(range(len(size))),
        unplaced=not found,
        note=f"{lost}{_by(layouts)}: it was measured, by noise images",
    )  # fmt: skip


def _axes_note(
    site: Site, along: Sequence[int], count: int, places: dict[int, int], views: int
) -> str | None:
    """Say which axes of the images a heatmap has; None if all, seen as a whole."""
    gone = [axis for axis in range(count) if axis not in along]
    if gone and all(axis in places for axis in gone):
        where = " and ".join(f"place {places[axis]} of axis {axis + 1}" for axis in gone)
        return f"layer {site.path} sees {where} of the images alone, and so does the heatmap"
    if gone:
        names = " and ".join(str(axis + 1) for axis in gone)
        return (
            f"layer {site.path} keeps no places along axis {names} of the images, and the "
            f"heatmap has no such axis"
        )
    if views:
        names = " and ".join(str(axis + 1) for axis in range(views))
        return (
            f"layer {site.path} sees each place of axis {names} of the images by itself, and has a "
            f"map for each"
        )
    return None


def _own_axes_note(site: Site, cells: Cells) -> str | None:
    """Say which axes of a layer's grid run along none of the image; None if all do."""
    made = [length for axis, length in zip(cells.axes, cells.lengths, strict=True) if axis is None]
    if not made:
        return None
    shown = " × ".join("?" if length is None else str(length) for length in made)
    return (
        f"the grid of layer {site.path} has {shown} cells for each place of the input, such as "
        f"frequencies: the heatmap is their mean, and explanation.maps holds all"
    )


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


def _check_batch(site: Site, tensor: tf.Tensor, layout: Layout, image: tf.Tensor) -> None:
    if not Layout(layout.axes[:1]).image_axes:
        return
    kind = OpenLengthsError if None in image.shape[1:] else ValueError
    raise kind(
        f"layer {site.path!r} returns an output of shape {tuple(tensor.shape)} whose first axis "
        f"holds parts of the images too, such as windows, views or frames, and these cannot be "
        f"put back in their places; name a layer whose first axis is the images"
    )


def _by(layouts: Layouts) -> str:
    if not layouts.strangers:
        return ""
    return f" (by {', '.join(sorted(layouts.strangers)[:3])})"
