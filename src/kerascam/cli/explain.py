"""`kerascam explain`: overlays of what a model looked at, for image files."""

from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from .. import pictures
from ..errors import DoesNotFitError, reason
from ..explain import CONTACT_SHEET, MANIFEST, Explanation, ResultFolder
from ..marks import NotOursError
from ..model import BadArgumentError, OutOfMemoryError
from ..pictures import OUT_OF_MEMORY, BadPhotoError, Reading, bound_opencv
from . import options, terminal
from .gallery import FileNames, Gallery, check_conflicts
from .images import Photo, batches, find_images, passed_over_words, shown
from .plan import Plan, settle
from .result import Result


class Failures:
    """The images that could not be explained, each with the first reason.

    Args:
        paths: All images, by their place.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._reasons: dict[int, str] = {}

    def add(self, place: int, reason: str) -> None:
        """Note that the image at this place could not be explained, or not by everything."""
        self._reasons.setdefault(place, reason)

    def listed(self) -> list[tuple[str, str]]:
        """Return the images' names with the reasons, in the images' order."""
        return [
            (shown(self._paths[place]), self._reasons[place]) for place in sorted(self._reasons)
        ]


def explain(arguments: Namespace) -> bool:
    """Explain image files; whether all of them could be.

    Raises:
        ValueError: If there are no images, an argument is wrong or does not fit the model, or a
            file would be overwritten that kerascam did not write or that the run reads.
        OSError: If the folder cannot be written to.
    """
    bound_opencv(arguments.max_pixels)
    found = find_images(arguments.images)
    missing = [(shown(name), reason) for name, reason in found.missing]
    if not found.files:
        reasons = [f"{name}: {reason}" for name, reason in missing]
        raise ValueError(
            "; ".join([*reasons, *filter(None, [passed_over_words(found.passed_over)])])
        )
    folder = ResultFolder(Path(arguments.out), "--out")
    folder.check_free(CONTACT_SHEET)
    failures = Failures(found.files)
    with terminal.Bar("Loading the model") as bar:
        plan = settle(arguments)
        names = FileNames(found.files, plan.class_names)
        methods = [explainer.method.name for explainer in plan.explainers]
        others = [Path(name) for name in (arguments.model, arguments.class_names) if name]
        check_conflicts(folder, names, methods, [*found.files, *others])
        gallery = Gallery(folder, names, plan.look)
        bar.now("Explaining", len(found.files))
        results: list[Result] = []
        read = read_photos(found.files, plan, arguments, failures, bar)
        for batch in batches(read, arguments.batch_size):
            explanations = _explain(plan, batch, failures, bar)
            for place, photo in enumerate(batch):
                results += _draw(gallery, photo, explanations, place, failures)
                bar.advance()
    results.sort(key=lambda result: result.place)
    failed = missing + failures.listed()
    written = gallery.close(_facts(arguments, plan), results, failed, found.passed_over)
    _report(results)
    if sentence := passed_over_words(found.passed_over):
        terminal.note(sentence)
    terminal.failures(failed, len(found.files) + len(missing))
    _report_place(folder, len(results), written)
    return not failed


def read_photos(
    paths: Sequence[Path], plan: Plan, arguments: Namespace, failures: Failures, bar: terminal.Bar
) -> Iterator[Photo]:
    """Read photographs one by one and fit them to the model; note those that cannot be."""
    how = Reading(arguments.max_pixels, arguments.depth, options.spelled)
    for place, path in enumerate(paths):
        try:
            photo, note = pictures.read_photo(path, how)
            seen, values = plan.form.fit(photo, arguments.fit)
            # Kept until its batch is full: the picture to draw on, never a whole large photo.
            pixels = pictures.shrink(seen, arguments.overlay_side)
        except BadPhotoError as error:
            failures.add(place, str(error))
            bar.advance()
        except MemoryError:
            failures.add(place, OUT_OF_MEMORY)
            bar.advance()
        else:
            yield Photo(place, path, pixels, values, (note,) if note else ())


def _explain(
    plan: Plan, batch: Sequence[Photo], failures: Failures, bar: terminal.Bar
) -> list[Explanation]:
    """Explain a batch by every method and class, or record why the model cannot take it."""
    height, width = batch[0].values.shape[:2]
    try:
        return plan.explain(plan.inputs(batch), bar)
    except OutOfMemoryError:
        raise ValueError(
            f"out of memory at {len(batch)} images of {height}x{width}: give a smaller "
            f"--batch-size, or a --size where the model takes any"
        ) from None
    except (DoesNotFitError, BadArgumentError) as error:
        why = str(error) if isinstance(error, DoesNotFitError) else reason(error)
        text = f"the model cannot take it at {height}x{width}: {why}"
    except MemoryError:
        text = OUT_OF_MEMORY
    for photo in batch:
        failures.add(photo.place, text)
    return []


def _draw(
    gallery: Gallery,
    photo: Photo,
    explanations: Sequence[Explanation],
    place: int,
    failures: Failures,
) -> Iterator[Result]:
    """Write the pictures of the photo at a place of its batch; one may fail without the others."""
    for explanation in explanations:
        try:
            yield gallery.add(photo, explanation, place)
        except NotOursError as error:
            failures.add(photo.place, str(error))
        except MemoryError:
            failures.add(photo.place, OUT_OF_MEMORY)


def _facts(arguments: Namespace, plan: Plan) -> dict[str, Any]:
    return {
        "model": shown(arguments.model),
        "methods": [explainer.method.name for explainer in plan.explainers],
        "class_names": arguments.class_names and shown(arguments.class_names),
        "fit": arguments.fit,
        "preprocess": arguments.preprocess,
        "style": plan.look.style,
        "colormap": plan.look.colormap,
        "alpha": plan.look.opacity,
        "levels": list(plan.look.contours) if plan.look.style == "outline" else None,
        "overlay_side": arguments.overlay_side,
        "depth": arguments.depth,
    }


def _report(results: Sequence[Result]) -> None:
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


def _report_place(folder: ResultFolder, count: int, written: bool) -> None:
    place, plural = shown(folder.path), "" if count == 1 else "s"
    if written:
        terminal.done(f"{count} picture{plural}, {CONTACT_SHEET} and {MANIFEST} in {place}", place)
    else:
        terminal.done(f"no pictures; the earlier result in {place} stays", place)
