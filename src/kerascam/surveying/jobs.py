"""What a survey is asked: all arguments checked, before anything is read or computed."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from ..arguments import number_in
from ..errors import brief
from ..explain import Explainer, settings_of, with_relevance
from ..fingerprints import described
from ..given import is_dataset
from ..loading import conform_paths, sized
from ..model import Preprocess, fingerprint_of, image_form_of, preprocessing_of
from ..pictures import FULL_DEPTH, Fit, ImageForm, Reading, check_fit
from .items import Batches, Files, Items, find_files
from .running import Job
from .store import Store
from .versions import versions


def job_of(
    explainer: Explainer,
    images: Any,
    store: Store,
    classes: int | str | None,
    *,
    labels: Sequence[str] | str | None,
    preprocess: str | Preprocess,
    **how: Any,
) -> tuple[Job, dict[str, Any]]:
    """Check what is asked, and say what the rows will depend on; see `explain_dataset`.

    Args:
        explainer: What explains.
        images: What is explained.
        store: Where to.
        classes: As for `job_without_images`.
        labels: The true classes.
        preprocess: As for `job_without_images`.
        how: Its other arguments.
    """
    photos = not is_dataset(images)
    job = job_without_images(explainer, classes, photos=photos, preprocess=preprocess, **how)
    items: Items
    reading: dict[str, Any] = {}
    if isinstance(job.items, Files):
        files = job.items
        reading = {
            "fit": files.fit,
            "preprocess": described(preprocess),
            "size": list(files.form.size),
            "max_pixels": files.how.max_pixels,
            "depth": files.how.depth,
        }
        paths, keys, found, root = find_files(conform_paths(images), labels, store.folder)
        items = replace(files, paths=paths, keys=keys, labels=found, root=root)
    else:
        items = Batches(images, None, job.batch_size)
    settings = {
        "model": fingerprint_of(explainer.model),
        **settings_of(explainer),
        "class_names": explainer.class_names and list(explainer.class_names),
        "classes": classes,
        "reading": reading,
        "images": items.facts(),
        "batch_size": job.batch_size,
        "shard_size": job.shard_size,
        "versions": versions(),
    }
    return replace(job, items=items), settings


def job_without_images(
    explainer: Explainer,
    classes: int | str | None,
    *,
    photos: bool,
    fit: Fit,
    preprocess: str | Preprocess,
    size: tuple[int, int] | None,
    max_pixels: int,
    depth: int,
    batch_size: int,
    shard_size: int,
    threads: int | None,
) -> Job:
    """Check how images are read and explained.

    Args:
        explainer: What explains.
        classes: One class, or None.
        photos: Whether the images are photographs in files; else they are as the model takes them.
        fit: As for `explain_dataset`, as all that follows.
        preprocess: From photographs to what the model takes.
        size: What photographs are fitted to, if the model takes any.
        max_pixels: A photograph that claims more is not read.
        depth: How many bits the values of a 16-bit image use.
        batch_size: How many images the model gets at once.
        shard_size: How many positions a shard has.
        threads: How many threads read.

    Returns:
        The job, of no images yet.
    """
    check_fit(fit)
    if classes is not None and not isinstance(classes, (int, str)):
        raise TypeError(f"classes must be one index or name, or None, not {brief(classes)}")
    batch_size = number_in("batch_size", batch_size, 1)
    shard_size = number_in("shard_size", shard_size, 1)
    threads = None if threads is None else number_in("threads", threads, 1)
    prepare = preprocess if callable(preprocess) else preprocessing_of(preprocess)
    form, items = None, cast(Items, Batches((), 0, 0))
    if photos:
        form = _photo_form(explainer, size)
        how = Reading(
            number_in("max_pixels", max_pixels, 1), number_in("depth", depth, 8, FULL_DEPTH)
        )
        items = Files([], [], [], form, fit, how, threads, 2 * batch_size, Path())
    return Job(with_relevance(explainer), items, classes, form, prepare, batch_size, shard_size)


def _photo_form(explainer: Explainer, size: tuple[int, int] | None) -> ImageForm:
    """Find what photographs are fitted to, all to one size.

    Raises:
        ValueError: If the model takes no photographs, or images of any size and none is given.
    """
    form = sized(image_form_of(explainer.model, explainer.programs.recipe.question.axes), size)
    if None in form.size:
        raise ValueError(
            "size must be given: the model takes images of any size, and a table's rows have one"
        )
    return form
