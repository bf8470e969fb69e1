"""Rules of operations that put tensors together, take parts of them, or repeat them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .atoms import (
    BATCH,
    FEATURE,
    IMAGE,
    PREFIXED,
    REPEAT,
    Atom,
    Axis,
    Layout,
    Places,
    feature,
    has_places,
    length_of,
    moved,
)
from .movements import fixed_at, sliced
from .rules import UNKNOWN, Known, LostError, Step, joined_axis, lengths, rule, shared_places


@rule("ConcatV2")
def _concat(step: Step) -> Sequence[Known]:
    place, shape = step.constant(len(step.given) - 1), step.output()
    parts = [step.axes(index) for index in range(len(step.given) - 1)]
    at = place % len(shape)
    axes = [
        _end_to_end([part[index] for part in parts], length, tokens=len(shape) == 3)
        if index == at
        else joined_axis([part[index] for part in parts], length)
        for index, length in enumerate(shape)
    ]
    return step.result(axes)


def _end_to_end(axes: Sequence[Axis], length: int | None, *, tokens: bool) -> Axis:
    """Return what axes run along that are joined one after another.

    What stands beside the cells of an image is padding, or, among tokens, such as a class token.
    """
    placed = [place for place, axis in enumerate(axes) if any(a.kind == IMAGE for a in axis)]
    if not any(map(has_places, axes)):
        return feature(length)
    if len(placed) == 1:
        before = [length_of(axis) for axis in axes[: placed[0]]]
        inner = axes[placed[0]]
        if None in before or any(atom.kind not in (IMAGE, REPEAT) for atom in inner):
            raise LostError
        prefix = sum(each for each in before if each is not None)
        parts = [length_of(axis) for axis in axes]
        if length is None and None not in parts:
            length = sum(each for each in parts if each is not None)
        if not tokens and len(inner) == 1:
            return (moved(inner[0], -prefix, 1, length),)
        return (Atom(PREFIXED, length, prefix=prefix, inner=inner),)
    if len(placed) == len(axes) and all(len(axis) == 1 for axis in axes):
        return _continued([axis[0] for axis in axes], length)
    raise LostError


def _continued(atoms: Sequence[Atom], length: int | None) -> Axis:
    first = atoms[0]
    place = first.first
    for atom in atoms:
        same = (atom.axis, atom.step) == (first.axis, first.step)
        if not same or abs(atom.first - place) > 1e-6 or atom.length is None:
            raise LostError
        place += atom.step * atom.length
    return (replace(first, length=length, pad=(0.0, 0.0)),)


@rule("Pack")
def _pack(step: Step) -> Sequence[Known]:
    shape = step.output()
    layouts = [layout for layout in step.given if isinstance(layout, Layout)]
    place = step.attribute("axis") % len(shape)
    rest = [length for index, length in enumerate(shape) if index != place]
    parts = [step.axes(index) for index in range(len(step.given))]
    axes = [joined_axis([part[i] for part in parts], length) for i, length in enumerate(rest)]
    new, fixed = _in_line(layouts, len(step.given))
    axes.insert(place, new if new is not None else feature(len(step.given)))
    return [Layout(tuple(axes), fixed)]


def _in_line(layouts: Sequence[Layout], count: int) -> tuple[Axis | None, Places]:
    """Find the axis of the image along which parts of it are put side by side."""
    if len(layouts) != count or count < 2:
        return None, shared_places(layouts)
    places = [
        {axis: place for axis, place in layout.fixed if not isinstance(place, Atom)}
        for layout in layouts
    ]
    for axis in places[0]:
        at = np.array([each.get(axis, np.nan) for each in places])
        steps = np.diff(at)
        if np.isfinite(at).all() and np.allclose(steps, steps[0]) and steps[0]:
            new = Atom(IMAGE, count, axis=axis, step=float(steps[0]), first=float(at[0]))
            kept = tuple((a, p) for a, p in layouts[0].fixed if a != axis)
            return (new,), kept
    return None, shared_places(layouts)


def side_by_side(layouts: Sequence[Known | None]) -> Layout | None:
    """Put tensors that hold neighbouring parts of the image on a new axis after the batch.

    Args:
        layouts: What is known of each, such as of a network's output for each frame of a clip.

    Returns:
        What they are as one tensor; None if they are not alike but for their places.
    """
    known = [layout for layout in layouts if isinstance(layout, Layout)]
    if len({layout.axes for layout in known}) != 1:
        return None
    new, fixed = _in_line(known, len(layouts))
    if new is None:
        return None
    batch, *axes = known[0].axes
    return Layout((batch, new, *axes), fixed)


@rule("Unpack", "Split", "SplitV")
def _unpack(step: Step) -> Sequence[Known]:
    kind = step.operation.type
    source = 1 if kind == "Split" else 0
    axes, count = list(step.axes(source)), len(step.operation.outputs)
    if kind == "Unpack":
        place: int = step.attribute("axis")
    else:
        place = step.constant(0 if kind == "Split" else 2)
    place %= len(axes)
    found: list[Known] = []
    begin = 0
    for output in range(count):
        shape = lengths(step.operation.outputs[output])
        if kind == "Unpack":
            rest = (*axes[:place], *axes[place + 1 :])
            found.append(Layout(rest, (*step.fixed, *fixed_at(axes[place], output))))
            continue
        length = None if shape is None else shape[place]
        part = (
            feature(None)
            if length is None
            else sliced(axes[place], begin, begin + length, 1, length)
        )
        found.append(Layout((*axes[:place], part, *axes[place + 1 :]), step.fixed))
        begin += length or 0
    return found


@rule("Tile", "BroadcastTo")
def _tile(step: Step) -> Sequence[Known]:
    shape = step.output()
    axes = step.axes()
    axes = ((),) * (len(shape) - len(axes)) + axes
    repeats = step.numbers(1) if step.operation.type == "Tile" else None
    return step.result(
        [
            _repeated(axis, length, None if repeats is None else repeats[place])
            for place, (axis, length) in enumerate(zip(axes, shape, strict=True))
        ]
    )


def _repeated(axis: Axis, length: int | None, times: int | None) -> Axis:
    if not axis:
        return () if length == 1 else (Atom(REPEAT, length),)
    if times == 1 or (length is not None and length_of(axis) == length):
        return axis
    return axis if times is None and axis[0].kind == BATCH else (Atom(FEATURE, length),)


@rule("GatherV2")
def _gather(step: Step) -> Sequence[Known]:
    place = step.constant(2)
    if step.attribute("batch_dims"):
        return [UNKNOWN]
    axes, indices = step.axes(), step.axes(1)
    at = place % len(axes)
    values = step.told(1)
    # A table, such as an embedding, may be asked for what the image says.
    if step.given[0] is None or step.given[1] is not None or values is None:
        return step.result((*axes[:at], *indices, *axes[at + 1 :]))
    if values.ndim == 0:
        fixed = (*step.fixed, *fixed_at(axes[at], int(values)))
        return [Layout((*axes[:at], *axes[at + 1 :]), fixed)]
    return step.result((*axes[:at], *_taken(axes[at], values), *axes[at + 1 :]))


def _taken(axis: Axis, indices: np.ndarray) -> Sequence[Axis]:
    """Return what runs along the axes of indices into one axis, if these are evenly spaced."""
    others = [feature(length) for length in indices.shape]
    if len(axis) != 1 or axis[0].kind != IMAGE or not indices.size:
        return others
    origin = indices[(0,) * indices.ndim]
    strides = [
        np.take(indices, min(1, length - 1), place).flat[0] - origin
        for place, length in enumerate(indices.shape)
    ]
    even = origin + sum(
        np.arange(length).reshape([-1 if i == place else 1 for i in range(indices.ndim)]) * stride
        for place, (length, stride) in enumerate(zip(indices.shape, strides, strict=True))
    )
    if not np.array_equal(even, indices) or not all(strides[: len(strides) - 1]):
        return others
    middle = [
        (length - 1) / 2 * stride for length, stride in zip(indices.shape, strides, strict=True)
    ]
    found: list[Axis] = []
    for place, (length, stride) in enumerate(zip(indices.shape, strides, strict=True)):
        # The first axis says where; those after it, how far from there.
        begin = float(origin) + sum(middle[1:]) if place == 0 else -middle[place]
        atom = moved(axis[0], begin, float(stride), length)
        found.append(
            (atom if place == 0 else replace(atom, first=axis[0].step * begin),)
            if length > 1
            else ()
        )
    return found


@rule("TensorListFromTensor")
def _to_list(step: Step) -> Sequence[Known]:
    return [Layout(step.axes(), step.fixed)]


@rule("TensorListStack")
def _from_list(step: Step) -> Sequence[Known]:
    return step.result(step.axes())


@rule("TensorListGetItem")
def _read_item(step: Step) -> Sequence[Known]:
    """Take one item of a list: of the place where the loop just is."""
    line, *axes = step.axes()
    if len(line) == 1 and line[0].kind == IMAGE:
        return [Layout(tuple(axes), (*step.fixed, (line[0].axis, line[0])))]
    return [Layout(tuple(axes), step.fixed)]


@rule("TensorListSetItem")
def _write_item(step: Step) -> Sequence[Known]:
    """Put an item in a list: where that lay which the same iteration read from another.

    If all iterations write at the same place, the last one's item remains.
    """
    item = step.given[2]
    if not isinstance(item, Layout):
        return [UNKNOWN]
    line = [place for _, place in item.fixed if isinstance(place, Atom)]
    if len(line) != 1:
        return [UNKNOWN]
    kept = tuple((axis, place) for axis, place in item.fixed if place is not line[0])
    if step.told(1) is not None:
        if line[0].length is None:
            return [UNKNOWN]
        last = line[0].first + line[0].step * (line[0].length - 1)
        return [Layout(((), *item.axes), (*kept, (line[0].axis, last)))]
    return [Layout(((line[0],), *item.axes), kept)]
