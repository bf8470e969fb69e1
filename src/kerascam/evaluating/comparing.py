"""Compare methods by metrics, on the same images, beside maps that know nothing of the model."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from .._host_types import HostClassIds, HostImages, HostMasks
from ..arguments import number_in
from ..errors import brief
from ..explain import Explainer, Progress, classes_of, conform_progress
from ..inputs import conform
from ..metrics import METRICS, Metric
from ..model import input_specs
from .baselines import BASELINES
from .evaluation import Evaluation
from .handing import Supply
from .memory import Memory
from .others import Others
from .subjects import Drawn, Subject, named

#: What is measured if the user does not say; those of masks only if there are any.
USUAL = ("insertion", "deletion", "symmetric_relevance_gain", "average_drop", "sparseness")
USUAL_OF_MASKS = ("mass_in_mask", "pointing_game", "rank_accuracy")

Chosen = dict[str, tuple[Metric, dict[str, Any]]]


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
) -> Evaluation:
    """Measure several methods by several metrics, on the same images.

    Four baselines are always measured too: a uniform map, a centered Gaussian, a random map and an
    edge detector. They know nothing of the model; a method that does not beat them says no more.

    Args:
        explainers: One, a list, or a dict by name; of one model, with the same target.
        images: Shape (batch, *size, channels), in the values that the model takes, as for a call of
            an explainer; of a model with one input.
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
        progress: True for a progress bar, or a function called with the steps made and with all
            that there are. A step is a batch of images of one method or baseline.

    Returns:
        Figures per image, with means and intervals, tables and pictures.

    Raises:
        KeyboardInterrupt: After Ctrl-C.
        TypeError: If an argument has a wrong type, or an option does not belong to its metric.
        ValueError: If names, shapes or values do not fit.

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
    show = conform_progress(progress)
    number_in("batch_size", batch_size, 1)
    number_in("resamples", resamples, 1)
    number_in("seed", seed, 0)
    methods = named(explainers)
    judge = next(iter(methods.values())).explainer
    arrays = _images(judge, images)
    masked = _masks(masks, arrays)
    chosen = _metrics(metrics, masked is not None, seed)
    wanted = _classes(judge, arrays, classes, batch_size)
    others = Others(arrays, wanted, seed)
    drawn = {name: Drawn(draw, title, seed) for name, (title, draw) in BASELINES.items()}
    subjects: dict[str, Subject] = {**methods, **drawn}

    shape = (len(subjects), len(chosen), len(arrays))
    figures, reasons = np.full(shape, np.nan), np.full(shape, "", object)
    starts = range(0, len(arrays), batch_size)
    made, steps = 0, len(starts) * len(subjects)
    memory = Memory(judge)
    for start in starts:
        memory.forget()
        part = slice(start, start + batch_size)
        of_part = None if masked is None else masked[part]
        others_of = partial(others.__getitem__, part)
        for row, subject in enumerate(subjects.values()):
            supply = Supply(subject, judge, memory, arrays[part], wanted[part], of_part, others_of)
            for column, (metric, options) in enumerate(chosen.values()):
                found, why = supply.measure(metric, options)
                figures[row, column, part], reasons[row, column, part] = found, why
            made += 1
            if show is not None:
                show(made, steps)
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


def _images(judge: Explainer, images: Any) -> HostImages:
    specs = input_specs(judge.model, images)
    if len(specs) != 1:
        raise ValueError(
            f"images must be of one input: kerascam.evaluate does not take models of several, such "
            f"as {judge.model.name!r} with {len(specs)}; kerascam.metrics has the metrics alone"
        )
    (arrays,) = conform(images, specs)
    return arrays


def _masks(masks: Any, images: HostImages) -> HostMasks | None:
    if masks is None:
        return None
    found = np.asarray(masks)
    if found.shape != images.shape[:-1]:
        raise ValueError(
            f"masks must have the shape of the images without channels, {images.shape[:-1]}; "
            f"received {found.shape}"
        )
    if found.dtype != np.bool_ and not np.isin(found, (0, 1)).all():
        raise ValueError("masks must be True or False, or 0 and 1: compare them with a threshold")
    return found.astype(np.bool_)


def _metrics(metrics: Any, masked: bool, seed: int) -> Chosen:
    if metrics is None:
        metrics = (*USUAL, *USUAL_OF_MASKS) if masked else USUAL
    if isinstance(metrics, str):
        metrics = [metrics]
    if not isinstance(metrics, (Mapping, Sequence)):
        raise TypeError(
            f"metrics must be names, or a dict from names to options, not {brief(metrics)}"
        )
    if not metrics:
        raise ValueError("metrics must name at least one metric; see kerascam.metrics.METRICS")
    chosen: Chosen = {}
    for name in metrics:
        metric = METRICS[name]
        given = metrics[name] if isinstance(metrics, Mapping) else None
        options = _options(metric, given)
        if "masks" in metric.needs and not masked:
            raise ValueError(f"metrics has {metric.name!r}, which needs masks=")
        if "seed" in metric.options:
            options.setdefault("seed", seed)
        chosen[metric.name] = metric, options
    return chosen


def _options(metric: Metric, given: Any) -> dict[str, Any]:
    if given is not None and not isinstance(given, Mapping):
        raise TypeError(
            f"metrics must map {metric.name!r} to a dict of options, not {brief(given)}"
        )
    unknown = sorted(set(given or {}) - set(metric.options))
    if unknown:
        known = ", ".join(metric.options) or "none"
        raise TypeError(f"{metric.title} has no option {unknown[0]!r}; its options: {known}")
    return dict(given or {})


def _classes(judge: Explainer, images: HostImages, classes: Any, batch_size: int) -> HostClassIds:
    """Return the class of each image, (batch,)."""
    if classes is not None:
        return classes_of(judge, images, classes)
    starts = range(0, len(images), batch_size)
    parts = [classes_of(judge, images[start : start + batch_size]) for start in starts]
    return np.concatenate(parts)
