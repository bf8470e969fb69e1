"""Boxes of a detector: where its outputs hold them, their corners and their overlap."""

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import numpy as np
from keras import ops

from ..arguments import real_number
from ..arrays import array_of
from ..errors import brief
from .names import known, output_of

#: Which of a detector's outputs: a name, a place, or a function of all outputs.
Part: TypeAlias = int | str | Callable[[Any], Any]

BoxFormat = Literal["xyxy", "yxyx", "xywh", "center_xywh"]
_FORMATS = ("xyxy", "yxyx", "xywh", "center_xywh")


def conform_box(name: str, box: Any) -> np.ndarray:
    """Return a box, or one per image, as float32.

    Raises:
        TypeError: If it is not numbers.
        ValueError: If it is not four of them, or they are not finite.
    """
    numbers = array_of(box)
    if numbers.dtype.kind not in "iuf":
        raise TypeError(f"target {name}: box must be four numbers, not {brief(box)}")
    if numbers.ndim not in (1, 2) or numbers.shape[-1] != 4 or not np.isfinite(numbers).all():
        raise ValueError(
            f"target {name}: box must be four finite numbers, or four per image, shape (batch, 4), "
            f"not {brief(box)}"
        )
    return numbers.astype(np.float32)


def check_parts(name: str, box_format: Any, **parts: Any) -> None:
    """Raise if a part of the outputs, or the format of boxes, is not named as it can be.

    Raises:
        TypeError: If a part is neither a name, a place nor a function.
        ValueError: If there is no such format.
    """
    for part, value in parts.items():
        if isinstance(value, bool) or not (isinstance(value, (int, str)) or callable(value)):
            raise TypeError(
                f"target {name}: {part} must be the name or place of an output, or a function of "
                f"all outputs, not {brief(value)}"
            )
    if box_format not in _FORMATS:
        raise ValueError(
            f"target {name}: box_format must be one of {', '.join(map(repr, _FORMATS))}, not "
            f"{brief(box_format)}"
        )


def conform_overlap(value: Any) -> float:
    """Return the least overlap.

    Raises:
        ValueError: If it is not from 0 to 1.
    """
    least = real_number("target box: least_overlap", value)
    if not 0 <= least <= 1:
        raise ValueError(f"target box: least_overlap must be from 0 to 1, not {brief(value)}")
    return least


def intersection_over_union(boxes: Any, box: Any) -> Any:
    """Compare boxes given by their corners.

    Args:
        boxes: Shape (batch, n, 4): x and y of the first corner, x and y of the opposite one.
        box: Shape (batch or 1, 1, 4).

    Returns:
        Shape (batch, n); 0 for a box without an area.

    Example:
        >>> found = intersection_over_union(
        ...     ops.array([[[0.0, 0, 2, 2], [5, 5, 6, 6]]]), ops.array([[[1.0, 0, 3, 2]]]))
        >>> found.numpy().round(3).tolist()
        [[0.333, 0.0]]
    """
    low = ops.maximum(boxes[..., :2], box[..., :2])
    high = ops.minimum(boxes[..., 2:], box[..., 2:])
    shared = ops.prod(ops.relu(high - low), -1)
    areas = [ops.prod(ops.relu(each[..., 2:] - each[..., :2]), -1) for each in (boxes, box)]
    return ops.divide_no_nan(shared, areas[0] + areas[1] - shared)


def corners(boxes: Any, box_format: BoxFormat) -> Any:
    """Bring boxes to x and y of the first corner, and of the opposite one."""
    first, second = boxes[..., :2], boxes[..., 2:]
    if box_format == "yxyx":
        first, second = ops.flip(first, -1), ops.flip(second, -1)
    elif box_format == "xywh":
        second = first + second
    elif box_format == "center_xywh":
        first, second = first - second / 2, first + second / 2
    return ops.concatenate([first, second], -1)


def part_of(outputs: Any, part: Part, what: str) -> Any:
    """Take one of a detector's outputs.

    Raises:
        ValueError: If there is none of that name, or at that place.
    """
    if callable(part):
        return part(outputs)
    found = None if ops.is_tensor(outputs) else output_of(outputs, part)
    if found is None:
        raise ValueError(
            f"target: {what} must be an output of the model, or a function of its outputs, not "
            f"{brief(part)}; {known(outputs)}"
        )
    return found
