"""Read numbers off a graph that a model computes from shapes: where it cuts, pads and resizes."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
import tensorflow as tf

_NUMBERS = (tf.int32, tf.int64, tf.float32, tf.float64, tf.bool)
_LARGEST = 4096  # more numbers than that are no shape or place
_DEEPEST = 60
# What the inputs of the functions stand for that are being read.
_OUTSIDE: ContextVar[dict[str, tf.Tensor]] = ContextVar("outside", default={})  # noqa: B039 - read


_STEPS: dict[str, Callable[..., Any]] = {
    "Add": np.add, "AddV2": np.add, "Sub": np.subtract, "Mul": np.multiply,
    "RealDiv": np.divide, "FloorDiv": np.floor_divide, "FloorMod": np.mod, "Neg": np.negative,
    "Minimum": np.minimum, "Maximum": np.maximum, "Floor": np.floor, "Ceil": np.ceil,
    "Round": np.round, "Rint": np.rint, "Sqrt": np.sqrt, "Abs": np.abs,
    "Greater": np.greater, "GreaterEqual": np.greater_equal, "Less": np.less,
    "LessEqual": np.less_equal, "Equal": np.equal, "NotEqual": np.not_equal,
    "Identity": lambda value: value, "Range": lambda *ends: np.arange(*(int(e) for e in ends)),
    "GatherV2": lambda table, at, axis: np.take(table, at.astype(int), int(axis)),
    "Reshape": lambda value, shape: value.reshape(shape.astype(int)),
    "ExpandDims": lambda value, axis: np.expand_dims(value, int(axis)),
}  # fmt: skip


@contextmanager
def called_with(inputs: Sequence[tf.Tensor], outside: Sequence[tf.Tensor]) -> Iterator[None]:
    """Let the inputs of a function stand for the tensors that it is called with."""
    names = {inner.name: outer for inner, outer in zip(inputs, outside, strict=False)}
    token = _OUTSIDE.set({**_OUTSIDE.get(), **names})
    try:
        yield
    finally:
        _OUTSIDE.reset(token)


def number(tensor: tf.Tensor, depth: int = 0) -> np.ndarray | None:
    """Return the value of a tensor that follows from the lengths that the graph knows.

    Args:
        tensor: A shape, a place, or a condition on them.
        depth: How many steps have been followed.

    Returns:
        Floats, NaN for a number that only the run tells; None if it is not made of lengths.
    """
    length = tensor.shape.num_elements()
    if length is None and tensor.dtype.is_integer:  # places that are counted up to a length
        length = 0
    if tensor.dtype not in _NUMBERS or length is None or length > _LARGEST or depth > _DEEPEST:
        return None
    value = tf.get_static_value(tensor)
    if value is not None:
        return np.asarray(value, np.float64)
    operation = tensor.op
    if operation.type == "Placeholder":
        outside = _OUTSIDE.get().get(tensor.name)
        return None if outside is None else number(outside, depth + 1)
    if operation.type in ("Shape", "ShapeN"):
        source = operation.inputs[tensor.value_index]
        if source.shape.rank is None:
            return None
        return np.array([np.nan if n is None else n for n in source.shape], np.float64)
    given = [number(each, depth + 1) for each in operation.inputs]
    if any(each is None for each in given):
        return None
    told = [each for each in given if each is not None]
    if operation.type == "SplitV":
        return _part(told, tensor.value_index)
    return _made(operation, told)


def _part(given: Sequence[np.ndarray], index: int) -> np.ndarray | None:
    """Return one of the parts that a vector is split into."""
    value, sizes, _ = given
    if value.ndim != 1 or np.isnan(sizes).any() or (sizes < 0).any():
        return None
    return np.split(value, np.cumsum(sizes.astype(int))[:-1])[index]


def _made(operation: tf.Operation, given: list[np.ndarray]) -> np.ndarray | None:
    kind = operation.type
    try:
        with np.errstate(all="ignore"):
            if kind == "Cast":
                whole = operation.outputs[0].dtype.is_integer
                return np.asarray(np.trunc(given[0])) if whole else given[0]
            if kind == "Pack":
                return np.stack(given, operation.get_attr("axis"))
            if kind == "ConcatV2":
                return np.concatenate([np.atleast_1d(each) for each in given[:-1]], int(given[-1]))
            if kind in ("Prod", "Sum", "Max", "Min"):
                axes = tuple(given[1].astype(int).ravel()) if given[1].size else ()
                step = getattr(np, kind.lower())
                kept = operation.get_attr("keep_dims")
                return np.asarray(step(given[0], axis=axes, keepdims=kept)) if axes else given[0]
            if kind == "StridedSlice":
                return _sliced(operation, given)
            if kind in _STEPS:
                return np.asarray(_STEPS[kind](*given), np.float64)
    except (IndexError, ValueError):
        return None
    return None


def _sliced(operation: tf.Operation, given: list[np.ndarray]) -> np.ndarray | None:
    """Slice a vector."""
    value, begins, ends, strides = given
    if value.ndim != 1 or np.isnan((begins, strides)).any():
        return None
    begin, end, stride = int(begins[0]), ends[0], int(strides[0])
    if operation.get_attr("shrink_axis_mask"):
        return np.asarray(value[begin])
    first = None if operation.get_attr("begin_mask") else begin
    last = None if operation.get_attr("end_mask") or np.isnan(end) else int(end)
    return value[first:last:stride]
