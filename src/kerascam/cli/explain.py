"""`kerascam explain`: overlays of what a model looked at, for image files."""

from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from ..errors import DoesNotFitError, reason
from ..explanation import Explanation
from ..folder import MANIFEST
from . import photos, terminal
from .batches import Photo, batches
from .filenames import FileNames
from .gallery import Gallery, Result
from .images import find_images, shown
from .plan import Plan, settle

Fail = Callable[[int, str], None]


def run(arguments: Namespace) -> bool:
    """Explain image files; whether all of them could be.

    Raises:
        ValueError: If there are no images, or an argument is wrong or does not fit the model.
        OSError: If the folder cannot be written to.
    """
    paths, missing = find_images(arguments.images)
    failures = [(shown(name), reason) for name, reason in missing]
    if not paths:
        raise ValueError("; ".join(f"{name}: {reason}" for name, reason in failures))
    failed: dict[int, str] = {}
    with terminal.Bar("Loading the model") as bar:
        plan = settle(arguments)
        names = FileNames(paths, plan.labels)
        gallery = Gallery(Path(arguments.out), names, arguments.colormap, arguments.alpha)

        def fail(place: int, reason: str) -> None:
            failed[place] = reason
            bar.advance()

        bar.now("Explaining", len(paths))
        placed: list[tuple[int, Result]] = []
        for batch in batches(_read(paths, plan, arguments.fit, fail), arguments.batch_size):
            explanations = _explain(plan, batch, fail)
            for index, photo in enumerate(batch if explanations else ()):
                for explanation in explanations:
                    placed.append((photo.place, gallery.add(photo, explanation, index)))
                bar.advance()
    results = [result for _, result in sorted(placed, key=lambda pair: pair[0])]
    failures += [(shown(paths[place]), failed[place]) for place in sorted(failed)]
    gallery.close(_facts(arguments, plan), results, failures)
    _report(gallery.folder, results, failures, len(paths) + len(missing))
    return not failures


def _read(paths: Sequence[Path], plan: Plan, fit: str, fail: Fail) -> Iterator[Photo]:
    for place, path in enumerate(paths):
        try:
            pixels, values = plan.form.fit(photos.read(path), fit)
        except photos.BadPhotoError as error:
            fail(place, str(error))
        else:
            yield Photo(place, path, pixels, values)


def _explain(plan: Plan, batch: Sequence[Photo], fail: Fail) -> list[Explanation]:
    """Explain a batch by every method and class, or say why the model cannot take it."""
    height, width = batch[0].values.shape[:2]
    try:
        inputs = plan.inputs(batch)
        questions = plan.questions(inputs)
        return [
            explainer(inputs, question) for explainer in plan.explainers for question in questions
        ]
    except tf.errors.ResourceExhaustedError:
        raise ValueError(
            f"out of memory at {len(batch)} images of {height}x{width}: give a smaller "
            f"--batch-size, or a --size where the model takes any"
        ) from None
    except (DoesNotFitError, tf.errors.InvalidArgumentError) as error:
        why = str(error) if isinstance(error, DoesNotFitError) else reason(error)
        for photo in batch:
            fail(photo.place, f"the model cannot take it at {height}x{width}: {why}")
        return []


def _facts(arguments: Namespace, plan: Plan) -> dict[str, Any]:
    return {
        "model": shown(arguments.model),
        "methods": [explainer.method.name for explainer in plan.explainers],
        "labels": arguments.labels and shown(arguments.labels),
        "fit": arguments.fit,
        "preprocess": arguments.preprocess,
        "colormap": arguments.colormap,
        "alpha": arguments.alpha,
    }


def _report(
    folder: Path, results: Sequence[Result], failures: Sequence[tuple[str, str]], count: int
) -> None:
    if results:
        titles = ("Image", "Method", "Class", "Probability", "File")
        odd = any(result.status != "ok" for result in results)
        terminal.print_table(
            (*titles[:4], *(["Status"] if odd else []), titles[4]),
            [
                (
                    Path(result.image).name,
                    result.method,
                    result.class_name,
                    result.measure,
                    *(["" if result.status == "ok" else result.status] if odd else []),
                    result.file,
                )
                for result in results
            ],
            right="Probability",
        )
    for note in dict.fromkeys(note for result in results for note in result.notes):
        terminal.note(note)
    terminal.failures(failures, count)
    plural = "" if len(results) == 1 else "s"
    out = shown(folder)
    terminal.done(f"{len(results)} picture{plural} and {MANIFEST} in {out}", out)
