"""Check the user's classes, class names and numbers, and say what to do where they are wrong."""

from collections.abc import Mapping, Sequence, Set
from difflib import get_close_matches
from typing import Any

import numpy as np

from ._host_types import HostClassIds


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
