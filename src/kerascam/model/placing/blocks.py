"""Rules of operations that resize a grid, or deal it out in blocks."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from .atoms import (
    Atom,
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
    axes = list(step.axes())
    for place in (1, 2):
        own, length = length_of(axes[place]), shape[place]
        if own is None or length is None:
            return [UNKNOWN]
        axes[place] = spaced_out(axes[place], stride=length / own, length=length)
    return step.result(axes)


@rule("SpaceToBatchND")
def _space_to_batch(step: Step) -> Sequence[Known]:
    axes = list(step.axes())
    inner: list[Atom] = []
    for place, (block, (before, after)) in _blocks(step):
        own = length_of(axes[place])
        whole = padded(axes[place], before, after, None if own is None else own + before + after)
        if block == 1:
            axes[place] = whole
            continue
        parts = split(whole[0], block) if len(whole) == 1 else None
        if parts is None:
            return [UNKNOWN]
        outer, fast = parts
        axes[place] = (replace(outer, pad=(before / block, after / block)),)
        inner.append(fast)
    axes[0] = (*inner, *axes[0])
    return step.result(axes)


def _blocks(step: Step) -> Iterable[tuple[int, tuple[int, Sequence[int]]]]:
    """Number the axes after the batch: each has a block, and padding or a crop at both ends."""
    return enumerate(zip(step.constant(1), step.constant(2), strict=True), start=1)


@rule("BatchToSpaceND")
def _batch_to_space(step: Step) -> Sequence[Known]:
    shape, axes = step.output(), list(step.axes())
    waiting = list(axes[0])
    for place, (block, (before, after)) in _blocks(step):
        if block != 1:
            if not waiting or waiting[0].length != block:
                return [UNKNOWN]
            axes[place] = merged((*axes[place], waiting.pop(0)))
        if before or after:
            own = length_of(axes[place])
            end = None if own is None else own - after
            axes[place] = sliced(axes[place], before, end, 1, shape[place])
    axes[0] = tuple(waiting)
    return step.result(axes)


@rule("SpaceToDepth", "DepthToSpace")
def _space_to_depth(step: Step) -> Sequence[Known]:
    shape, block = step.output(), step.attribute("block_size")
    if step.attribute("data_format") != b"NHWC":
        return [UNKNOWN]
    scale = 1 / block if step.operation.type == "SpaceToDepth" else block
    axes = list(step.axes())
    for place in (1, 2):
        axes[place] = spaced_out(axes[place], stride=scale, length=shape[place])
    axes[3] = feature(shape[3])
    return step.result(axes)
