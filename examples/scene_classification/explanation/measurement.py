"""Every method, and maps that know nothing of the network, measured against masks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kerascam import Evaluation, Explainer, evaluate
from scene_classification.data.batches import decode_images
from scene_classification.data.folder import Scenes
from scene_classification.evaluation.bootstrap import LEVEL, number
from scene_classification.explanation.images import read_mask, with_masks

#: Images explained at once.
BATCH = 32
RESAMPLES = 2000
TARGET = "the true class, whatever the answer: the mask is evidence for the true class"
#: The library's metrics, by their names in `explanations.json`.
MEASURES = {"share_inside": "mass_in_mask", "pointing_game": "pointing_game"}


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


def measure_maps(explainers: Sequence[Explainer], sample: Sample, seed: int) -> Evaluation:
    """Measure the heatmaps of every image's true class, beside baselines."""
    return evaluate(
        {explainer.method.name: explainer for explainer in explainers},
        sample.images,
        sample.labels,
        sample.masks,
        list(MEASURES.values()),
        batch_size=BATCH,
        resamples=RESAMPLES,
        seed=seed,
    )


def summarize(evaluation: Evaluation, classes: Sequence[str]) -> dict[str, Any]:
    """Turn figures into means with intervals, over all images and by class, ready for JSON.

    Args:
        evaluation: What `measure_maps` returned.
        classes: Names in order of class index.

    Returns:
        `"images"`, `"target"`, `"bootstrap"`, `"methods"` and `"baselines"`. Each method has
        `"share_inside"`, `"pointing_game"`, `"empty_maps"` (images left out, their map being
        zero), `"per_class"` and `"gain"`: by how much it exceeds each baseline on the same image,
        in the mean.
    """
    by_class = {name: evaluation[evaluation.classes == label] for label, name in enumerate(classes)}
    return {
        "images": len(evaluation),
        "target": TARGET,
        "bootstrap": {
            "resamples": evaluation.resamples,
            "seed": evaluation.seed,
            "level": LEVEL,
        },
        "methods": {
            name: {
                **_summary(evaluation, by_class, name),
                "gain": {
                    baseline: {
                        measure: _entry(evaluation.difference(name, baseline, metric))
                        for measure, metric in MEASURES.items()
                    }
                    for baseline in evaluation.baselines
                },
            }
            for name in evaluation.methods
        },
        "baselines": {
            name: {"title": evaluation.titles[name], **_summary(evaluation, by_class, name)}
            for name in evaluation.baselines
        },
    }


def _summary(evaluation: Evaluation, by_class: dict[str, Evaluation], name: str) -> dict[str, Any]:
    shares = evaluation.of(name, MEASURES["share_inside"])
    return {
        **_means(evaluation, name),
        "empty_maps": int(np.isnan(shares).sum()),
        "per_class": {class_name: _means(part, name) for class_name, part in by_class.items()},
    }


def _means(evaluation: Evaluation, name: str) -> dict[str, Any]:
    return {measure: _entry(evaluation.mean(name, metric)) for measure, metric in MEASURES.items()}


def _entry(found: Any) -> dict[str, float | None]:
    return {key: number(getattr(found, key)) for key in ("value", "low", "high")}
