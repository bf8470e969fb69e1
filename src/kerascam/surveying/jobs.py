"""What a survey is asked: all arguments checked, before anything is read or computed."""

from collections.abc import Sequence
from typing import Any

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
    fit: Fit,
    preprocess: str | Preprocess,
    size: tuple[int, int] | None,
    max_pixels: int,
    depth: int,
    batch_size: int,
    shard_size: int,
    threads: int | None,
) -> tuple[Job, dict[str, Any]]:
    """Check what is asked, and say what the rows will depend on; see `explain_dataset`."""
    check_fit(fit)
    check_class(classes)
    batch_size = number_in("batch_size", batch_size, 1)
    shard_size = number_in("shard_size", shard_size, 1)
    threads = None if threads is None else number_in("threads", threads, 1)
    prepare = preprocess if callable(preprocess) else preprocessing_of(preprocess)
    reading: dict[str, Any] = {}
    items: Items
    if is_dataset(images):
        form, items = None, Batches(images, None, batch_size)
    else:
        form = photo_form(explainer, size)
        reading = {
            "fit": fit,
            "preprocess": described(preprocess),
            "size": list(form.size),
            "max_pixels": number_in("max_pixels", max_pixels, 1),
            "depth": number_in("depth", depth, 8, FULL_DEPTH),
        }
        given = conform_paths(images)
        paths, keys, found, root = find_files(given, labels, store.folder)
        how = Reading(max_pixels, depth)
        items = Files(paths, keys, found, form, fit, how, threads, 2 * batch_size, root)
    job = Job(with_relevance(explainer), items, classes, form, prepare, batch_size, shard_size)
    settings = {
        "model": fingerprint_of(explainer.model),
        **settings_of(explainer),
        "class_names": explainer.class_names and list(explainer.class_names),
        "classes": classes,
        "reading": reading,
        "images": items.facts(),
        "batch_size": batch_size,
        "shard_size": shard_size,
        "versions": versions(),
    }
    return job, settings


def check_class(classes: Any) -> None:
    """Raise a TypeError if it is not one class, or None."""
    if classes is not None and not isinstance(classes, (int, str)):
        raise TypeError(f"classes must be one index or name, or None, not {brief(classes)}")


def photo_form(explainer: Explainer, size: tuple[int, int] | None) -> ImageForm:
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
