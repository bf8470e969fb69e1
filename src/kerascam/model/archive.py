"""Keep traced computations as a SavedModel that a model server can run."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from .layers import every_layer
from .scopes import scopes_renamed, variables_renamed

_XLA = "_jit_compile"


class Endpoint(NamedTuple):
    """One signature of a SavedModel.

    Attributes:
        function: Of tensors, giving a dict of tensors; the parameters' names and default tensors
            are the signature's.
        specs: Its arguments, with None for an axis of any length.
    """

    function: Callable[..., Mapping[str, tf.Tensor]]
    specs: Sequence[tf.TensorSpec]


def write_saved_model(
    model: keras.Model | None, folder: str | os.PathLike[str], endpoints: Mapping[str, Endpoint]
) -> None:
    """Write endpoints and the weights that they read.

    Keras's own archive does it, as a server loads the file into a session, where variables are
    found only if the archive has tracked them: what `tf.saved_model.save` makes of a Keras model
    that is merely an attribute loads in Python and fails there.

    Args:
        model: The model whose weights the endpoints read; None if they are constants.
        folder: Made; must not exist.
        endpoints: The endpoints by signature name.
    """
    archive: Any = keras.export.ExportArchive()
    if model is not None:
        archive.track(model)
    for name, endpoint in endpoints.items():
        archive.add_endpoint(name, endpoint.function, list(endpoint.specs))
    # The backward pass is part of the graph already: the gradients of its functions, which a ReLU
    # rule may have replaced by ones that only this process knows, are not needed again.
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    layers = [] if model is None else every_layer(model)
    with _undecided(layers), _silence(), scopes_renamed(layers), variables_renamed(model):
        archive.write_out(os.fspath(folder), options=options, verbose=False)


@contextmanager
def _silence() -> Iterator[None]:
    """Keep Keras from printing the path, which before 3.9 it does whatever `verbose` says."""
    talks = keras.config.is_interactive_logging_enabled()
    keras.config.disable_interactive_logging()
    try:
        yield
    finally:
        if talks:
            keras.config.enable_interactive_logging()


@contextmanager
def _undecided(layers: Sequence[keras.Operation]) -> Iterator[None]:
    """Leave open whether a model is compiled by XLA: Keras settles it when it is looked through."""
    settings = [(vars(layer), vars(layer)[_XLA]) for layer in layers if _XLA in vars(layer)]
    try:
        yield
    finally:
        for own, setting in settings:
            own[_XLA] = setting
