"""Load a model from a file, and say in one line why it cannot be."""

import importlib
import os
import re
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import keras

from ..errors import reason
from .harmless import shortened
from .model_files import ModelFile, keras_2_to_hdf5, look_into
from .trust import check_keras, needs_trust
from .weight_limit import weights_within

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
        return "does not fit into the memory"
    if isinstance(error, RecursionError):
        return "cannot be loaded: its layers are nested too deeply"
    kind = "" if isinstance(error, (TypeError, ValueError)) else f"{type(error).__name__}: "
    return f"cannot be loaded: {kind}{shortened(reason(error))}"


def _out_of_keras_2(path: str, version: str, unknown: re.Match[str] | None, why: str) -> str:
    saved = f"was saved by Keras 2 ({version})" if version else "was saved by Keras 2"
    if Path(path).suffix == ".keras":
        return (
            f"{saved}, whose .keras files Keras 3 cannot load; most of its .h5 files it can: "
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
