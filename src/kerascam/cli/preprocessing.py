"""From pixels to the values that a model wants; only the user knows which."""

import pkgutil
from collections.abc import Callable
from difflib import get_close_matches
from importlib import import_module

import keras
import numpy as np

Preprocess = Callable[[np.ndarray], np.ndarray]

_SCALES: dict[str, Preprocess] = {
    "none": lambda pixels: pixels,
    "0-1": lambda pixels: pixels / 255,
    "-1-1": lambda pixels: pixels / 127.5 - 1,
}


def preprocessing(name: str) -> Preprocess:
    """Find the function from float32 RGB from 0 to 255, channels last, to what the model wants.

    Args:
        name: "none", "0-1", "-1-1" or a module of keras.applications, such as "resnet50".

    Raises:
        ValueError: If there is no such name.
    """
    if name in _SCALES:
        return _SCALES[name]
    modules = [module.name for module in pkgutil.iter_modules(keras.applications.__path__)]
    modules.remove("imagenet_utils")
    if name not in modules:
        near = get_close_matches(name.lower(), [*_SCALES, *modules])
        hint = (
            f"did you mean {' or '.join(near)}?"
            if near
            else f"give one of: {', '.join([*_SCALES, *modules])}"
        )
        raise ValueError(f"--preprocess has no {name!r}; {hint}")
    function = import_module(f"keras.applications.{name}").preprocess_input
    # It may work in place, and Keras's own data format may be channels first.
    return lambda pixels: np.asarray(function(pixels.copy(), data_format="channels_last"))
