"""Rules of operations that resize a grid, or deal it out in blocks."""

from collections.abc import Sequence
from dataclasses import replace

from .atoms import (
    Atom,
    Axis,
    feature,
    length_of,
    merged,
    split,
)
from .movements import padded, sliced
from .rules import UNKNOWN, Known, Step, rule
from .windows import spaced_out


@rule("ResizeBilinear", "ResizeNearestNeighbor", "ResizeBicubic", "ResizeArea", "ScaleAndTranslate")
def _resize(step: Step) -> Sequence[Known]:
    shape = step.output()
    if shape is None:
        return [UNKNOWN]
    axes = list(step.axes())
    for place in (1, 2):
        own, length = length_of(axes[place]), shape[place]
        if own is None or length is None:
            return [UNKNOWN]
        axes[place] = spaced_out(axes[place], stride=length / own, length=length)
    return step.result(axes)


@rule("SpaceToBatchND")
def _space_to_batch(step: Step) -> Sequence[Known]:
    blocks, pads, shape = step.constant(1), step.constant(2), step.output()
    if blocks is None or pads is None or shape is None:
        return [UNKNOWN]
    axes = list(step.axes())
    inner: list[Atom] = []
    for place, (block, (before, after)) in enumerate(zip(blocks, pads, strict=True), start=1):
        longer = _longer(axes[place], int(before + after))
        whole = padded(axes[place], int(before), int(after), longer)
        if int(block) == 1:
            axes[place] = whole
            continue
        parts = split(whole[0], int(block)) if len(whole) == 1 else None
        if parts is None:
            return [UNKNOWN]
        outer, fast = parts
        pad = (float(before) / int(block), float(after) / int(block))
        axes[place] = (replace(outer, pad=pad),)
        inner.append(fast)
    axes[0] = (*inner, *axes[0])
    return step.result(axes)


def _longer(axis: Axis, by: int) -> int | None:
    own = length_of(axis)
    return None if own is None else own + int(by)


@rule("BatchToSpaceND")
def _batch_to_space(step: Step) -> Sequence[Known]:
    blocks, crops, shape = step.constant(1), step.constant(2), step.output()
    if blocks is None or crops is None or shape is None:
        return [UNKNOWN]
    axes = list(step.axes())
    waiting = list(axes[0])
    for place, (block, (before, after)) in enumerate(zip(blocks, crops, strict=True), start=1):
        if int(block) != 1:
            if not waiting or waiting[0].length != int(block):
                return [UNKNOWN]
            axes[place] = merged((*axes[place], waiting.pop(0)))
        if before or after:
            own = length_of(axes[place])
            end = None if own is None else own - int(after)
            axes[place] = sliced(axes[place], int(before), end, 1, shape[place])
    axes[0] = tuple(waiting)
    return step.result(axes)


@rule("SpaceToDepth", "DepthToSpace")
def _space_to_depth(step: Step) -> Sequence[Known]:
    shape, block = step.output(), step.attribute("block_size")
    if shape is None or step.attribute("data_format") != b"NHWC":
        return [UNKNOWN]
    scale = 1 / block if step.operation.type == "SpaceToDepth" else block
    axes = list(step.axes())
    for place in (1, 2):
        axes[place] = spaced_out(axes[place], stride=scale, length=shape[place])
    axes[3] = feature(shape[3])
    return step.result(axes)
