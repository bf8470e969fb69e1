"""Rules of operations that sum over axes: convolutions, pooling, products of matrices, means."""

from collections.abc import Sequence

import numpy as np

from .atoms import Axis, Layout, feature
from .rules import UNKNOWN, Known, Step, joined_axis, lengths, rule
from .windows import slid, spaced_out

_POOLING = frozenset({"MaxPool", "AvgPool", "MaxPool3D", "AvgPool3D"})
_CONVOLUTIONS = frozenset({"Conv2D", "Conv3D", "DepthwiseConv2dNative"})
_TRANSPOSED = frozenset({"Conv2DBackpropInput", "Conv3DBackpropInputV2"})
_PRODUCTS = frozenset({"MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3"})
#: Those whose outputs are sums over an axis of what they read, weighted by the model.
MIXING = _CONVOLUTIONS | _TRANSPOSED | _PRODUCTS | {"Einsum"}


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _spatial(step: Step, rank: int) -> tuple[list[int], int]:
    """Return the places of the spatial axes and of the features, from the operation's format."""
    letters = _text(step.attribute("data_format"))
    features = letters.index("C")
    return [place for place in range(1, rank) if place != features], features


def _windowed(
    step: Step, kernel: Sequence[int | None], dilations: Sequence[int]
) -> Sequence[Known]:
    shape = step.output()
    spatial, features = _spatial(step, len(shape))
    padding = _text(step.attribute("padding"))
    strides = step.attribute("strides")
    axes = list(step.axes())
    if padding not in ("SAME", "VALID") or any(length is None for length in kernel):
        return [UNKNOWN]
    for place, length in zip(spatial, kernel, strict=True):
        axes[place] = slid(
            axes[place],
            kernel=int(length or 1),
            stride=strides[place],
            dilation=dilations[place],
            same=padding == "SAME",
            length=shape[place],
        )
    if step.operation.type in _POOLING:
        return step.result(axes)
    axes[features] = feature(shape[features])
    return step.result(axes)


@rule(*_CONVOLUTIONS)
def _convolution(step: Step) -> Sequence[Known]:
    if step.given[1] is not None:  # a kernel that is made from the image
        return [UNKNOWN]
    kernel = step.operation.inputs[1].shape[:-2]
    return _windowed(step, list(kernel), step.attribute("dilations"))


@rule(*_POOLING)
def _pooling(step: Step) -> Sequence[Known]:
    sizes = step.attribute("ksize")
    spatial, _ = _spatial(step, len(sizes))
    return _windowed(step, [sizes[place] for place in spatial], [1] * len(sizes))


@rule(*_TRANSPOSED)
def _transposed(step: Step) -> Sequence[Known]:
    if not isinstance(step.given[2], Layout) or step.given[1] is not None:
        return [UNKNOWN]
    shape = step.output()
    spatial, features = _spatial(step, len(shape))
    strides, axes = step.attribute("strides"), list(step.axes(2))
    for place in spatial:
        axes[place] = spaced_out(axes[place], stride=strides[place], length=shape[place])
    axes[features] = feature(shape[features])
    return step.result(axes)


@rule(*_PRODUCTS)
def _matrix_product(step: Step) -> Sequence[Known]:
    shape = step.output()
    if any(step.operation.inputs[side].shape.rank is None for side in (0, 1)):
        return [UNKNOWN]
    batched = step.operation.type.startswith("Batch")
    turned = [step.attribute(f"{'adj_' if batched else 'transpose_'}{n}")
              for n in (("x", "y") if batched else ("a", "b"))]  # fmt: skip
    left, right = list(step.axes(0)), list(step.axes(1))
    rows = left[-1 if turned[0] else -2]
    columns = right[-2 if turned[1] else -1] if step.given[1] is not None else feature(shape[-1])
    if step.given[0] is None:
        rows = feature(shape[-2])
    outer = [layout for side, layout in enumerate((left, right)) if step.given[side] is not None]
    before = len(shape) - 2
    filled = [((),) * (before - (len(axes) - 2)) + tuple(axes[:-2]) for axes in outer]
    batch = [joined_axis([axes[i] for axes in filled], shape[i]) for i in range(before)]
    return step.result([*batch, rows, columns])


@rule("Einsum")
def _einsum(step: Step) -> Sequence[Known]:
    shape, equation = step.output(), _text(step.attribute("equation")).replace(" ", "")
    if "->" not in equation:
        return [UNKNOWN]
    sources, target = equation.split("->")
    terms = sources.split(",")
    by_letter: dict[str, list[Axis]] = {}
    spare: list[tuple[Axis, ...]] = []
    for index, term in enumerate(terms):
        if step.given[index] is None:
            continue
        axes = list(step.axes(index))
        before, dots, after = term.partition("...")
        pairs = list(zip(before, axes, strict=False))
        if after:
            pairs += list(zip(after, axes[-len(after) :], strict=True))
        if dots:
            spare.append(tuple(axes[len(before) : len(axes) - len(after)]))
        for letter, axis in pairs:
            by_letter.setdefault(letter, []).append(axis)
    head, dots, tail = target.partition("...")
    middle = len(shape) - len(head) - len(tail) if dots else 0
    result: list[Axis] = []
    for place, length in enumerate(shape):
        if dots and len(head) <= place < len(head) + middle:
            offset = place - len(head) - middle
            result.append(joined_axis([s[offset] for s in spare if len(s) >= -offset], length))
            continue
        letter = head[place] if place < len(head) else tail[place - len(shape)]
        result.append(joined_axis(by_letter.get(letter, []), length))
    return step.result(result)


@rule("Mean", "Sum", "Max", "Min", "Prod", "EuclideanNorm", "ArgMax", "ArgMin")
def _reduction(step: Step) -> Sequence[Known]:
    axes, over = step.axes(), np.ravel(step.constant(1)).tolist()
    gone = {place % len(axes) for place in over} if axes else set()
    keep = step.operation.type not in ("ArgMax", "ArgMin") and step.attribute("keep_dims")
    return step.result(
        [
            () if place in gone else axis
            for place, axis in enumerate(axes)
            if keep or place not in gone
        ]
    )


@rule("TopKV2", "RFFT", "IRFFT", "FFT", "IFFT")
def _selected(step: Step) -> Sequence[Known]:
    """Put other numbers in place of the last axis, such as its largest, or its frequencies."""
    axes = step.axes()
    return [
        Layout((*axes[:-1], feature((lengths(output) or (None,))[-1])), step.fixed)
        for output in step.operation.outputs
    ]


@rule("OneHot")
def _one_hot(step: Step) -> Sequence[Known]:
    shape, axes = step.output(), list(step.axes())
    place = step.attribute("axis") % len(shape)
    axes.insert(place, feature(shape[place]))
    return step.result(axes)
