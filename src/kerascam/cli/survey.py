"""`kerascam survey`: explain a whole data set, as a table."""

import glob
import os
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..pictures import bound_opencv
from ..surveying import RayWorkers, Survey, explain_dataset, study
from . import terminal
from .images import shown
from .pace import Pace
from .plan import Plan, settle

_NAMED = 20  # files that could not be read


def survey(arguments: Namespace) -> bool:
    """Survey image files; whether all of them could be read.

    Raises:
        ValueError: If there are no images, an argument is wrong or does not fit the model, or the
            folder holds files of others or a survey that was begun with something else.
        OSError: If the folder cannot be written to.
    """
    if arguments.classes and len(arguments.classes) > 1:
        raise ValueError("--class must be given once: one class of each image is explained")
    workers = _workers(arguments)
    bound_opencv(arguments.max_pixels)
    given = list(_given(arguments.images))
    with terminal.Bar("Loading the model") as bar:
        plan = settle(arguments)
        if len(plan.explainers) > 1:
            raise ValueError("--method must be given once: a survey is of one method")
        pace = Pace()

        def show(done: int, total: int) -> None:
            bar.reach(done, total)
            bar.within(0, pace.words(done, total))

        bar.now("Explaining")
        made = explain_dataset(
            plan.explainers[0],
            given,
            arguments.out,
            plan.wanted[0] if plan.wanted else None,
            labels=arguments.labels,
            fit=arguments.fit,
            preprocess=arguments.preprocess,
            size=arguments.size,
            max_pixels=arguments.max_pixels,
            depth=arguments.depth,
            batch_size=arguments.batch_size,
            shard_size=arguments.shard_size,
            threads=arguments.threads,
            workers=workers,
            progress=show,
        )
        page = _studied(made, plan, arguments, bar) if arguments.study else None
    return _report(made, page)


def _workers(arguments: Namespace) -> RayWorkers | None:
    """Take who explains."""
    asked = {"workers": arguments.workers, "gpus_per_worker": arguments.gpus_per_worker}
    given = {name: value for name, value in asked.items() if value is not None}
    if arguments.ray is None:
        for name in given:
            raise ValueError(f"--{name.replace('_', '-')} needs --ray ADDRESS")
        return None
    # TensorFlow takes all memory of all GPUs otherwise, also in the process that only sends work.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    return RayWorkers(arguments.ray, **given)


def _studied(made: Survey, plan: Plan, arguments: Namespace, bar: terminal.Bar) -> Path:
    """Look for suspects, print them, and write the page."""
    bar.now("Studying")
    found = study(made, plan.explainers[0], preprocess=plan.preprocess, progress=bar.reach)
    bar.now("Drawing")
    page = found.save(title=f"{Path(arguments.model).name} on {len(made)} images")
    if found.suspects:
        terminal.print_table(
            ("Class", "Suspect", "Images", "Gain elsewhere", "Of the rest", "At least apart"),
            [
                (
                    each.name,
                    each.kind,
                    f"{each.share:.0%}",
                    f"{each.effect.gain:+.0%}",
                    f"{each.effect.control:+.0%}",
                    f"{each.effect.low:+.0%}",
                )
                for each in found.suspects
            ],
        )
    for note in found.notes:
        terminal.note(note)
    return page


def _given(names: Sequence[str]) -> Iterator[Path]:
    """Find the folders and files that the arguments name; a pattern stands for its matches."""
    for name in names:
        matches = [name] if Path(name).exists() else sorted(glob.glob(name, recursive=True))
        if not matches:
            raise ValueError(f"{shown(name)}: no such file or folder, and no match of a pattern")
        yield from map(Path, matches)


def _report(made: Survey, page: Path | None) -> bool:
    for note in made.manifest["notes"]:
        terminal.note(note)
    labels, known = made.column("label"), made.column("label_class")
    strange = [label for label, own in zip(labels, known, strict=True) if label and own != own]
    if strange:
        terminal.note(
            f"{len(strange)} true classes such as {strange[0]} are not among the class names"
            + ("" if made.class_names else ", as there are none: see --class-names")
        )
    failed = made.failures()
    images = len(made) + len(failed)
    terminal.failures(failed[:_NAMED], images, len(failed))
    place = shown(made.folder)
    terminal.done(f"{len(made)} of {images} images in {place}", place)
    if page is not None:
        terminal.done(f"what the model looks at is in {shown(page)}", shown(page))
    return not failed
