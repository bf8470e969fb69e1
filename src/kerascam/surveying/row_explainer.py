"""A survey's rows for whoever has images: the function that engines call on many machines."""

import os
from dataclasses import replace
from typing import Any, cast

import numpy as np

from ..explain import Explainer, check_explainer, columns_of
from ..files import shown
from ..loading import conform_paths
from ..model import Preprocess
from ..optional import package_for
from ..pictures import FULL_DEPTH, MAX_PIXELS, Fit
from .items import Batches, Files, Item, Items
from .jobs import job_without_images
from .running import Job

#: One shard, whatever the number of images.
_ENDLESS = 2**62


class RowExplainer:
    """Explain batches of images as rows of a table, in any process.

    The rows are those that `explain_dataset` writes, less their position. It can be pickled, by
    the picklers of Ray, Spark, Beam and Dask with functions and classes of a program or a notebook
    too; a copy compiles at its first call. It asks the model about one image of noise when it is
    made, so that all copies explain the same layer and return the same columns.

    Args:
        explainer: What explains.
        classes: One class, by index or name; None explains the predicted class of each image.
        fit: How photographs are fitted; see `load_images`.
        preprocess: What the model takes; see `load_images`.
        size: The (height, width), for a model that takes images of any size.
        max_pixels: A photograph that claims more is not read.
        depth: How many bits the values of a 16-bit image use.
        batch_size: How many images the model gets at once, always: more are divided, and the
            last batch is filled up, so that a row depends on its image alone.
        threads: How many threads read files; None is two per processor, eight at most.

    Raises:
        ModuleNotFoundError: If pyarrow is not installed: it comes with the extra `survey`.
        TypeError: If an argument is of a wrong type.
        ValueError: If a value does not fit.

    Example:
        >>> import keras, pickle
        >>> from kerascam import GradCAM
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, "softmax")])
        >>> explain = pickle.loads(pickle.dumps(RowExplainer(GradCAM(model))))
        >>> table = explain(np.ones((3, 8, 8, 3)), labels=[0, 1, 1])
        >>> table.num_rows, table["label_class"].to_pylist(), len(table["map"][0])
        (3, [0, 1, 1], 36)
    """

    def __init__(
        self,
        explainer: Explainer,
        classes: int | str | None = None,
        *,
        fit: Fit = "stretch",
        preprocess: str | Preprocess = "none",
        size: tuple[int, int] | None = None,
        max_pixels: int = MAX_PIXELS,
        depth: int = FULL_DEPTH,
        batch_size: int = 32,
        threads: int | None = None,
    ) -> None:
        package_for("RowExplainer", "pyarrow", "pyarrow scikit-learn")
        check_explainer(explainer)
        job = job_without_images(
            explainer, classes, photos=True, fit=fit, preprocess=preprocess, size=size,
            max_pixels=max_pixels, depth=depth, batch_size=batch_size, shard_size=_ENDLESS,
            threads=threads,
        )  # fmt: skip
        files = cast(Files, job.items)
        shape = (*(side or 0 for side in files.form.size), files.form.channels)
        noise = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
        found = columns_of(job.explainer, job.filled([Item(0, "", None, None, noise)]), classes)
        self._job, self._files = job.of(files, found), files

    def __call__(self, images: Any, labels: Any = None) -> Any:
        """Explain images.

        Args:
            images: A list of files; or an array of images as the model takes them, of which
                nothing is preprocessed. None at all are a table without rows.
            labels: The true class of each: a text for each file, or an index for each image; None
                if they are not known.

        Returns:
            A `pyarrow.Table` with a row for each image, in their order: see `explain_dataset`. A
            file that cannot be read has the status "unreadable", and the reason as its error.

        Raises:
            TypeError: If images are neither files nor arrays.
            ValueError: If they do not fit the model, or there are not as many labels.
        """
        if labels is not None and len(labels) != len(images):
            raise ValueError(
                f"labels must be one for each of the {len(images)} images, not {len(labels)}"
            )
        job = self._job_of(images, labels)
        rows = job.rows()
        for batch in job.prepared([0] if len(images) else []):
            job.explain(batch, rows)
        return rows.table().drop_columns("position")

    @property
    def schema(self) -> Any:
        """The `pyarrow.Schema` of its tables."""
        return self([]).schema

    def _job_of(self, images: Any, labels: Any) -> Job:
        items: Items
        if len(images) and not isinstance(images[0], (str, os.PathLike)):
            items = Batches([images if labels is None else (images, labels)], len(images), 0)
            return replace(self._job, form=None).of(items, self._job.first)
        paths = conform_paths(images) if len(images) else []
        names = [None] * len(paths) if labels is None else [str(each) for each in labels]
        keys = [shown(path) for path in paths]
        return self._job.of(replace(self._files, paths=paths, keys=keys, labels=names))
