"""What a survey was begun with, so that it is not continued with anything else."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from .. import __version__
from ..explain import Explainer, array_notes
from ..spelling import name_of


def fingerprint_of(model: keras.Model) -> str:
    """Return a hash of a model's weights and configuration, whatever its layers are called.

    A function that a layer was made of is told by its name alone.
    """
    digest = hashlib.sha256(_configuration(model).encode())
    for weight in model.weights:
        array = keras.ops.convert_to_numpy(weight)
        digest.update(f"{array.shape} {array.dtype}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _configuration(model: keras.Model) -> str:
    try:
        config = json.dumps(model.get_config(), sort_keys=True, default=str)
    except (NotImplementedError, TypeError, ValueError):  # one that Keras cannot write down
        return type(model).__name__
    names = [model.name, *(layer.name for layer in model._flatten_layers(include_self=False))]
    for place, name in enumerate(
        dict.fromkeys(names)
    ):  # such as "dense_7", by what was made before
        config = config.replace(f'"{name}"', f'"#{place}"')
    return type(model).__name__ + re.sub(r"0x[0-9a-f]+", "", config)


def settings_of(explainer: Explainer) -> dict[str, Any]:
    """Return what an explainer computes, as JSON can hold it."""
    recipe = explainer.programs.recipe
    asked = recipe.question
    return {
        "model": fingerprint_of(explainer.model),
        "method": explainer.method.name,
        "options": {
            name: _value(name, value)
            for name, value in {**explainer.method.options, **recipe.options}.items()
        },
        "normalize": recipe.normalize,
        "target": name_of(asked.target),
        "output": asked.output,
        "input": asked.input,
        "grid": asked.grid and list(asked.grid),
        "axes": asked.axes,
        "place": asked.place,
        "class_names": explainer.class_names and list(explainer.class_names),
    }


def _value(name: str, value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return next(iter(array_notes({name: value})), name_of(value))


def versions() -> dict[str, str]:
    """Return the versions of what computes and writes."""
    import pyarrow

    return {
        "kerascam": __version__,
        "keras": keras.__version__,
        "keras backend": _backend_version(),
        "numpy": np.__version__,
        "pyarrow": pyarrow.__version__,
    }


def _backend_version() -> str:
    name = keras.backend.backend()
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:  # such as tensorflow-cpu, which has another name
        return name


def differences(begun: Mapping[str, Any], now: Mapping[str, Any], within: str = "") -> list[str]:
    """Name what differs, each with both values.

    Example:
        >>> differences({"a": {"b": 1}, "c": 2}, {"a": {"b": 3}, "c": 2})
        ['a.b was 1 and is 3']
    """
    found = []
    for name in dict.fromkeys([*begun, *now]):
        was, is_now = begun.get(name), now.get(name)
        if isinstance(was, Mapping) and isinstance(is_now, Mapping):
            found += differences(was, is_now, f"{within}{name}.")
        elif was != is_now:
            found.append(f"{within}{name} was {_short(was)} and is {_short(is_now)}")
    return found


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."
