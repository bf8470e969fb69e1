"""Take images, masks and the choice of metrics as users give them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .._host_types import HostImages, HostMasks
from ..errors import brief
from ..explain import ExplainedInput, Explainer, explained_input
from ..inputs import conform
from ..metrics import METRICS, Metric
from ..model import InputForm, input_specs
from .shown import Given

#: What is measured if the user does not say; those of masks only if there are any.
USUAL = ("insertion", "deletion", "symmetric_relevance_gain", "average_drop", "sparseness")
USUAL_OF_MASKS = ("mass_in_mask", "pointing_game", "rank_accuracy")

Chosen = dict[str, tuple[Metric, dict[str, Any]]]


def conform_images(
    explainers: Sequence[Explainer], images: Any, batch_size: int | None = None
) -> Given:
    """Return images as the model takes them.

    Args:
        explainers: Of one model.
        images: The user's.
        batch_size: How many images are explained at once; None for all.

    Raises:
        ValueError: If heatmaps lie on none of the model's inputs, or on several.
    """
    first = explainers[0]
    specs = input_specs(first.model, images)
    arrays = conform(images, specs)
    names = tuple(spec.name for spec in specs) if isinstance(images, Mapping) else None
    found = None
    for each in explainers if len(arrays) > 1 else explainers[:1]:
        few = Given(
            [array[:batch_size] for array in arrays], ExplainedInput(0, InputForm(None)), names
        )
        own = explained_input(each, few.inputs)
        if own is None:
            raise ValueError(
                f"explainers must draw on images, and {each.method.title} of model "
                f"{each.model.name!r} draws on the grid of a layer: kerascam.metrics has the "
                f"metrics alone"
            )
        if found is not None and own.place != found.place:
            raise ValueError(
                f"explainers must explain one input: {first.method.title} explains "
                f"{specs[found.place].name!r}, {each.method.title} {specs[own.place].name!r}; "
                f"give all of them input="
            )
        found = found or own
    return Given(arrays, found, names)  # type: ignore[arg-type]  # there is one explainer at least


def conform_masks(masks: Any, images: HostImages) -> HostMasks | None:
    """Return masks as truth values; None if there are none.

    Raises:
        ValueError: If they do not have the images' shape, or other values than two.
    """
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


def choose_metrics(metrics: Any, masked: bool, seed: int) -> Chosen:
    """Return the metrics that are measured, with their options, by their names.

    Args:
        metrics: As `evaluate` takes them.
        masked: Whether there are masks.
        seed: Of those that sample, if the user gives none.

    Raises:
        TypeError: If an option does not belong to its metric.
        ValueError: If there is no such metric, or it needs masks.
    """
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
        metric = METRICS[getattr(name, "__name__", name)]  # a function has the name of its entry
        given = metrics[name] if isinstance(metrics, Mapping) and metrics is not METRICS else None
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
