"""Check what the user gives against what the model takes, and say what to do where it differs."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np

from ._types import HostClassIds


@dataclass(frozen=True)
class InputSpec:
    """What one input of a model takes.

    Attributes:
        name: As in the model, or "inputs".
        shape: Without the batch axis; None for an axis of any length.
        dtype: The dtype that the model computes with; None where it takes what comes.
    """

    name: str
    shape: tuple[int | None, ...] | None
    dtype: str | None


def conform(inputs: Any, specs: Sequence[InputSpec]) -> list[Any]:
    """Bring the user's inputs to a list of batches, one for each of the model's inputs.

    Args:
        inputs: An array or tensor; a list of equal images for a model of one input; for a model
            of several, a list, tuple or dict by input name.
        specs: The model's inputs, in order.

    Returns:
        NumPy arrays in the inputs' dtypes, each of shape (batch, ...).

    Raises:
        TypeError: If something is not numeric.
        ValueError: If the number of inputs, a shape or the batch differs, a batch is empty, or a
            value is NaN or infinite.
    """
    arrays = [
        _conform(value, spec, single=len(specs) == 1)
        for value, spec in zip(_in_order(inputs, specs), specs, strict=True)
    ]
    batches = {len(array) for array in arrays}
    if len(batches) > 1:
        sizes = ", ".join(
            f"{spec.name}: {len(array)}" for spec, array in zip(specs, arrays, strict=True)
        )
        raise ValueError(f"images must have one batch size over all inputs; received {sizes}")
    return arrays


def _in_order(inputs: Any, specs: Sequence[InputSpec]) -> list[Any]:
    names = [spec.name for spec in specs]
    if isinstance(inputs, Mapping):
        if set(inputs) != set(names):
            raise ValueError(
                f"images must have the model's input names {names} as keys; "
                f"received {sorted(map(str, inputs))}"
            )
        return [inputs[name] for name in names]
    if len(specs) == 1:
        alone = isinstance(inputs, (list, tuple)) and len(inputs) == 1
        return list(inputs) if alone and _is_batch(inputs[0], specs[0]) else [inputs]
    if not isinstance(inputs, (list, tuple)) or len(inputs) != len(specs):
        count = len(inputs) if isinstance(inputs, (list, tuple)) else 1
        raise ValueError(
            f"images must be a list or dict of {len(specs)} inputs ({', '.join(names)}) for this "
            f"model; received {count}"
        )
    return list(inputs)


def _is_batch(value: Any, spec: InputSpec) -> bool:
    rank = getattr(value, "ndim", None)
    return rank is not None and spec.shape is not None and rank == len(spec.shape) + 1


def _conform(value: Any, spec: InputSpec, *, single: bool) -> np.ndarray:
    name = "images" if single else f"images[{spec.name!r}]"
    array = _as_array(value, name)
    if array.dtype.kind not in "biuf" and array.dtype.name != "bfloat16":
        raise TypeError(
            f"{name} must hold numbers, not {array.dtype} values; decode files to arrays first"
        )
    _check_shape(array, spec, name)
    if spec.dtype is not None:
        with np.errstate(over="ignore"):  # what the dtype cannot hold is found below
            array = array.astype(_numpy_dtype(spec.dtype), copy=False)
    if array.dtype.kind not in "biu" and not np.isfinite(array).all():
        bad = int(np.argmin(np.isfinite(array).reshape(len(array), -1).all(1)))
        raise ValueError(
            f"{name} must be finite; image {bad} holds NaN or infinity: mend or drop it"
            f" (a number too large for {array.dtype} counts as infinity)"
        )
    return array


def _numpy_dtype(dtype: str) -> Any:
    # NumPy has no bfloat16 or reduced floats of its own; the model casts further by its policy.
    return np.float32 if dtype == "bfloat16" else np.dtype(dtype)


def _as_array(value: Any, name: str) -> np.ndarray:
    try:
        shapes = {np.shape(item) for item in value} if isinstance(value, (list, tuple)) else set()
        if len(shapes) <= 1:
            return np.asarray(value)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"{name} must be an array or tensor, not {type(value).__name__}: {error}"
        ) from None
    raise ValueError(
        f"{name} must be of one size; received shapes {sorted(shapes)}: resize them first"
    )


def _check_shape(array: np.ndarray, spec: InputSpec, name: str) -> None:
    if 0 in array.shape:
        raise ValueError(f"{name} must hold at least one image; received shape {array.shape}")
    if spec.shape is None:
        if array.ndim < 2:
            raise ValueError(f"{name} must be a batch, not an array of shape {array.shape}")
    else:
        wanted = ("batch", *("any" if n is None else n for n in spec.shape))
        shown = f"({', '.join(map(str, wanted))})"
        if array.size and array.shape[1:] == spec.shape[:-1] and spec.shape[-1] == 1:
            raise ValueError(
                f"{name} must have shape {shown}; received one of shape {array.shape}: "
                f"add a channel axis with images[..., None]"
            )
        if array.size and array.ndim == len(spec.shape):
            raise ValueError(
                f"{name} must have shape {shown}; received one of shape {array.shape}: "
                f"add a batch axis with images[None]"
            )
        matches = array.ndim == len(spec.shape) + 1 and all(
            want is None or want == have
            for want, have in zip(spec.shape, array.shape[1:], strict=False)
        )
        if not matches:
            raise ValueError(
                f"{name} must have shape {shown}; received {array.shape}: resize or transpose them"
            )


def conform_classes(
    classes: Any, batch: int, class_count: int | None, labels: Sequence[str] | None
) -> HostClassIds:
    """Bring the user's classes to one index an image.

    Args:
        classes: None (the predicted class, given as -1), an index, a class name, or one of these
            an image.
        batch: How many images there are.
        class_count: How many classes there are, where that is known.
        labels: The class names, in order, where they are given.

    Returns:
        Shape (batch,), int32.

    Raises:
        TypeError: If a class is neither an integer nor a name.
        ValueError: If a class is out of range or has no such name, or their number is not that
            of the images.
    """
    if classes is None:
        return np.full(batch, -1, np.int32)
    if isinstance(classes, str):
        classes = [classes] * batch
    try:
        listed = np.asarray(classes)
    except ValueError:
        raise ValueError(
            f"classes must be one class, or one an image: {batch}; received {classes!r}"
        ) from None
    if listed.ndim == 0:
        listed = np.repeat(listed, batch)
    if listed.ndim != 1 or len(listed) != batch:
        raise ValueError(
            f"classes must be one class, or one an image: {batch}; received shape {listed.shape}"
        )
    if listed.dtype.kind in "UO":
        listed = np.array([_index(name, labels) for name in listed.tolist()])
    if listed.dtype.kind not in "iu":
        raise TypeError(
            f"classes must be integers or class names, not {listed.dtype} values; "
            f"received {classes!r}"
        )
    _check_range(listed, class_count)
    return listed.astype(np.int32)


def conform_labels(labels: Any) -> tuple[str, ...] | None:
    """Bring the class names to a tuple; None stays None.

    Raises:
        TypeError: If they are no sequence of names.
    """
    if labels is None:
        return None
    if isinstance(labels, (str, bytes, Mapping, Set)) or not hasattr(labels, "__iter__"):
        raise TypeError(f"labels must be a list of class names in order, not {labels!r}")
    return tuple(map(str, labels))


def whole_number(name: str, value: Any) -> int:
    """Take a whole number that an argument needs.

    Raises:
        TypeError: If it is none.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be a whole number, not {value!r}")
    return int(value)


