"""Every method, and what needs no network, measured on the same images against their masks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kerascam import Explainer
from scene_classification.data.batches import decode_images
from scene_classification.data.folder import Scenes
from scene_classification.evaluation.bootstrap import LEVEL
from scene_classification.explanation import evidence
from scene_classification.explanation.images import read_mask, with_masks

#: Images explained at once.
BATCH = 32
RESAMPLES = 2000
TARGET = "the true class, whatever the answer: the mask is evidence for the true class"

#: Each measure's values for a sample of images, by its name.
Values = dict[str, NDArray[np.float64]]

MEASURES: dict[str, Callable[..., NDArray[np.float64]]] = {
    "share_inside": evidence.share_inside,
    "pointing_game": evidence.hits,
}
BASELINES: dict[str, Callable[[int], NDArray[np.float64]]] = {
    "uniform": evidence.uniform,
    "centered_gaussian": evidence.centered_gaussian,
}
BASELINE_TITLES = {"uniform": "Uniform map", "centered_gaussian": "Centered Gaussian"}


class Sample(NamedTuple):
    """The images measured on.

    Attributes:
        images: RGB 0–255, shaped (images, side, side, 3).
        labels: The true class index of each.
        masks: True where an image shows the evidence for it, shaped (images, side, side).
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    masks: NDArray[np.bool_]


def read_sample(
    scenes: Scenes, side: int, count: int, generator: np.random.Generator
) -> Sample | None:
    """Draw and decode at most `count` test images with a mask; None if there are none."""
    positions = with_masks(scenes, count, generator)
    if not len(positions):
        return None
    split = scenes.test.take(positions)
    masks = [read_mask(scenes, position, side) for position in positions.tolist()]
    return Sample(decode_images(split, side), split.labels, np.array(masks, np.bool_))


def measure_method(explainer: Explainer, sample: Sample) -> Values:
    """Measure the heatmaps of every image's true class, and drop them batch by batch."""
    parts = []
    for start in range(0, len(sample.images), BATCH):
        batch = slice(start, start + BATCH)
        explanation = explainer(sample.images[batch], sample.labels[batch])
        parts.append(_measured(explanation.heatmaps, sample.masks[batch]))
    return {name: np.concatenate([part[name] for part in parts]) for name in MEASURES}


def measure_baselines(sample: Sample) -> dict[str, Values]:
    """Measure maps that know neither the network nor the image."""
    shape = sample.masks.shape
    return {
        name: _measured(np.broadcast_to(draw(shape[1]), shape), sample.masks)
        for name, draw in BASELINES.items()
    }


def summarize(
    methods: Mapping[str, Values],
    baselines: Mapping[str, Values],
    labels: NDArray[np.int64],
    classes: Sequence[str],
    seed: int,
) -> dict[str, Any]:
    """Turn values into means with intervals, over all images and by class, ready for JSON.

    Args:
        methods: Each method's values, all of the same images.
        baselines: Each baseline's values of these images.
        labels: The true class index of each image.
        classes: Names in order of class index.
        seed: The seed of the bootstrap.

    Returns:
        `"images"`, `"target"`, `"bootstrap"`, `"methods"` and `"baselines"`. Each method has
        `"share_inside"`, `"pointing_game"`, `"empty_maps"` (images left out, their map being
        zero), `"per_class"` and `"gain"`: by how much it exceeds each baseline on the same image,
        in the mean.
    """
    return {
        "images": len(labels),
        "target": TARGET,
        "bootstrap": {"resamples": RESAMPLES, "seed": seed, "level": LEVEL},
        "methods": {
            name: {
                **_summary(values, labels, classes, seed),
                "gain": {
                    baseline: _intervals(_difference(values, base), seed)
                    for baseline, base in baselines.items()
                },
            }
            for name, values in methods.items()
        },
        "baselines": {
            name: {"title": BASELINE_TITLES[name], **_summary(values, labels, classes, seed)}
            for name, values in baselines.items()
        },
    }


def _measured(heatmaps: NDArray[np.floating], masks: NDArray[np.bool_]) -> Values:
    return {name: measure(heatmaps, masks) for name, measure in MEASURES.items()}


def _summary(
    values: Values, labels: NDArray[np.int64], classes: Sequence[str], seed: int
) -> dict[str, Any]:
    return {
        **_intervals(values, seed),
        "empty_maps": int(np.isnan(values["share_inside"]).sum()),
        "per_class": {
            name: _intervals({key: each[labels == label] for key, each in values.items()}, seed)
            for label, name in enumerate(classes)
        },
    }


def _intervals(values: Values, seed: int) -> dict[str, Any]:
    return {
        name: evidence.confidence_interval(each, seed, RESAMPLES) for name, each in values.items()
    }


def _difference(values: Values, baseline: Values) -> Values:
    return {name: values[name] - baseline[name] for name in values}
