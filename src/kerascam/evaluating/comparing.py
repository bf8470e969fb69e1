"""Compare methods by metrics, on the same images, beside maps that know nothing of the model."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .._host_types import HostClassIds
from ..arguments import conform_path, number_in
from ..explain import Explainer, Progress, classes_of, conform_progress
from .baselines import BASELINES
from .checkpoint import Checkpoint
from .conforming import choose_metrics, conform_images, conform_masks
from .evaluation import Evaluation
from .handing import Supply
from .measuring import Measuring
from .memory import Memory
from .others import Others
from .planning import plan_of
from .shown import Given
from .subjects import Drawn, Subject, named


def evaluate(
    explainers: Explainer | Sequence[Explainer] | Mapping[str, Explainer],
    images: Any,
    classes: Any = None,
    masks: Any = None,
    metrics: Any = None,
    *,
    batch_size: int = 16,
    resamples: int = 2000,
    seed: int = 0,
    progress: Progress | bool | None = None,
    checkpoint: str | Path | None = None,
) -> Evaluation:
    """Measure several methods by several metrics, on the same images.

    Four baselines are always measured too: a uniform map, a centered Gaussian, a random map and an
    edge detector. They know nothing of the model; a method that does not beat them says no more.

    Args:
        explainers: One, a list, or a dict by name; of one model, with the same target.
        images: Shape (batch, *size, channels), in the values that the model takes, as for a call of
            an explainer: an array, or a list or dict of several inputs, of which `input=` of the
            explainers names the one that is explained.
        classes: An index or class name, or one per image; None takes the predicted classes. All
            methods explain the same.
        masks: Shape (batch, *size): True where an image shows the evidence, for metrics of masks.
        metrics: Names of `kerascam.metrics.METRICS`, or a dict from names to options, as in
            `{"deletion": {"steps": 32}}`. None takes insertion, deletion, symmetric relevance gain,
            average drop and sparseness, and, with masks, mass in mask, pointing game and rank
            accuracy.
        batch_size: How many images are explained at once. The figures do not depend on it.
        resamples: How often the images are drawn for an interval.
        seed: The seed of the draws, of the baselines, and of metrics that sample.
        progress: A function, called with the steps made and all that there are; True shows a bar,
            None one that appears after two seconds on a terminal or in a notebook, False none.
            A step is a batch of images of one method or baseline.
        checkpoint: A folder in which each figure is kept as soon as its metric is computed for a
            batch. A second call with the same arguments goes on there, after Ctrl-C or the end of
            the process, and returns what one call would have. It may be deleted afterwards.

    Returns:
        Figures per image, with means and intervals, tables and pictures.

    Raises:
        KeyboardInterrupt: After Ctrl-C.
        TypeError: If an argument has a wrong type, or an option does not belong to its metric.
        ValueError: If names, shapes or values do not fit, or the checkpoint was begun with other
            arguments or another model.

    Example:
        >>> import keras
        >>> from kerascam import GradCAM
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, name="last"),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, "softmax")])
        >>> images = np.random.default_rng(0).random((2, 8, 8, 3))
        >>> print(evaluate(GradCAM(model), images, metrics=["entropy"]))
        Evaluation(1 methods, 4 baselines, 1 metrics, 2 images)
    """
    show = conform_progress(progress, "step")
    number_in("batch_size", batch_size, 1)
    number_in("resamples", resamples, 1)
    number_in("seed", seed, 0)
    folder = None if checkpoint is None else Path(conform_path("checkpoint", checkpoint))
    methods = named(explainers)
    judge = next(iter(methods.values())).explainer
    given = conform_images([each.explainer for each in methods.values()], images, batch_size)
    masked = conform_masks(masks, given.images)
    chosen = choose_metrics(metrics, masked is not None, seed)
    wanted = _classes(judge, given, classes, batch_size)
    others = Others(given.images, wanted, seed)
    drawn = {name: Drawn(draw, title, seed) for name, (title, draw) in BASELINES.items()}
    subjects: dict[str, Subject] = {**methods, **drawn}

    kept = None
    if folder is not None:
        sizes = {"batch_size": batch_size, "seed": seed}
        plan = plan_of(methods, list(drawn), chosen, given, wanted, masked, **sizes)
        kept = Checkpoint(folder, plan)

    shape = (len(subjects), len(chosen), len(given))
    figures, reasons = np.full(shape, np.nan), np.full(shape, "", object)
    parts = list(given.parts(batch_size))
    made, steps, memory = 0, len(parts) * len(subjects), Memory(judge)
    measuring = Measuring(chosen, kept, given[parts[0]].whole, wanted[parts[0]])
    for part in parts:
        memory.forget()
        of_part = None if masked is None else masked[part]
        others_of = partial(others.__getitem__, part)
        for row, subject in enumerate(subjects.values()):
            supply = Supply(subject, judge, memory, given[part], wanted[part], of_part, others_of)
            measured = measuring.part(part.start, row, supply)
            figures[row, :, part], reasons[row, :, part] = measured.figures, measured.reasons
            made += 1
            if show is not None:
                show(made, steps)
        if kept is not None:
            kept.close_batch(part.start)
    return Evaluation(
        tuple(methods),
        tuple(drawn),
        tuple(chosen),
        figures,
        reasons,
        wanted,
        {name: subject.title for name, subject in subjects.items()},
        {name: {**metric.options, **options} for name, (metric, options) in chosen.items()},
        tuple(judge.programs.doubts),
        resamples,
        seed,
    )


def _classes(judge: Explainer, given: Given, classes: Any, batch_size: int) -> HostClassIds:
    """Return the class of each image, (batch,)."""
    if classes is not None:
        return classes_of(judge, given.images, classes)
    return np.concatenate([
        classes_of(judge, given[part].inputs) for part in given.parts(batch_size)
    ])  # fmt: skip