def conform_grid(grid: Any) -> tuple[int, int] | None:
    """Bring the (rows, columns) of tokens to two positive numbers; None stays None.

    Raises:
        TypeError: If they are no whole numbers.
        ValueError: If they are not two, or not positive.
    """
    if grid is None:
        return None
    if not isinstance(grid, (list, tuple)) or len(grid) != 2:
        raise ValueError(f"grid must be the two numbers (rows, columns), not {grid!r}")
    rows, columns = (whole_number("grid", length) for length in grid)
    if rows < 1 or columns < 1:
        raise ValueError(f"grid must have at least one row and column, not {grid!r}")
    return rows, columns


def check_labels(labels: Sequence[str] | None, class_count: int | None) -> None:
    """Raise a ValueError where the number of class names is not that of the classes."""
    if labels is not None and class_count not in (None, len(labels)):
        raise ValueError(
            f"labels must name the model's {class_count} classes in order; received {len(labels)}"
        )


def _index(name: Any, labels: Sequence[str] | None) -> int:
    if not isinstance(name, str):
        raise TypeError(f"classes must be integers or class names; received {name!r}")
    if labels is None:
        raise ValueError(f"classes names {name!r}, but no class names are known; give labels=")
    return class_index(name, labels)


def class_index(name: str, labels: Sequence[str]) -> int:
    """Find a class by its name, or by one of the synonyms that its name lists with commas.

    Raises:
        ValueError: If no class or more than one has that name.
    """
    exact = [place for place, label in enumerate(labels) if label == name]
    wanted = name.casefold()
    synonyms = [[part.strip() for part in label.casefold().split(",")] for label in labels]
    alike = [place for place, names in enumerate(synonyms) if wanted in (*names, ", ".join(names))]
    found = exact or alike
    if len(found) == 1:
        return found[0]
    if found:
        raise ValueError(
            f"classes names {name!r}, which {len(found)} labels have: {found}; give the index"
        )
    near = [label for label in labels if wanted and wanted in label.casefold()][:3]
    near = near or get_close_matches(name, list(labels), n=3)
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else "see labels="
    raise ValueError(f"classes names {name!r}, which is not one of the labels; {hint}")


def _check_range(classes: np.ndarray, class_count: int | None) -> None:
    most = np.iinfo(np.int32).max if class_count is None else class_count - 1
    wrong = (classes < 0) | (classes > most)
    if wrong.any():
        shown = int(classes[np.argmax(wrong)])
        last = "the last one" if class_count is None else str(most)
        hint = (
            "; one unit that is the logit of two classes needs target=targets.binary"
            if class_count == 1
            else ""
        )
        raise ValueError(f"classes must be from 0 to {last}; received {shown}{hint}")
