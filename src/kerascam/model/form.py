"""A layer's output, read as a grid of features, and written again."""

from collections.abc import Sequence
from dataclasses import dataclass

import tensorflow as tf

from .._types import Features
from ..resizing import Edges
from .placing import Cells
from .question import Shift
from .sites import Site, as_layer_gives, in_form

Grid = tuple[int, int]
NOT_FOLLOWED = "not followed"


@dataclass(frozen=True)
class Form:
    """A site's output as (batch, *grid, features).

    Attributes:
        site: The layer.
        cells: Where its cells lie; None if the graph does not tell, and shapes do.
        size: The image's lengths along the grid's axes; None if the layer lies on no image.
        grid: The tokens' (rows, columns), if the user passes them.
        edges: For each grid axis, what part of the image it covers; None is all of it.
        axes: For each grid axis, which of the image's grid axes it runs along; None without
            `size`.
        places: Where the layer lies on axes that its grid does not run along, such as the frame
            that it sees: pairs of an axis of the image's grid and a place there.
        views: How many of the first axes the layer does not see as a whole, such as frames: it
            sees what lies at each of their places by itself.
        single: Which of the grid's axes the output has not, as the image has one place there: the
            only frame of a clip.
        unplaced: Whether it is yet to be measured where the cells lie.
        shift: How far the cells look from where they are drawn, if that was measured.
        note: What the user should know of it, if anything.
    """

    site: Site
    cells: Cells | None
    size: tuple[int | None, ...] | None
    grid: Grid | None
    edges: Edges
    axes: tuple[int, ...] | None
    places: tuple[tuple[int, int], ...] = ()
    views: int = 0
    single: tuple[int, ...] = ()
    unplaced: bool = False
    shift: Shift | None = None
    note: str | None = None

    @property
    def shifts(self) -> tuple[float, ...] | None:
        """For each grid axis, how far the cells look from where they are drawn, in pixels."""
        return None if self.shift is None else self.shift.pixels

    @property
    def words(self) -> str:
        """Where the cells lie: how wide they are, and where the first begins if not at 0."""
        if self.cells is None:
            return NOT_FOLLOWED
        edges = [edge for edge in self.cells.edges if edge[1]]
        if not edges:
            return "one cell"
        words = "×".join(f"{width:g}" for _, width in edges) + " px"
        if any(begin for begin, _ in edges):
            words += f" from {', '.join(f'{begin:g}' for begin, _ in edges)}"
        return words

    def read(self, runs: Sequence[tf.Tensor]) -> Features:
        """Bring the output, or its gradient, to (batch, *grid, features), at least float32.

        Args:
            runs: That of each run of the layer.
        """
        tensor = together(runs)
        if self.cells is None:
            tensor = in_form(self.site, tensor, self.size, self.grid)
        else:
            tensor = self.cells.to_grid(tensor)
        for axis in self.single:
            tensor = tf.expand_dims(tensor, axis + 1)
        return tensor if tensor.dtype == tf.float64 else tf.cast(tensor, tf.float32)

    def written(self, features: Features, own: tf.Tensor, runs: int) -> list[tf.Tensor]:
        """Bring (batch, *grid, features) to the outputs of the layer's runs: `read`'s inverse.

        Args:
            features: Shape (batch, *grid, features).
            own: The layer's own output for each of these images, whose prefix tokens are kept;
                of several runs, `together`.
            runs: How many there are.
        """
        if self.single:
            features = tf.squeeze(features, [axis + 1 for axis in self.single])
        if self.cells is None:
            tensor = as_layer_gives(self.site, features, own)
        else:
            tensor = self.cells.from_grid(tf.cast(features, own.dtype), own)
            tensor = tf.ensure_shape(tensor, [None, *own.shape[1:]])
        return [tensor] if runs == 1 else tf.unstack(tensor, runs, axis=1)


def together(runs: Sequence[tf.Tensor]) -> tf.Tensor:
    """Put the outputs of a layer's runs on a new axis after the batch; of one run, as it is."""
    return runs[0] if len(runs) == 1 else tf.stack(runs, 1)
