"""Load a model from a file, and say in one line why it cannot be."""

import importlib
import os
import re
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import h5py
import keras

_UNKNOWN = re.compile(
    r"(?:Could not (?:locate|deserialize) (class|function)|Unknown (\w+):) '([^']+)'"
)


def load(path: str, imports: Sequence[str] = (), *, unsafe: bool = False) -> keras.Model:
    """Load a whole model.

    Args:
        path: A .keras file, or an .h5 file with architecture and weights.
        imports: Modules to import first, for the classes that they register.
        unsafe: Whether Python code in the file may run.

    Raises:
        ValueError: If there is no such model, or it cannot be loaded.
    """
    _check(Path(path))
    _import(imports)
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=not unsafe)
    except Exception as error:  # Keras raises all kinds, with text that is written for Python
        raise ValueError(_reason(path, str(error))) from error
    if not isinstance(model, keras.Model):
        raise ValueError(f"{path} holds a {type(model).__name__}, not a keras.Model")
    return model


def _check(path: Path) -> None:
    if not path.exists():
        raise ValueError(f"no model file {path}")
    if path.is_dir():
        _check_folder(path)
    elif path.suffix.lower() in (".h5", ".hdf5"):
        _check_hdf5(path)
    elif path.suffix != ".keras":
        raise ValueError(f"{path} is not a Keras model: give a .keras file, or a whole model in "
                         f"an .h5 file")  # fmt: skip
    elif not zipfile.is_zipfile(path) or "config.json" not in zipfile.ZipFile(path).namelist():
        raise ValueError(f"{path} is not a Keras model, or a damaged one: it is no .keras archive")


def _check_folder(path: Path) -> None:
    if (path / "saved_model.pb").exists():
        raise ValueError(
            f"{path} is a SavedModel folder, which Keras 3 cannot load as a model with layers: "
            f"save the model as .keras where it was made"
        )
    if not (path / "config.json").exists():
        raise ValueError(f"{path} is a folder, not a model: give a .keras file")


def _check_hdf5(path: Path) -> None:
    if not h5py.is_hdf5(path):
        raise ValueError(f"{path} is not a Keras model, or a damaged one: it is no HDF5 file")
    with h5py.File(path, "r") as file:
        whole = "model_config" in file.attrs
    if not whole:
        raise ValueError(
            f"{path} holds weights only: build the model in Python, load them and save it as .keras"
        )


def _import(modules: Sequence[str]) -> None:
    if modules and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    for module in modules:
        try:
            importlib.import_module(module)
        except Exception as error:  # the module is the user's: anything may happen in it
            raise ValueError(
                f"--import {module} failed: {type(error).__name__}: {error}"
            ) from error


def _reason(path: str, message: str) -> str:
    if "safe_mode" in message or "unsafe_deserialization" in message:
        return (
            f"{path} holds Python code (a Lambda layer), which runs when it is loaded: if you "
            f"trust where the file comes from, give --unsafe"
        )
    if unknown := _UNKNOWN.search(message):
        kind, name = unknown[1] or unknown[2], unknown[3]
        return (
            f"{path} needs the {kind} {name!r}, which Keras does not know: give --import with the "
            f"module that registers it with @keras.saving.register_keras_serializable()"
        )
    lines = [line for line in message.splitlines() if line.strip()] or ["no reason given"]
    return f"{path} cannot be loaded: {lines[0]}"
