"""Name the layers' parts of a graph: TensorFlow refuses names that Keras takes."""

import functools
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import keras

_VALID = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*")  # TensorFlow's rule for the outermost part
_OPENS = "_open_name_scope"
_NAME = "_handle_name"  # of a variable, with ":0" after it


@contextmanager
def scopes_renamed(layers: Iterable[keras.Operation]) -> Iterator[None]:
    """Let layers whose names have spaces or accents, say, run in a graph; the names stay.

    Args:
        layers: Left as they were.
    """
    # In the instance's own dict, past Keras's attribute tracking.
    renamed = [
        layer
        for layer in {id(layer): layer for layer in layers}.values()
        if isinstance(layer, keras.Layer)
        and not _VALID.fullmatch(layer.name)
        and _OPENS not in vars(layer)
    ]
    for layer in renamed:
        vars(layer)[_OPENS] = functools.partial(keras.name_scope, _valid(layer.name), caller=layer)
    try:
        yield
    finally:
        for layer in renamed:
            del vars(layer)[_OPENS]


@contextmanager
def variables_renamed(model: keras.Model | None) -> Iterator[None]:
    """Let a SavedModel hold the variables of such layers: it names them in a graph, too.

    Args:
        model: Left as it was; None has no variables.
    """
    own = [vars(variable.value) for variable in (model.variables if model else ())]
    names = [(each, each[_NAME]) for each in own if not _VALID.fullmatch(each.get(_NAME, "v")[:-2])]
    for each, name in names:
        each[_NAME] = f"{_valid(name[:-2])}:0"
    try:
        yield
    finally:
        for each, name in names:
            each[_NAME] = name


def _valid(name: str) -> str:
    """Turn a layer's name into one that TensorFlow takes.

    >>> _valid("Bloc résiduel 2")
    'Bloc_r_siduel_2'
    >>> _valid("_hidden")
    'layer_hidden'
    """
    taken = re.sub(r"[^A-Za-z0-9_.\\/>-]", "_", name)
    return taken if _VALID.fullmatch(taken) else f"layer{taken}"
