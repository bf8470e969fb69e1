"""`kerascam.explain_dataset`: the front door of surveys."""

import os
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Any

from ..arguments import conform_path
from ..errors import brief
from ..explain import Explainer, Progress, check_explainer, conform_progress, silent
from ..given import is_dataset
from ..model import Preprocess
from ..optional import package_for
from ..pictures import FULL_DEPTH, MAX_PIXELS, Fit
from .items import ONLY_FILES
from .jobs import job_of
from .on_ray import writing
from .running import Job, facts_of, now
from .shards import counts_of
from .store import Store
from .survey import Survey, read_survey
from .workers import RayWorkers, ray_package


def explain_dataset(
    explainer: Explainer,
    images: Any,
    out: str | os.PathLike[str],
    classes: int | str | None = None,
    *,
    labels: Sequence[str] | str | None = None,
    fit: Fit = "stretch",
    preprocess: str | Preprocess = "none",
    size: tuple[int, int] | None = None,
    max_pixels: int = MAX_PIXELS,
    depth: int = FULL_DEPTH,
    batch_size: int = 32,
    shard_size: int = 1024,
    threads: int | None = None,
    workers: RayWorkers | None = None,
    progress: Progress | bool | None = None,
) -> Survey:
    r"""Explain every image of a data set, and write a table of them that other tools read.

    Images stream through: memory is the same for a thousand and for a million. Files that cannot be
    read are named in the table and passed over. Rows are written shard by shard, each file whole or
    not at all; a call that was stopped at any moment, also by a kill or a loss of power, goes on
    where it was when it is made again, and the shards are in the end the same byte for byte.
    It goes on only with the same model, method, settings and list of images.

    The table has one row per image, in Parquet files of `shard_size` positions each: position and
    key (the file's name, or the place as text), label and label_class (the true class, and its
    index), class, class_name, probability, score and status as in an explanation ("unreadable" for
    a file that could not be read, with the reason as error), the raw map on the layer's grid, row
    by row as float16 to be multiplied with map_scale, a power of two (map_0, map_1 and so on of
    several layers), the relevance of each feature of the layer in the same form, and where the heat
    lies: heat_border (its share within an eighth of any side), heat_centre (in the middle half of
    both axes), heat_entropy (0 in one cell, 1 everywhere) and heat_area (the share of cells hotter
    than half the hottest).

    The relevance of feature k is the mean over the grid of its term in the sum that the map is,
    before the ReLU: for Grad-CAM $\alpha_k$ times the mean of $A^k$, for HiResCAM the mean of $g^k
    A^k$. It says what is looked at, wherever in the image it is. Methods whose map is no sum over
    features (Eigen-CAM, Score-CAM, those of images alone) have no such column.

    Args:
        explainer: What explains. Its class names are also the names that labels are compared with.
        images: A folder, with those within; a list of files and folders; or a `tf.data.Dataset` of
            batches, of images as the model takes them or (images, labels), in an order that is
            always the same.
        out: A folder, made if it is missing. Files that are not of this survey are never touched.
        classes: One class, by index or name; None explains the predicted class of each image.
        labels: The true classes of files: "folder" for the name of each file's folder (of a folder
            that is given, that of the first folder within), "none", or a text for each file. None
            is "folder" within folders and "none" for files.
        fit: How photographs are fitted; see `load_images`.
        preprocess: What the model takes; see `load_images`.
        size: The (height, width), for a model that takes images of any size.
        max_pixels: A photograph that claims more is not read.
        depth: How many bits the values of a 16-bit image use.
        batch_size: How many images the model gets at once: always as many, the last batch of a
            shard is filled up, so that no result depends on how many were read.
        shard_size: How many images a file of the table has: what is lost at most when it is
            stopped.
        threads: How many threads read files; None is two per processor, eight at most.
        workers: Processes of this machine or a cluster that explain files, shard by shard; None
            for this process alone. The shards are the same, byte for byte, on the same processors.
        progress: A function that is called after each batch, or each shard of workers, with how
            many images are done and how many there are, 0 if that is not known; True shows a bar,
            None one that appears after two seconds on a terminal or in a notebook, False none.

    Returns:
        The whole survey, as `read_survey` returns it.

    Raises:
        KeyboardInterrupt: After Ctrl-C; what was written stays.
        ModuleNotFoundError: If pyarrow is not installed: it comes with the extra `survey`; or Ray,
            which comes with `ray`.
        RuntimeError: If a worker failed, and failed again.
        TypeError: If an argument is of a wrong type, or the explainer cannot be sent to workers.
        ValueError: If a value does not fit, there are no images, `out` holds files of others, or a
            survey that was begun with something else, which is named; or the machines do not have
            what `workers` asks for.

    Example:
        >>> import keras, numpy as np, tempfile
        >>> from pathlib import Path
        >>> from kerascam import GradCAM
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, "softmax")])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for name in ("cat", "dog"):
        ...         Path(folder, name).mkdir()
        ...         keras.utils.save_img(f"{folder}/{name}/1.png", np.ones((9, 9, 3)))
        ...     survey = explain_dataset(
        ...         GradCAM(model, class_names=["cat", "dog"]), folder, f"{folder}/survey")
        ...     survey.to_dataframe()["key"].tolist(), survey.heatmap(0).shape
        (['cat/1.png', 'dog/1.png'], (8, 8))
    """
    package_for("explain_dataset", "pyarrow", "pyarrow scikit-learn")
    check_explainer(explainer)
    if workers is not None:
        _check_workers(workers, images)
    show = conform_progress(progress, "image") or silent
    store = Store(Path(conform_path("out", out)))
    job, settings = job_of(
        explainer, images, store, classes, labels=labels, fit=fit, preprocess=preprocess, size=size,
        max_pixels=max_pixels, depth=depth, batch_size=batch_size, shard_size=shard_size,
        threads=threads,
    )  # fmt: skip
    with store.alone(), writing(workers, store) as write_all:
        begin_and(job, store, settings, lambda own: write_all(job, store, own, show))
    return read_survey(store.folder)


def _check_workers(workers: Any, images: Any) -> None:
    if not isinstance(workers, RayWorkers):
        raise TypeError(f"workers must be RayWorkers(...) or None, not {brief(workers)}")
    if is_dataset(images):
        raise TypeError(ONLY_FILES)
    ray_package()


def begin_and(job: Job, store: Store, settings: dict[str, Any], work: Any) -> None:
    """Begin a survey or go on with it, have the shards written, and finish it.

    Args:
        job: What is done.
        store: Where to.
        settings: What the rows depend on.
        work: Called with the survey's id, writes the shards that are not there.
    """
    start = monotonic()
    known = store.begun or {}
    if known:  # before the model runs
        store.begin({**settings, "layers": known["settings"].get("layers")}, {})
    job.first  # noqa: B018 - chooses the layer
    own = store.begin({**settings, "layers": list(job.explainer.layers)}, facts_of(job))
    if store.manifest is None:
        work(own)
        seconds = round(monotonic() - start, 3)
        store.finish({**counts_of(store), "seconds": seconds, "finished": now()})
