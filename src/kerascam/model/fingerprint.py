"""What tells a model from another, or from itself after more training."""

import hashlib
import json
import re

import keras
import numpy as np


def fingerprint_of(model: keras.Model) -> str:
    """Return a hash of a model's weights and configuration, whatever its layers are called.

    A function that a layer was made of is told by its name alone.
    """
    digest = hashlib.sha256(_configuration(model).encode())
    for weight in model.weights:
        array = keras.ops.convert_to_numpy(weight.value)
        digest.update(f"{array.shape} {array.dtype}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _configuration(model: keras.Model) -> str:
    try:
        config = json.dumps(model.get_config(), sort_keys=True, default=str)
    except (NotImplementedError, TypeError, ValueError):  # one that Keras cannot write down
        return type(model).__name__
    names = [model.name, *(layer.name for layer in model._flatten_layers(include_self=False))]
    for place, name in enumerate(dict.fromkeys(names)):  # as "dense_7", by what was made before
        config = config.replace(f'"{name}"', f'"#{place}"')
    return type(model).__name__ + re.sub(r"0x[0-9a-f]+", "", config)
