"""Check the user's arguments, and say how to fix them."""

import inspect
import math
import os
from collections.abc import Mapping, Sequence, Set
from itertools import islice
from typing import Any, get_args

import numpy as np

from ._host_types import HostClassIds
from .errors import brief
from .placement import Place
from .spelling import nearest

_LONGEST_NAME = 255  # on all usual file systems
_MOST_NAMES = 1_000_000
_ABSURD = 10**100  # Python refuses to write numbers of thousands of digits, in errors too
_AXES = "tdhwfc"
_INT32 = np.iinfo(np.int32)


def conform_classes(
    classes: Any, batch: int, class_count: int | None, class_names: Sequence[str] | None
) -> HostClassIds:
    """Bring the user's classes to one index per image.

    Args:
        classes: None (the predicted class, given as -1), an index, a class name, or one of these
            an image.
        batch: How many images there are.
        class_count: How many classes there are, if that is known.
        class_names: The class names, in order, if they are given.

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
    except Exception:  # of several lengths, or of a type that refuses
        raise ValueError(
            f"classes must be one class, or one per image: {batch}; received {brief(classes)}"
        ) from None
    if listed.ndim == 0:
        listed = np.repeat(listed, batch)
    if listed.ndim != 1 or len(listed) != batch:
        raise ValueError(
            f"classes must be one class, or one per image: {batch}; received shape {listed.shape}"
        )
    if listed.dtype.kind in "UO":
        listed = np.array([_index(name, class_count, class_names) for name in listed.tolist()])
    if listed.dtype.kind not in "iu":
        raise TypeError(
            f"classes must be integers or class names, not {listed.dtype} values; "
            f"received {brief(classes)}"
        )
    _check_range(listed, class_count)
    return listed.astype(np.int32)


def conform_class_names(class_names: Any) -> tuple[str, ...] | None:
    """Bring the class names to a tuple; None stays None.

    Raises:
        TypeError: If they are no sequence of names.
    """
    if class_names is None:
        return None
    wanted = "class_names must be a list of class names in order"
    if isinstance(class_names, (str, bytes, Mapping, Set)) or not hasattr(class_names, "__iter__"):
        raise TypeError(f"{wanted}, not {brief(class_names)}")
    try:
        names = list(islice(class_names, _MOST_NAMES + 1))
    except Exception:  # an array of no axis, or a type that refuses
        raise TypeError(f"{wanted}, not {brief(class_names)}") from None
    if len(names) > _MOST_NAMES:
        raise ValueError(f"{wanted}; received more than {_MOST_NAMES}")
    for name in names:
        if isinstance(name, bool) or not isinstance(name, (str, int, np.integer)):
            raise TypeError(f"{wanted}; received {brief(name)} among them")
    return tuple(map(str, names))


def whole_number(name: str, value: Any) -> int:
    """Take a whole number that an argument needs.

    Raises:
        TypeError: If it is not one.
        ValueError: If it has more than a hundred digits.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be a whole number, not {brief(value)}")
    if abs(int(value)) > _ABSURD:
        raise ValueError(f"{name} must be a number of fewer digits, not {brief(value)}")
    return int(value)


def number_in(name: str, value: Any, least: int, most: int | None = None) -> int:
    """Take a whole number of a range, of which None leaves the upper end open.

    Raises:
        TypeError: If it is no whole number.
        ValueError: If it is out of the range.
    """
    number = whole_number(name, value)
    if number < least:
        raise ValueError(f"{name} must be at least {least}, not {brief(number)}")
    if most is not None and number > most:
        raise ValueError(f"{name} must be at most {most}, not {brief(number)}")
    return number


def real_number(name: str, value: Any) -> float:
    """Take a finite number that an argument needs.

    Raises:
        TypeError: If it is not one.
        ValueError: If it is not finite.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{name} must be a number, not {brief(value)}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{name} must be finite, not {brief(value)}")
    return number


def check_flag(name: str, value: Any) -> None:
    """Raise a TypeError if an argument is neither True nor False."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False, not {brief(value)}")


def conform_path(name: str, value: Any) -> str:
    """Take the path of a file or folder as text.

    Raises:
        TypeError: If it is not one.
        ValueError: If no file can have it.
    """
    if not isinstance(value, (str, os.PathLike)) or not isinstance(os.fspath(value), str):
        raise TypeError(f"{name} must be a path, as text or pathlib.Path, not {brief(value)}")
    path = str(os.fspath(value))
    if not path or "\0" in path:
        raise ValueError(f"{name} must be the path of a file or folder, not {brief(path)}")
    if any(len(os.fsencode(part)) > _LONGEST_NAME for part in path.split(os.sep)):
        raise ValueError(
            f"{name} must have no part of more than {_LONGEST_NAME} bytes, not {brief(path)}"
        )
    return path


