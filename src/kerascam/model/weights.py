"""Run a model with other weights than its own, which are only read."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from .layers import every_layer

Pairs = Sequence[tuple[Any, Any]]

_PAIRS: ContextVar[Pairs] = ContextVar("pairs", default=())


@contextmanager
def other_weights(pairs: Pairs) -> Iterator[None]:
    """Let a model that is run by `shadow` read other values than its variables hold.

    Nothing is assigned: the model is what it was, also after an error.

    Args:
        pairs: Variables of Keras, each with a tensor that is read in its place.
    """
    token = _PAIRS.set(pairs)
    try:
        yield
    finally:
        _PAIRS.reset(token)


def stateless() -> keras.StatelessScope:
    """Open a scope in which nothing is assigned, and other values may be read."""
    return keras.StatelessScope(state_mapping=_PAIRS.get())


def trained_weights(model: keras.Model) -> list[list[Any]]:
    """Group what training changes by the layer that holds it, in the layers' order.

    A layer that is frozen counts as well; the statistics of a batch normalisation do not.
    """
    groups, seen = [], set()
    for layer in every_layer(model):
        own = [
            variable
            for variable in getattr(layer, "_trainable_variables", ())
            if id(variable) not in seen
            and "float" in keras.backend.standardize_dtype(variable.dtype)
        ]
        seen |= {id(variable) for variable in own}
        if own:
            groups.append(own)
    return groups


def shuffled(variable: Any, seed: Sequence[int]) -> tf.Tensor:
    """Return a variable's values in random order."""
    values = variable.numpy()
    flat = np.random.default_rng(list(seed)).permutation(values.reshape(-1))
    return tf.convert_to_tensor(flat.reshape(values.shape))
