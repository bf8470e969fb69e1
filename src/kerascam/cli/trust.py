"""What in a model file needs the user's trust, and whether Keras guards against the rest."""

import re
from collections.abc import Iterator
from typing import Any

import keras

#: The first version of Keras that runs no code of a file without being told to.
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
            f"a model file without being told to (mended in "
            f"{'.'.join(map(str, GUARDED_SINCE))}): update it with `pip install -U keras`, or give "
            f"--unsafe if you trust where the file comes from"
        )


def needs_trust(config: dict[str, Any]) -> str:
    """Say what in a model's configuration Keras loads for nobody who does not ask for it."""
    return next(_needs_trust(config), "something that Keras does not load unasked")


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
