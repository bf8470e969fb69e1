"""Measure a trained network on the test images, and keep figures and pictures in the run."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from scene_classification.data.batches import decode_images
from scene_classification.data.folder import Scenes, Split
from scene_classification.evaluation import charts, probability_charts
from scene_classification.evaluation.metrics import measure
from scene_classification.evaluation.mistakes import confused_pairs, describe, worst_positions
from scene_classification.evaluation.prediction import predict
from scene_classification.files import write_text, write_whole
from scene_classification.networks.which import OWN
from scene_classification.pictures.saving import save
from scene_classification.run_folder import RunFolder

WORST, PAIRS = 24, 10
#: Height and width, in pixels, of an image on the sheet of mistakes.
THUMBNAIL = 160


def evaluate(
    model: keras.Model,
    scenes: Scenes,
    run: RunFolder,
    *,
    network: str = OWN,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Measure a network on the test images of a data set.

    Writes into the run `predictions.npz` (`probabilities`, `labels` and `paths` below the data
    set's folder), `metrics.json` (what is returned) and, in its folder of pictures,
    `confusion.png`, `reliability.png`, `roc.png`, `per_class.png`, `mistakes.png` and, where there
    are logs of training, `training.png`.

    Args:
        model: The network; it takes square RGB images, 0–255, of one size.
        scenes: The data set; the files of its test split must be readable.
        run: Where everything is kept.
        network: Its name in `metrics.json`, as `networks.which.network_of` returns it.
        seed: The seed of the resamples that the intervals come from.
        progress: Called with the number of images of each batch when it is predicted.

    Returns:
        The `"network"`, what `metrics.measure` returns, `"worst_mistakes"` (see
        `mistakes.describe`, the most confident first) and `"confused_pairs"` (see
        `mistakes.confused_pairs`).
    """
    split, classes = scenes.test, scenes.classes
    probabilities = predict(model, split, progress=progress)
    measured = measure(split.labels, probabilities, classes, seed=seed)
    paths = [path.relative_to(scenes.root).as_posix() for path in split.paths]
    worst = worst_positions(split.labels, probabilities, WORST)
    metrics = {
        "network": network,
        **measured,
        "worst_mistakes": describe(worst, paths, split.labels, probabilities, classes),
        "confused_pairs": confused_pairs(measured["confusion"], classes, PAIRS),
    }
    write_whole(
        run.root / "predictions.npz",
        lambda path: np.savez_compressed(
            path, probabilities=probabilities, labels=split.labels, paths=np.array(paths)
        ),
    )
    write_text(run.root / "metrics.json", json.dumps(metrics, indent=2, allow_nan=False) + "\n")
    draw(metrics, split, probabilities, worst, run)
    return metrics


def draw(
    metrics: dict[str, Any],
    split: Split,
    probabilities: NDArray[np.float32],
    worst: NDArray[np.int64],
    run: RunFolder,
) -> None:
    """Write the pictures of an evaluation into a run.

    Args:
        metrics: What `evaluate` returns.
        split: The images.
        probabilities: Those of the images, shaped (images, classes).
        worst: Positions of the worst mistakes, in the order of `metrics["worst_mistakes"]`.
        run: Where the pictures are kept, and the logs of training.
    """
    images = decode_images(split.take(worst), THUMBNAIL)
    figures = {
        "confusion": charts.confusion(metrics["confusion"], metrics["classes"]),
        "reliability": probability_charts.reliability(metrics),
        "roc": probability_charts.roc(split.labels, probabilities, metrics),
        "per_class": charts.per_class(metrics),
        "mistakes": charts.contact_sheet(images, metrics["worst_mistakes"]),
    }
    for name, figure in figures.items():
        save(figure, run.pictures / f"{name}.png")
    draw_training(run)


def draw_training(run: RunFolder) -> None:
    """Draw the training curves of a run, if an epoch is logged."""
    figure = charts.training_curves(run)
    if figure is not None:
        save(figure, run.pictures / "training.png")
