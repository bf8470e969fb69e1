"""The layers that a method looks at, and the one that a gradient method stops at."""

from typing import Any

import keras

from ..model import Site, embedding, takes_tokens, takes_tokens_too
from ..registry import BY_IMAGES, Method
from . import cache
from .options import as_list


def stops_at(method: Method, model: keras.Model, layer: Any) -> bool:
    """Tell whether a gradient method stops at a layer: the model takes whole numbers.

    Beside other inputs, such as the words of a question about an image, only at one that is named.
    """
    if method.of_layers or BY_IMAGES.isdisjoint(method.needs):
        return False
    return takes_tokens(model) if layer is None else takes_tokens_too(model)


def find_sites(
    model: keras.Model, method: Method, layer: Any, call_index: int | None
) -> tuple[list[Site] | None, tuple[str, ...]]:
    """Find the layers to look at, and say why if the user names none.

    Returns:
        The layers, None if the first input chooses one; and notes.
    """
    notes: tuple[str, ...] = ()
    if layer is None and stops_at(method, model, layer):
        layer = embedding(model)
        if layer is not None:
            notes = (
                f"the input holds whole numbers, which have no gradient: {method.title} was "
                f"computed for the output of layer {layer}",
            )
    if layer is not None:
        return cache.find_sites(model, as_list(layer), call_index), notes
    return (None if method.of_layers else []), notes
