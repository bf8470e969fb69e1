"""Load a model from an untrusted file, or say in one line why it cannot be loaded."""

import importlib
import math
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import keras

from ..errors import reason
from .faults import shortened
from .model_files import ModelFile, keras_2_to_hdf5, look_into, size_words

_UNKNOWN = re.compile(
    r"(?:Could not (?:locate|deserialize) (class|function)|Unknown (\w+):) '([^']+)'"
)

_GIVE_IMPORT = (
    "give --import with the module that registers it with "
    "@keras.saving.register_keras_serializable()"
)
# What Keras 2 made of a TensorFlow function that was called on its tensors.
_KERAS_2_ONLY = frozenset(
    {"ClassMethod", "InstanceMethod", "InstanceProperty", "SlicingOpLambda", "TFOpLambda",
     "TensorFlowOpLayer"}
)  # fmt: skip


def load(path: str, imports: Sequence[str] = (), *, unsafe: bool = False) -> keras.Model:
    """Load a whole model.

    Args:
        path: A .keras file, or an .h5 file with architecture and weights.
        imports: Modules to import first, for the classes that they register.
        unsafe: Whether the file is trusted: Python code in it may run.

    Raises:
        ValueError: If there is no such model, or it cannot be loaded.
        OSError: If the file cannot be read.
    """
    found = look_into(Path(path))
    if not unsafe:
        check_keras(path)
    _import(imports)
    try:
        with nullcontext() if unsafe else weights_within(found.weights):
            model = keras.saving.load_model(path, compile=False, safe_mode=not unsafe)
    except Exception as error:  # Keras raises all kinds, with text that is written for Python
        raise ValueError(f"{path} {_why_not(path, found, error)}") from error
    if not isinstance(model, keras.Model):
        raise ValueError(f"{path} holds a {type(model).__name__}, not a keras.Model")
    return model


def _import(modules: Sequence[str]) -> None:
    if modules and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    for module in modules:
        try:
            importlib.import_module(module)
        except (Exception, SystemExit) as error:  # it is the user's: anything may happen in it
            raise ValueError(
                f"--import {module} failed: {type(error).__name__}: {error}"
            ) from error


def _why_not(path: str, found: ModelFile, error: Exception) -> str:
    message = str(error)
    if "safe_mode" in message or "unsafe_deserialization" in message:
        return (
            f"holds {needs_trust(found.config)}: if you trust where the file comes from, give "
            f"--unsafe, which allows it"
        )
    unknown = _UNKNOWN.search(message)
    if found.is_of_keras_2:
        return _out_of_keras_2(path, found.version, unknown, reason(error))
    if unknown:
        return f"needs {_named(unknown)}, which Keras does not know: {_GIVE_IMPORT}"
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return "does not fit into memory"
    if isinstance(error, RecursionError):
        return "cannot be loaded: its layers are nested too deeply"
    kind = "" if isinstance(error, (TypeError, ValueError)) else f"{type(error).__name__}: "
    return f"cannot be loaded: {kind}{shortened(reason(error))}"


def _out_of_keras_2(path: str, version: str, unknown: re.Match[str] | None, why: str) -> str:
    saved = f"was saved by Keras 2 ({version})" if version else "was saved by Keras 2"
    if Path(path).suffix == ".keras":
        return (
            f"{saved}, whose .keras files Keras 3 cannot load, unlike most of its .h5 files: "
            f"{keras_2_to_hdf5(path)}"
        )
    rebuild = (
        f"build the model in Keras 3, call model.load_weights({path!r}) and "
        f"model.save('model.keras'), and give that file"
    )
    if unknown and unknown[3] not in _KERAS_2_ONLY:
        needed = f"needs {_named(unknown)}, which Keras 3 does not know"
        return f"{saved} and {needed}: {_GIVE_IMPORT}, or {rebuild}"
    lack = f"it has no {unknown[3]!r}" if unknown else why
    return f"{saved}, and Keras 3 cannot load it ({lack}): {rebuild}"


def _named(unknown: re.Match[str]) -> str:
    return f"the {unknown[1] or unknown[2]} {unknown[3]!r}"


#: The first version of Keras that runs no code in a file without being asked to.
GUARDED_SINCE = (3, 11, 3)


def check_keras(path: str) -> None:
    """Refuse to load a file with a version of Keras that may run its code unasked.

    Raises:
        ValueError: If that version is installed.
    """
    numbers = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", keras.__version__)
    if numbers and tuple(int(number or 0) for number in numbers.groups()) < GUARDED_SINCE:
        raise ValueError(
            f"{path} is not loaded: Keras {keras.__version__} is installed, which may run code in "
            f"a model file without being asked to (fixed in "
            f"{'.'.join(map(str, GUARDED_SINCE))}): update it with `pip install -U keras`, or give "
            f"--unsafe if you trust where the file comes from"
        )


def needs_trust(config: dict[str, Any]) -> str:
    """Say what in a model's configuration Keras does not load by default."""
    return next(_needs_trust(config), "something that Keras does not load by default")


def _needs_trust(config: dict[str, Any]) -> Iterator[str]:
    for name, own in _objects(config):
        place = f" in {own['name']!r}" if isinstance(own.get("name"), str) else ""
        if name == "Lambda":
            yield f"Python code (a Lambda layer){place}, which runs with the model"
        elif name == "__lambda__":
            yield "Python code (a lambda function), which runs with the model"
        elif name == "TFSMLayer":
            yield (
                f"a SavedModel (a TFSMLayer){place}, a program that is read from "
                f"{own.get('filepath')!r} and run"
            )
        elif name == "TorchModuleWrapper":
            yield f"a pickle (a TorchModuleWrapper){place}, which may hold any code"
        elif isinstance(own.get("vocabulary"), str):
            yield (
                f"the name of a file (a {name} layer){place}, which is read on this machine: "
                f"{own['vocabulary']!r}"
            )


def _objects(config: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return the class names and configurations in the order of the file."""
    waiting = [config]  # no recursion: a file may nest as deeply as it likes
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            own = item.get("config")
            if isinstance(item.get("class_name"), str):
                yield item["class_name"], own if isinstance(own, dict) else {}
            waiting += reversed(item.values())
        elif isinstance(item, list):
            waiting += reversed(item)


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
