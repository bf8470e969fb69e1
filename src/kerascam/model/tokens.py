"""Models that take whole numbers, such as tokens of a text, which have no gradient."""

import keras

from .layers import walk
from .specs import input_specs


def takes_tokens(model: keras.Model) -> bool:
    """Tell whether all inputs that a model declares are whole numbers."""
    return all(_are_whole(model))


def takes_tokens_too(model: keras.Model) -> bool:
    """Tell whether one of the inputs that a model declares is whole numbers, at least."""
    return any(_are_whole(model))


def _are_whole(model: keras.Model) -> list[bool]:
    dtypes = [spec.dtype for spec in input_specs(model)]
    return [dtype is not None and "int" in dtype for dtype in dtypes]


def embedding(model: keras.Model) -> str | None:
    """Find the layer in which the tokens become features; None if there is no embedding.

    Raises:
        ValueError: If there is more than one.
    """
    found = {id(layer): path for path, layer in walk(model)
             if isinstance(layer, keras.layers.Embedding)}  # fmt: skip
    if len(found) < 2:
        return next(iter(found.values()), None)
    known = ", ".join(map(repr, found.values()))
    raise ValueError(
        f"model {model.name!r} takes whole numbers, which have no gradient: give the layer that "
        f"turns them into features as layer=; its embeddings: {known}"
    )
