"""`kerascam layers`, `kerascam methods` and `kerascam metrics`: what can be chosen."""

from argparse import Namespace
from collections.abc import Sequence

import numpy as np

from ..metrics import METRICS
from ..model import built_shape, shape_words, suggest_layers
from ..registry import METHODS, Method
from . import models, terminal


def layers(arguments: Namespace) -> bool:
    """Print the table of a model's layers."""
    with terminal.Bar("Loading the model"):
        model = models.load(arguments.model, arguments.imports, unsafe=arguments.unsafe)
        suggestions = suggest_layers(model, _example(model), input=arguments.input)
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
    """Return a blank image for a subclassed model that was built for one size."""
    shape = built_shape(model)
    lengths = [n for n in shape or () if n is not None]
    return np.zeros((1, *lengths), np.float32) if len(lengths) == 3 else None


def methods(arguments: Namespace) -> bool:
    """Print the table of methods."""
    del arguments
    terminal.print_table(
        ("Method", "Class", "What it computes", "Paper"),
        [
            (
                method.name,
                method.class_name,
                method.summary.replace("``", "`"),
                method.citation.short if method.citation else "",
            )
            for method in METHODS.values()
        ],
        wordy=("What it computes", "Paper"),
    )
    return True


def metrics(arguments: Namespace) -> bool:
    """Print the table of metrics."""
    del arguments
    terminal.print_table(
        ("Metric", "Better", "Needs", "What it computes", "Paper"),
        [
            (
                metric.name,
                "more" if metric.higher_is_better else "less",
                "masks" if "masks" in metric.needs else "",
                metric.summary,
                metric.citation.short if metric.citation else "",
            )
            for metric in METRICS.values()
        ],
        wordy=("What it computes", "Paper"),
    )
    return True


def find_methods(wanted: Sequence[str] | None) -> list[Method]:
    """Find methods by name, by class or by title, whatever the case; each once.

    Args:
        wanted: One name each, or several with commas; None takes Grad-CAM.

    Raises:
        ValueError: If there is no such method.
    """
    spellings = {
        spelling.casefold(): method
        for method in METHODS.values()
        for spelling in (method.title, method.class_name, method.name)
    }
    names = [name.strip() for names in wanted or ["grad_cam"] for name in names.split(",")]
    found = [spellings.get(name.casefold()) or METHODS[name] for name in names if name]
    if not found:
        raise ValueError("--method is empty; see `kerascam methods`")
    return list({method.name: method for method in found}.values())
