"""What tells a model from another, or from itself after more training."""

import hashlib
from typing import Any

import keras
import numpy as np

from .layers import every_layer


def fingerprint_of(model: keras.Model) -> dict[str, Any]:
    """Describe a model by its layers' classes and a hash of all its weights.

    Names are left out: Keras counts them up in each process.

    Args:
        model: A built model.

    Returns:
        `layers`, the classes in order, and `weights`, a SHA-256 of their shapes, types and values.
    """
    found = hashlib.sha256()
    for weight in model.weights:
        values = keras.ops.convert_to_numpy(weight.value)
        found.update(f"{values.shape} {values.dtype} ".encode())
        found.update(np.ascontiguousarray(values).tobytes())
    return {
        "layers": [type(layer).__name__ for layer in every_layer(model)],
        "weights": found.hexdigest(),
    }
