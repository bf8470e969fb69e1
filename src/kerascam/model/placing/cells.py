"""From what the axes of a layer's output run along to the axes and the window of a heatmap."""

from collections.abc import Sequence
from dataclasses import dataclass

import tensorflow as tf

from .atoms import (
    BATCH,
    IMAGE,
    OWN,
    PREFIXED,
    Atom,
    Layout,
    fine,
    has_places,
    length_of,
    merged,
    spread,
)


@dataclass(frozen=True)
class Cells:
    """The cells of a layer's output, and where they lie on the image.

    Cell i of an axis lies around `first + step * i`, in pixels, and is `step` wide.

    Attributes:
        axes: The axes of the image that the grid runs along, in the image's order, the batch axis
            not counted; then None for each axis that the model made itself.
        lengths: How many cells there are along each; None if that is open.
        steps: How far two cells lie from each other; negative if they run backwards.
        firsts: Where the first lies.
        views: How many of the first axes are folded into the batch, such as views or frames: the
            layer sees each of them by itself.
        parts: The lengths of the output's atoms, in its own order, cells without a place dropped;
            empty if the axes only change their order.
        order: Which of these, or of the axes, the batch, the grid and the features are made of.
        prefixed: The axis that begins with cells without a place, how many, and how many follow.
        squeezed: The axes of length 1 that hold nothing, if the axes only change their order.
        features: Whether the output has features.
        depth: How many features there are; None if that is open.
    """

    axes: tuple[int | None, ...]
    lengths: tuple[int | None, ...]
    steps: tuple[float, ...]
    firsts: tuple[float, ...]
    views: int
    parts: tuple[int | None, ...]
    order: tuple[int, ...]
    prefixed: tuple[int, int, int] | None
    squeezed: tuple[int, ...]
    features: bool
    depth: int | None

    @property
    def on_image(self) -> tuple[int, ...]:
        """The axes of the image that the grid runs along."""
        return tuple(axis for axis in self.axes if axis is not None)

    @property
    def edges(self) -> tuple[tuple[float, float], ...]:
        """For each axis of the image: where the first cell begins, and how wide a cell is.

        In pixels from the image's edge; negative widths run backwards. An axis of one cell tells
        nothing apart, and covers what there is: its width is 0.
        """
        return tuple(
            (first + 0.5 - step / 2, 0.0 if length == 1 else step)
            for axis, first, step, length in zip(
                self.axes, self.firsts, self.steps, self.lengths, strict=True
            )
            if axis is not None
        )

    def to_grid(self, tensor: tf.Tensor) -> tf.Tensor:
        """Bring the layer's output, or its gradient, to (batch, *grid, features)."""
        if self.prefixed is not None:
            axis, prefix, length = self.prefixed
            tensor = tensor[(slice(None),) * axis + (slice(prefix, prefix + length),)]
        if not self.parts:
            if self.squeezed:
                tensor = tf.squeeze(tensor, self.squeezed)
            if self.order != tuple(range(len(self.order))):
                tensor = tf.transpose(tensor, self.order)
            return tensor if self.features else tensor[..., None]
        tensor = tf.reshape(tensor, _open_as_rest(self.parts))
        tensor = tf.transpose(tensor, self.order)
        return tf.reshape(tensor, [-1, *self.lengths, self.depth])

    def from_grid(self, features: tf.Tensor, own: tf.Tensor) -> tf.Tensor:
        """Bring (batch, *grid, features) to the form of the layer's output.

        Args:
            features: Shape (batch, *grid, features).
            own: The layer's own output, whose cells without a place are kept.
        """
        back = [self.order.index(place) for place in range(len(self.order))]
        if self.parts:
            parts = _open_as_rest([self.parts[place] for place in self.order])
            tensor = tf.transpose(tf.reshape(features, parts), back)
        else:
            tensor = tf.transpose(features if self.features else features[..., 0], back)
            for axis in self.squeezed:
                tensor = tf.expand_dims(tensor, axis)
        if self.prefixed is None:
            return tf.reshape(tensor, tf.shape(own)) if self.parts else tensor
        axis, prefix, length = self.prefixed
        shape = tf.tensor_scatter_nd_update(tf.shape(own), [[axis]], [length])
        before = own[(slice(None),) * axis + (slice(0, prefix),)]
        after = own[(slice(None),) * axis + (slice(prefix + length, None),)]
        return tf.concat([before, tf.reshape(tensor, shape), after], axis)


