"""What a manifest must say for a client to read the answers that it tells of."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..registry import METHODS, UnknownNameError

_AGAIN = "export the model again with this version of kerascam"


def check_facts(facts: Any) -> None:
    """Check a manifest.

    Args:
        facts: As JSON has them.

    Raises:
        ValueError: If one is missing or of another form; its message is the rest of a sentence
            that begins with the manifest.

    Example:
        >>> check_facts({"method": "grad_cam"})
        Traceback (most recent call last):
            ...
        ValueError: has no 'layer'; export the model again with this version of kerascam
    """
    facts = facts if isinstance(facts, dict) else {}
    for name, fits in (_NEEDED | _OPTIONAL).items():
        if name not in facts:
            if name in _NEEDED:
                raise ValueError(f"has no {name!r}; {_AGAIN}")
        elif not fits(facts[name]):
            raise ValueError(f"says of {name!r} what cannot be so; {_AGAIN}")
    ground = facts.get("heatmap", {}).get("input")
    if ground is not None and ground not in facts["inputs"]:
        raise ValueError(f"has heatmaps on {ground!r}, which is no input; {_AGAIN}")
    if "title" in facts and "of_pixels" in facts:
        return
    try:  # an older export leaves these to the library, which imports TensorFlow
        METHODS[facts["method"]]
    except UnknownNameError as error:
        raise ValueError(
            f"names a method that this version of kerascam does not know: {facts['method']!r}; "
            f"upgrade kerascam"
        ) from error


def _is(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: type(value) in kinds


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _are_inputs(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and all(map(_is_input, value.values()))


def _is_input(value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("name", ""), str):
        return False
    shape = value.get("shape")
    if not isinstance(shape, list) or not 1 <= len(shape) <= 32 or shape[0] is not None:
        return False
    return _is_number_type(value.get("dtype")) and all(map(_is_length, shape[1:]))


def _is_length(value: Any) -> bool:
    """Tell whether an axis may have a length; None stands for any."""
    return value is None or (type(value) is int and value > 0)


def _is_number_type(value: Any) -> bool:
    if value == "bfloat16":
        import ml_dtypes as ml_dtypes  # tells NumPy of it; it comes with TensorFlow
    try:
        dtype = np.dtype(value) if isinstance(value, str) else np.dtype(object)
    except (TypeError, ValueError):
        return False
    return dtype.kind in "biuf" or dtype.name == "bfloat16"


def _are_photographs(value: Any) -> bool:
    if value is None:
        return True
    size = value.get("size") if isinstance(value, dict) else None
    return isinstance(size, list) and len(size) == 2 and all(type(side) is int for side in size)


def _is_ground(value: Any) -> bool:
    """Tell whether it may say what heatmaps lie on: an input, or none."""
    if not isinstance(value, dict) or type(value.get("channels_first")) is not bool:
        return False
    return isinstance(value.get("input", ...), (str, type(None)))


_NEEDED: dict[str, Callable[[Any], bool]] = {
    "method": _is(str),
    "layer": _is(str),
    "class_names": lambda value: value is None or _are_texts(value),
    "notes": _are_texts,
    "signed": _is(bool),
    "scaled": _is(bool),
    "inputs": _are_inputs,
}
_OPTIONAL: dict[str, Callable[[Any], bool]] = {
    "layers": _are_texts,
    "title": _is(str),
    "of_pixels": _is(bool),
    "photographs": _are_photographs,
    "raw_maps": _is(bool),
    "sums_to_one": _is(bool),
    "heatmap": _is_ground,
}