def check_target(target: Any, argument: str = "target") -> None:
    """Raise a TypeError if a target cannot be called with outputs and classes."""
    wanted = f"{argument} must be a function (outputs, classes) -> scores"
    if inspect.isclass(target):
        raise TypeError(f"{wanted}, not the class {target.__name__}; make an object of it")
    if not callable(target):
        raise TypeError(f"{wanted}, not {brief(target)}; see kerascam.targets")
    try:
        signature = inspect.signature(target)
    except (TypeError, ValueError):  # of a function that is not written in Python
        return
    try:
        signature.bind(None, None)
    except TypeError:
        name = getattr(target, "__name__", "")
        own = getattr(target, "__module__", "").startswith("kerascam.targets.")
        hint = f"; did you mean targets.{name}(...)?" if own else ""
        raise TypeError(f"{wanted}; received one of the arguments {signature}{hint}") from None


def conform_grid(grid: Any) -> tuple[int, int] | None:
    """Bring the (rows, columns) of tokens to two positive numbers; None stays None.

    Raises:
        TypeError: If they are no whole numbers.
        ValueError: If they are not two, or not positive.
    """
    if grid is None:
        return None
    if not isinstance(grid, (list, tuple)) or len(grid) != 2:
        raise ValueError(f"grid must be the two numbers (rows, columns), not {brief(grid)}")
    rows, columns = (whole_number("grid", length) for length in grid)
    if rows < 1 or columns < 1:
        raise ValueError(f"grid must have at least one row and column, not {brief(grid)}")
    return rows, columns


def check_place(place: Any) -> None:
    """Raise a ValueError if it is not a known way to place the cells of a layer."""
    if not isinstance(place, str) or place not in get_args(Place):
        known = " or ".join(repr(name) for name in get_args(Place))
        raise ValueError(f"place must be {known}, not {brief(place)}")


def conform_axes(axes: Any) -> str | None:
    """Take a letter for each axis of an input; None stays None.

    Raises:
        TypeError: If it is no text.
        ValueError: If a letter is unknown or comes twice, or there is none but "c".
    """
    if axes is None:
        return None
    wanted = f"axes must name each axis of the input by a letter of {_AXES!r}, as in 'hwc' or 'tc'"
    if not isinstance(axes, str):
        raise TypeError(f"{wanted}, not {brief(axes)}")
    if set(axes) - set(_AXES):
        raise ValueError(f"{wanted}; received {brief(axes)}")
    if len(set(axes)) < len(axes):
        raise ValueError(f"{wanted}, each once; received {brief(axes)}")
    if not set(axes) - {"c"}:
        raise ValueError(f"{wanted}, and one at least besides 'c'; received {brief(axes)}")
    return axes


def check_class_names(class_names: Sequence[str] | None, class_count: int | None) -> None:
    """Raise a ValueError if the number of class names is not that of the classes."""
    if class_names is not None and class_count not in (None, len(class_names)):
        raise ValueError(
            f"class_names must name the model's {class_count} classes in order; "
            f"received {len(class_names)}"
        )


def _index(name: Any, class_count: int | None, class_names: Sequence[str] | None) -> int:
    if isinstance(name, int) and not isinstance(name, bool):  # too large for NumPy, or in a mix
        _check_range(np.array([name], object), class_count)
        return name
    if not isinstance(name, str):
        raise TypeError(f"classes must be integers or class names; received {brief(name)}")
    if class_names is None:
        raise ValueError(
            f"classes names {brief(name)}, but no class names are known; give class_names="
        )
    return class_index(name, class_names)


def class_index(name: str, class_names: Sequence[str]) -> int:
    """Find a class by its name, or by one of the synonyms that its name lists with commas.

    Raises:
        ValueError: If no class or more than one has that name.
    """
    exact = [place for place, each in enumerate(class_names) if each == name]
    wanted = name.casefold()
    synonyms = [[part.strip() for part in each.casefold().split(",")] for each in class_names]
    alike = [place for place, names in enumerate(synonyms) if wanted in (*names, ", ".join(names))]
    found = exact or alike
    if len(found) == 1:
        return found[0]
    if found:
        raise ValueError(
            f"classes names {brief(name)}, which {len(found)} classes have: {brief(found)}; give "
            f"the index"
        )
    near = nearest(name, class_names)
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else "see class_names="
    raise ValueError(f"classes names {brief(name)}, which is not one of the class names; {hint}")


def _check_range(classes: np.ndarray, class_count: int | None) -> None:
    most = _INT32.max if class_count is None else class_count - 1
    wrong = (classes < 0) | (classes > most)
    if wrong.any():
        shown = brief(int(classes[np.argmax(wrong)]))
        last = "the last one" if class_count is None else str(most)
        hint = (
            "; one unit that is the logit of two classes needs target=targets.binary"
            if class_count == 1
            else ""
        )
        raise ValueError(f"classes must be from 0 to {last}; received {shown}{hint}")
