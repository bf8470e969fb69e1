"""`kerascam layers`: where a map of a model can be drawn from."""

from argparse import Namespace

import numpy as np

from ..model import built_shape
from ..model.choice import shape_words
from ..model.suggest import suggest_layers
from . import models, terminal


def run(arguments: Namespace) -> bool:
    """Print the table of a model's layers."""
    with terminal.Bar("Loading the model"):
        model = models.load(arguments.model, arguments.imports, unsafe=arguments.unsafe)
        suggestions = suggest_layers(model, _example(model))
    terminal.print_table(
        ("Layer", "Kind", "Shape", ""),
        [
            (
                layer.path,
                layer.kind,
                shape_words(layer.shape),
                "default" if layer.reason else "",
            )
            for layer in suggestions
        ],
    )
    for layer in suggestions:
        if layer.reason:
            terminal.note(f"{layer.path} is the default: {layer.reason}")
    return True


def _example(model: object) -> np.ndarray | None:
    """Give a blank image to a subclassed model that was built for one size."""
    shape = built_shape(model)
    lengths = [n for n in shape or () if n is not None]
    return np.zeros((1, *lengths), np.float32) if len(lengths) == 3 else None