def _open_as_rest(lengths: Sequence[int | None]) -> list[int]:
    return [-1 if length is None else length for length in lengths]


def cells_of(layout: Layout, channels: frozenset[int] = frozenset()) -> Cells | None:
    """Find the grid of a layer's output.

    Args:
        layout: What its axes run along.
        channels: The axes of the image that count as features.

    Returns:
        The cells; None if there is no grid, or one that cannot be laid out: along the same axis
        of the image twice, or cut where lengths are open.
    """
    if not all(map(has_places, layout.axes)):  # else the features lie on an axis with others
        layout = Layout(tuple(map(fine, layout.axes)), layout.fixed)
    atoms, prefixed = _spread(layout)
    batch = [place for place, (_, atom) in enumerate(atoms) if atom.kind == BATCH]
    on_image = {
        axis: [place for place, (_, atom) in enumerate(atoms) if _lies(atom, axis)]
        for axis in sorted(layout.image_axes - channels)
    }
    made = [[place] for place, (_, atom) in enumerate(atoms) if atom.kind == OWN]
    places = [*on_image.values(), *made]
    grid = [merged([atoms[place][1] for place in each]) for each in places]
    if len(batch) != 1 or not grid or any(len(each) != 1 for each in grid):
        return None
    if prefixed is not None and not prefixed[2]:  # only the run tells where it ends
        return None
    used = {place for each in places for place in each}
    rest = [place for place in range(len(atoms)) if place not in used and place not in batch]
    owners, lengths = [owner for owner, _ in atoms], [atom.length for _, atom in atoms]
    simple = len(set(owners)) == len(owners) and len(rest) <= 1
    if not simple and any(lengths[place] is None for place in (*used, *rest)):
        return None
    views = _views(atoms, list(on_image))
    return Cells(
        axes=(*on_image, *(None for _ in made)),
        lengths=tuple(each[0].length for each in grid),
        steps=tuple(each[0].step for each in grid),
        firsts=tuple(each[0].first for each in grid),
        views=views,
        parts=() if simple else tuple(None if i in batch else n for i, n in enumerate(lengths)),
        order=(*batch, *(place for each in places for place in each), *rest),
        prefixed=prefixed,
        squeezed=tuple(i for i in range(len(layout.axes)) if i not in owners) if simple else (),
        features=bool(rest),
        depth=length_of([atoms[place][1] for place in rest]),
    )


def _spread(layout: Layout) -> tuple[list[tuple[int, Atom]], tuple[int, int, int] | None]:
    """List the atoms with the axes that they belong to, and find a prefixed axis."""
    atoms: list[tuple[int, Atom]] = []
    prefixed: tuple[int, int, int] | None = None
    for place, axis in enumerate(layout.axes):
        for atom in axis:
            if atom.kind == PREFIXED:
                prefixed = place, atom.prefix, length_of(atom.inner) or 0
        atoms += [(place, atom) for atom in spread(axis)]
    return atoms, prefixed


def _lies(atom: Atom, axis: int) -> bool:
    return atom.kind == IMAGE and atom.axis == axis


def _views(atoms: Sequence[tuple[int, Atom]], axes: Sequence[int]) -> int:
    """Count the first axes of the grid that are folded into the batch as a whole."""
    leading = {atom.axis for owner, atom in atoms if owner == 0 and atom.kind == IMAGE}
    inside = {atom.axis for owner, atom in atoms if owner > 0 and atom.kind == IMAGE}
    views = leading - inside
    return len(views) if views == set(axes[: len(views)]) else 0
