"""Rules of operations that move numbers: reshape, transpose, pad, slice, reverse."""

from collections.abc import Sequence
from dataclasses import replace

from .atoms import (
    IMAGE,
    PREFIXED,
    REPEAT,
    Atom,
    Axis,
    Layout,
    feature,
    fine,
    has_places,
    length_of,
    moved,
    regrouped,
)
from .rules import UNKNOWN, Known, LostError, Step, rule


@rule("Reshape", "ExpandDims", "Squeeze")
def _reshape(step: Step) -> Sequence[Known]:
    shape = step.output()
    wanted = _lengths_after(step, shape)
    own = step.axes()
    # An axis of open length that was one before is one afterwards: known lengths help to deal.
    if wanted.count(None) > 1 and step.operation.type != "Reshape":
        return step.result(_with_ones_moved(own, step))
    return step.result(regrouped(own, wanted))


def _lengths_after(step: Step, shape: Sequence[int | None]) -> list[int | None]:
    """Return the lengths that a reshape makes, with those that follow from others."""
    told = step.numbers(1) if step.operation.type == "Reshape" and None in shape else None
    if told is None or len(told) != len(shape):
        return list(shape)
    return [
        own if own is not None else (None if other == -1 else other)
        for own, other in zip(shape, told, strict=True)
    ]


def _with_ones_moved(axes: tuple[Axis, ...], step: Step) -> tuple[Axis, ...] | None:
    if step.operation.type == "ExpandDims":
        index = step.constant(1) % (len(axes) + 1)
        return (*axes[:index], (), *axes[index:])
    dropped = step.attribute("squeeze_dims")
    if not dropped:
        return None
    gone = {index % len(axes) for index in dropped}
    return tuple(axis for index, axis in enumerate(axes) if index not in gone)


@rule("Transpose")
def _transpose(step: Step) -> Sequence[Known]:
    return step.result([step.axes()[place] for place in step.constant(1)])


@rule("Pad", "PadV2", "MirrorPad")
def _pad(step: Step) -> Sequence[Known]:
    return step.result(
        [
            padded(axis, before, after, length)
            for axis, (before, after), length in zip(
                step.axes(), step.constant(1), step.output(), strict=True
            )
        ]
    )


def padded(axis: Axis, before: int, after: int, length: int | None) -> Axis:
    """Put cells of padding before and after those of an axis."""
    if not before and not after:
        return axis
    if not has_places(axis):
        return feature(length)
    axis = fine(axis)
    if len(axis) > 1 and all(atom.kind in (IMAGE, REPEAT) for atom in axis):  # tokens
        return (Atom(PREFIXED, length, prefix=before, inner=axis),)
    if len(axis) != 1 or axis[0].kind != IMAGE:
        raise LostError
    atom = axis[0]
    pad = (atom.pad[0] + before, atom.pad[1] + after)
    return (replace(moved(atom, -before, 1, length), pad=pad),)


@rule("StridedSlice")
def _strided_slice(step: Step) -> Sequence[Known]:
    begins, ends, strides = (step.numbers(index) for index in (1, 2, 3))
    if begins is None or ends is None or strides is None:
        return [UNKNOWN]
    masks = {
        name: step.attribute(f"{name}_mask")
        for name in ("begin", "end", "ellipsis", "new_axis", "shrink_axis")
    }
    axes, shape = list(step.axes()), step.output()
    result: list[Axis] = []
    fixed = list(step.fixed)
    for place, (begin, end, stride) in enumerate(zip(begins, ends, strides, strict=True)):
        bit = 1 << place
        if masks["ellipsis"] & bit:
            for _ in range(len(axes) - _remaining(place, len(begins), masks)):
                result.append(axes.pop(0))
        elif masks["new_axis"] & bit:
            result.append(())
        else:
            axis = axes.pop(0)
            lost = begin is None and not masks["begin"] & bit
            begin = None if masks["begin"] & bit else begin
            end = None if masks["end"] & bit else end
            if lost and any(atom.kind in (IMAGE, PREFIXED) for atom in axis):
                raise LostError
            if masks["shrink_axis"] & bit:
                fixed += fixed_at(axis, begin)
            else:
                result.append(sliced(axis, begin, end, stride, shape[len(result)]))
    return [Layout((*result, *axes), tuple(fixed))]


def _remaining(place: int, count: int, masks: dict[str, int]) -> int:
    """Count the axes that the entries after an ellipsis use up."""
    return sum(1 for later in range(place + 1, count) if not masks["new_axis"] & (1 << later))


def fixed_at(axis: Axis, place: int | None) -> list[tuple[int, float | Atom]]:
    """Return where on the image one cell of an axis lies; None if that is not known."""
    axis = fine(axis)
    if place is None or len(axis) != 1 or axis[0].kind != IMAGE:
        return []
    if place < 0:
        if axis[0].length is None:
            return []
        place += axis[0].length
    return [(axis[0].axis, axis[0].first + axis[0].step * place)]


def sliced(
    axis: Axis, begin: int | None, end: int | None, stride: int | None, length: int | None
) -> Axis:
    """Return what a slice of an axis runs along.

    Args:
        axis: The axis.
        begin: As in `x[begin:end:stride]`; None for the first.
        end: None for the last.
        stride: How far apart the cells are that are taken.
        length: How many are taken, if that is known.
    """
    own = length_of(axis)
    stride = 1 if stride is None else stride
    to_end = end is None or end == own or (own is not None and length == own)
    if stride == 1 and begin in (None, 0) and to_end:
        return axis
    if not has_places(axis):
        return feature(length)
    axis = fine(axis)
    if len(axis) != 1:
        raise LostError
    (atom,) = axis
    if atom.kind == PREFIXED and stride == 1 and begin == atom.prefix and to_end:
        return atom.inner
    if atom.kind == PREFIXED and end is not None and 0 < end <= atom.prefix:
        return feature(length)
    if atom.kind != IMAGE:
        raise LostError
    start: float = (0 if stride > 0 else -1) if begin is None else begin
    if start < 0:
        if own is None:
            raise LostError
        start += own
    if length is None and own is not None and end is not None and stride > 0 <= end:
        length = max(0, -int(-(min(end, own) - start) // stride))
    between = (stride - 1) / 2 if stride > 1 else 0.0  # those left out, for which a cell stands
    found = moved(atom, start + between, stride, length)
    return (replace(found, lent=atom.step * between),)


@rule("Slice")
def _slice(step: Step) -> Sequence[Known]:
    begins, sizes, shape = step.numbers(1), step.numbers(2), step.output()
    if begins is None or sizes is None:
        return [UNKNOWN]
    return step.result(
        [
            sliced(
                axis,
                begin,
                None if size in (None, -1) or begin is None else begin + size,
                1,
                length,
            )
            if begin is not None
            else _whole(axis, length)
            for axis, begin, size, length in zip(step.axes(), begins, sizes, shape, strict=True)
        ]
    )


def _whole(axis: Axis, length: int | None) -> Axis:
    """Return an axis of which a part is taken that only the run tells."""
    if has_places(axis):
        raise LostError
    return feature(length)


@rule("ReverseV2")
def _reverse(step: Step) -> Sequence[Known]:
    axes = list(step.axes())
    for place in step.constant(1):
        axis = fine(axes[place])
        if len(axis) == 1 and axis[0].kind == IMAGE and axis[0].length is not None:
            axes[place] = (moved(axis[0], axis[0].length - 1, -1, axis[0].length),)
        elif has_places(axis):
            raise LostError
    return step.result(axes)
