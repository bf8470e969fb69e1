"""From pixels to the values that a model wants; only the user knows which."""

import pkgutil
from collections.abc import Callable
from difflib import get_close_matches
from functools import partial
from importlib import import_module
from typing import Any

import keras
import numpy as np

from ..errors import brief

# From float32 RGB from 0 to 255, channels last, to what the model wants: arrays or tensors alike.
Preprocess = Callable[[Any], Any]


# Functions of the module, and objects of them, can be pickled.
def _as_it_is(pixels: Any) -> Any:
    return pixels


def _to_one(pixels: Any) -> Any:
    return pixels / 255


def _around_zero(pixels: Any) -> Any:
    return pixels / 127.5 - 1


def _as_in(module: str, pixels: Any) -> Any:
    # It may work in place, and Keras's own data format may be channels first.
    own = pixels.copy() if isinstance(pixels, np.ndarray) else pixels
    function = import_module(f"keras.applications.{module}").preprocess_input
    return function(own, data_format="channels_last")


_SCALES: dict[str, Preprocess] = {"none": _as_it_is, "0-1": _to_one, "-1-1": _around_zero}


def preprocessing_of(name: str) -> Preprocess:
    """Find the function from float32 RGB from 0 to 255, channels last, to what the model wants.

    Args:
        name: "none", "0-1", "-1-1" or a module of keras.applications, such as "resnet50".

    Returns:
        Of an array, giving an array, or of a tensor, giving a tensor.

    Raises:
        TypeError: If `name` is no text.
        ValueError: If there is no such name.

    Example:
        >>> preprocessing_of("-1-1")(np.float32([0, 255])).tolist()
        [-1.0, 1.0]
    """
    if not isinstance(name, str):
        raise TypeError(
            f"preprocess must be a name or a function of a batch of pixels, not {brief(name)}"
        )
    if name in _SCALES:
        return _SCALES[name]
    modules = [module.name for module in pkgutil.iter_modules(keras.applications.__path__)]
    modules.remove("imagenet_utils")
    if name not in modules:
        near = get_close_matches(str(name).lower(), [*_SCALES, *modules])
        hint = (
            f"did you mean {' or '.join(near)}?"
            if near
            else f"give one of: {', '.join([*_SCALES, *modules])}"
        )
        raise ValueError(f"preprocess has no {brief(name)}; {hint}")
    return partial(_as_in, name)
