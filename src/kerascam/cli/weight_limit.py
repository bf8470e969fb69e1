"""Keep a model file from making weights that it does not hold."""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras

from .archives import size_words

# Beside what a file stores, layers may keep counters, seeds and caches.
_SLACK = 256 * 2**20


@contextmanager
def weights_within(stored: int) -> Iterator[None]:
    """Let layers make as many weights as a file holds, and some more.

    A layer's configuration of a hundred bytes may ask for a terabyte, which is taken before Keras
    notices that the file has no such weights.

    Args:
        stored: How many bytes the file's weights take.

    Raises:
        ValueError: Inside, before a weight too many is made.
    """
    most, made = 4 * stored + _SLACK, 0
    add_weight = keras.layers.Layer.add_weight

    def counting(layer: keras.layers.Layer, *args: Any, **kwargs: Any) -> Any:
        nonlocal made
        shapes = [each for each in (*args, kwargs.get("shape")) if isinstance(each, (tuple, list))]
        dtype = kwargs.get("dtype") or layer.variable_dtype
        lengths = [n for n in shapes[0] if isinstance(n, int)] if shapes else []
        made += math.prod(lengths) * _bytes(dtype)
        if made > most:
            raise ValueError(
                f"its layers ask for more than {size_words(made)} of weights, and the file holds "
                f"{size_words(stored)}; if you trust where it comes from, give --unsafe"
            )
        return add_weight(layer, *args, **kwargs)

    keras.layers.Layer.add_weight = counting
    try:
        yield
    finally:
        keras.layers.Layer.add_weight = add_weight


def _bytes(dtype: Any) -> int:
    bits = re.search(r"\d+", keras.backend.standardize_dtype(dtype))  # "float8_e4m3fn", "bool"
    return max(1, int(bits[0] if bits else 8) // 8)
