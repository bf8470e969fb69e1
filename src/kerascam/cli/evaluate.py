"""`kerascam evaluate`: which method is to be believed, on image files."""

from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ..evaluating import Evaluation, check_folder, discard
from ..evaluating import evaluate as measured
from ..metrics import METRICS
from ..pictures import bound_opencv, encode_png
from . import terminal
from .evaluate_arguments import METHODS
from .explain import Failures, read_photos
from .images import Photo, find_images, passed_over_words, shown
from .masks import find_masks, read_mask
from .plan import Plan, settle

UNFINISHED = "unfinished"  # the folder within --out with what is measured so far


def evaluate(arguments: Namespace) -> bool:
    """Measure methods on image files; whether all of these could be read.

    Raises:
        ValueError: If there are no images, or an argument is wrong or does not fit the model.
        OSError: If the folder cannot be written to.
    """
    _check(arguments)
    bound_opencv(arguments.max_pixels)
    folder = Path(arguments.out)
    check_folder(folder, "--out")
    arguments.methods = arguments.methods or list(METHODS)
    metrics = _metrics(arguments)
    found = find_images(arguments.images)
    missing = [(shown(name), reason) for name, reason in found.missing]
    if not found.files:
        raise ValueError("; ".join(f"{name}: {reason}" for name, reason in missing))
    masks = find_masks(arguments.masks, found.files) if arguments.masks else {}
    failures = Failures(found.files)
    with _kept(folder / UNFINISHED), terminal.Bar("Loading the model") as bar:
        plan = settle(arguments)
        bar.now("Reading images", len(found.files))
        photos = []
        for photo in read_photos(found.files, plan, arguments, failures, bar):
            photos.append(photo)
            bar.advance()
        _check_sizes(photos)
        inputs = plan.inputs(photos)
        bar.now("Measuring", 1)
        evaluation = measured(
            plan.explainers,
            inputs,
            plan.wanted[0] if plan.wanted else None,
            _masks(photos, masks, plan, arguments) if masks else None,
            metrics,
            batch_size=arguments.batch_size,
            seed=arguments.seed,
            progress=bar.reach,
            checkpoint=folder / UNFINISHED,
        )
        bar.now("Drawing")
        pictures = _pictures(plan, photos[: arguments.pictures], inputs, evaluation.classes)
        title = f"{Path(arguments.model).name} on {len(photos)} images"
        page = evaluation.save(folder, title=title, pictures=pictures)
        discard(folder / UNFINISHED)
    _report(evaluation)
    for note in evaluation.notes:
        terminal.note(note)
    if sentence := passed_over_words(found.passed_over):
        terminal.note(sentence)
    unmasked = [photo.path for photo in photos if photo.path not in masks] if masks else []
    if unmasked:
        terminal.note(
            f"{len(unmasked)} of {len(photos)} images have no mask, such as {shown(unmasked[0])}"
        )
    failed = missing + failures.listed()
    terminal.failures(failed, len(found.files) + len(missing))
    terminal.done(f"the table, the figures and the page are in {shown(page)}", shown(page))
    return not failed


@contextmanager
def _kept(unfinished: Path) -> Iterator[None]:
    """Say after Ctrl-C how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        if unfinished.exists():
            terminal.note(
                f"what is measured is kept in {shown(unfinished)}: the same command goes on there"
            )
        raise


def _check(arguments: Namespace) -> None:
    if arguments.top:
        raise ValueError("--top does not go with evaluate: all methods explain one class per image")
    if arguments.classes and len(arguments.classes) > 1:
        raise ValueError("--class must be given once: all methods explain one class per image")


def _metrics(arguments: Namespace) -> list[str] | None:
    names = [name.strip() for names in arguments.metrics or () for name in names.split(",")]
    chosen = [METRICS[name] for name in names if name]
    for metric in chosen:
        if "masks" in metric.needs and not arguments.masks:
            raise ValueError(f"--metric {metric.name} needs --masks FOLDER")
    return [metric.name for metric in chosen] or None


def _check_sizes(photos: Sequence[Photo]) -> None:
    if not photos:
        raise ValueError("none of the images could be read")
    sizes = sorted({photo.values.shape[:2] for photo in photos})
    if len(sizes) > 1:
        shapes = ", ".join(f"{height}x{width}" for height, width in sizes[:3])
        raise ValueError(
            f"the model takes images of any size, and these have several, such as {shapes}: give "
            f"one with --size"
        )


def _masks(
    photos: Sequence[Photo], masks: dict[Path, Path], plan: Plan, arguments: Namespace
) -> np.ndarray:
    """Read the masks; an empty one stands for none."""
    return np.stack(
        [
            read_mask(masks[photo.path], plan.form, arguments)
            if photo.path in masks
            else np.zeros(photo.values.shape[:2], bool)
            for photo in photos
        ]
    )


def _pictures(
    plan: Plan, photos: Sequence[Photo], inputs: np.ndarray, classes: np.ndarray
) -> dict[str, bytes]:
    """Draw the maps of some images by every method."""
    drawn: dict[str, bytes] = {}
    for place, photo in enumerate(photos):
        for explainer in plan.explainers:
            part: Any = explainer(
                inputs[place : place + 1], classes[place : place + 1], progress=False
            )
            (picture,) = part.overlay(photo.pixels[None], **vars(plan.look))
            caption = f"{shown(photo.path.name)}: {part.class_name(0)}, {explainer.method.title}"
            drawn[caption] = encode_png(picture)
    return drawn


def _report(evaluation: Evaluation) -> None:
    """Print a row per metric: the best method, and whether it beats all baselines."""
    rows = []
    for metric in evaluation.metrics:
        known, best = METRICS[metric], evaluation.best(metric)
        if best is None:
            rows.append((known.title, "", "not defined", ""))
            continue
        above, of = evaluation.above_baselines(best, metric)
        mean = evaluation.mean(best, metric)
        rows.append(
            (
                known.title,
                evaluation.titles[best],
                f"{mean.value:.3g} [{mean.low:.3g}, {mean.high:.3g}]",
                f"{above} of {of}",
            )
        )
    terminal.print_table(
        ("Metric", "Best method", "Mean and its interval", "Baselines beaten"), rows
    )
