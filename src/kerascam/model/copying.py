"""Say in time whether a model survives pickling and copying, which Keras does by saving it."""

import re
import sys
from collections.abc import Iterator
from typing import Any

import keras

from .layers import every_layer


def check_copyable(model: keras.Model) -> None:
    """Raise if a copy of the model could not be made.

    Keras writes a model down as its configuration and finds custom classes and functions by name.
    What it cannot find again would be reported only when the pickle is loaded: in another process,
    which may die of it.

    Raises:
        TypeError: If the model cannot be written down, or not built from what is written.
    """
    try:
        config = keras.saving.serialize_keras_object(model)
        if any(map(_is_custom, _parts(config))):
            keras.saving.deserialize_keras_object(config, safe_mode=False)
    except Exception as error:
        raise TypeError(
            f"model {model.name!r} cannot be pickled or copied, as Keras cannot save and load it: "
            f"{_cause(error)}; decorate its own classes and functions with "
            f"@keras.saving.register_keras_serializable(), and give a get_config to those whose "
            f"__init__ takes arguments"
        ) from error


class OwnObjects:
    """The user's classes and functions that a model is made of.

    In a pickle, ahead of the model, they have their modules imported, which registers them. Some
    picklers, such as that of Ray and of Spark, write down the code of what stands in a program or
    a notebook itself, as no other process can import that; there it gets its names at Keras.

    Args:
        model: One that `check_copyable` takes.
    """

    def __init__(self, model: keras.Model) -> None:
        kinds = {type(layer): None for layer in every_layer(model)}
        classes = (kind for kind in kinds if not _is_keras(kind.__module__))
        own = [each for each in (*classes, *_functions(model)) if _is_at_top(each)]
        self.named = {keras.saving.get_registered_name(each): each for each in own}

    def __reduce__(self) -> Any:
        return _known, (self.named,)


def _known(named: dict[str, Any]) -> None:
    """Have Keras find what no module of this process has."""
    registered = keras.saving.get_custom_objects()
    for name, each in named.items():
        if not _is_at_top(each):
            registered.setdefault(name, each)


def _functions(model: keras.Model) -> Iterator[Any]:
    """Yield the user's functions in a model, such as an activation."""
    for part in _parts(keras.saving.serialize_keras_object(model)):
        name = part.get("config")
        if part["class_name"] == "function" and isinstance(name, str):
            module = sys.modules.get(str(part.get("module")))
            found = keras.saving.get_registered_object(name) or getattr(module, name, None)
            if found is not None and not _is_keras(found.__module__):
                yield found


def _is_at_top(own: Any) -> bool:
    return getattr(sys.modules.get(own.__module__), own.__qualname__, None) is own


def _is_keras(module: str | None) -> bool:
    return (module or "").partition(".")[0] == "keras"


def _parts(config: Any) -> Iterator[dict[str, Any]]:
    """Yield every object that is written down, also those inside others."""
    if isinstance(config, dict):
        if "class_name" in config:
            yield config
        config = list(config.values())
    if isinstance(config, (list, tuple)):
        for each in config:
            yield from _parts(each)


def _is_custom(part: dict[str, Any]) -> bool:
    """Tell whether this is not Keras's own, or a Lambda, which holds the user's function."""
    return not _is_keras(part.get("module")) or part["class_name"] in {
        "Lambda",
        "function",
        "__lambda__",
    }


def _cause(error: Exception) -> str:
    """Take the first sentence of what Keras says, or what it names as the cause."""
    text = " ".join(str(error).split())
    text = text.split("Exception encountered: ")[-1]
    return re.split(r"(?<=[a-z`)]{2})\. ", text)[0][:300].rstrip(".") or type(error).__name__
