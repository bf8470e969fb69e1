"""`kerascam export`: a model with its explanations, for a model server."""

from argparse import Namespace
from pathlib import Path

from .. import exporting
from ..explain import Explainer
from ..model import GraphError
from . import models, options, plan, terminal
from .faults import sentence
from .images import shown
from .listing import find_methods


def export(arguments: Namespace) -> bool:
    """Export a model.

    Raises:
        ValueError: If an argument is wrong, or does not fit the model.
        OSError: If the folder cannot be written to.
    """
    (method, *more) = find_methods(arguments.method and [arguments.method])
    if more:
        raise ValueError("--method takes one name: each export uses one method")
    plan.find_preprocessing(arguments.preprocess)
    class_names = plan.read_class_names(arguments.class_names) if arguments.class_names else None
    options.look_of(arguments)
    with terminal.Bar("Loading the model") as bar:
        model = models.load(arguments.model, arguments.imports, unsafe=arguments.unsafe)
        bar.now("Exporting")
        explainer = Explainer(
            model,
            method.name,
            arguments.layers,
            class_names=class_names,
            freeze=arguments.freeze,
            input=arguments.input,
            axes=arguments.axes,
        )
        folder = _export(explainer, arguments)
    _report(folder)
    return True


def _export(explainer: Explainer, arguments: Namespace) -> Path:
    try:
        return exporting.export(
            explainer,
            arguments.out,
            version=arguments.version,
            preprocess=arguments.preprocess,
            fit=arguments.fit,
            resize=arguments.resize,
            size=arguments.size,
            colormap=arguments.colormap,
            alpha=arguments.alpha,
            style=arguments.style,
            levels=arguments.levels,
            overlay_side=arguments.overlay_side,
            raw_maps=arguments.raw_maps,
            max_pixels=arguments.max_pixels,
            warm_up=_can_warm_up(),
        )
    except (OSError, RuntimeError, GraphError) as error:
        raise ValueError(f"--out {arguments.out}: {sentence(error)}") from error


def _can_warm_up() -> bool:
    """Say whether the package of the warm-up requests' messages is installed."""
    try:
        import tensorflow_serving.apis  # noqa: F401
    except ImportError:
        return False
    return True


def _report(folder: Path) -> None:
    manifest = exporting.read_manifest(folder)
    photographs = manifest["photographs"]
    for note in manifest["notes"]:
        terminal.note(note)
    if photographs is None:
        terminal.note("the model takes no photographs, so there are no _bytes signatures")
    if not _can_warm_up():
        terminal.note(
            "it has no warm-up requests, so a server's first answers take longer: for these, "
            "`pip install tensorflow-serving-api` and export again"
        )
    written = shown(folder)
    title, layer = manifest["title"], manifest["layer"]
    terminal.done(f"{title} at {layer}, version {folder.name}: {written}", written)
