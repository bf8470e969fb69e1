"""Every figure that a classifier is judged by, from labels and probabilities, ready for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    log_loss,
    precision_recall_fscore_support,
    roc_auc_score,
)

from scene_classification.evaluation.bootstrap import LEVEL, number, resampled_sums, with_interval
from scene_classification.evaluation.calibration import (
    calibration_error,
    errors_if_calibrated,
    gap_rows,
    reliability,
)
from scene_classification.evaluation.ratio import ratio

FIGURES = ("precision", "recall", "f1")


def measure(
    labels: ArrayLike,
    probabilities: ArrayLike,
    classes: Sequence[str],
    *,
    resamples: int = 2000,
    seed: int = 0,
) -> dict[str, Any]:
    """Measure a classifier.

    The predicted class is the most probable one, and its probability the confidence. The expected
    calibration error is that of Guo et al. (2017, arXiv:1706.04599) with 15 bins of equal width
    over the confidence: Σ_m |B_m| / n · |accuracy(B_m) − mean confidence(B_m)|. It cannot be
    negative, so chance alone lifts it, in a resample more than in the sample: the interval of a
    well calibrated network may lie above its value.

    Precision is undefined for a class that is never predicted, recall for one that is absent, F1
    for one that is both, and the area under the ROC curve (one class against the rest) for a class
    that no image has, or all have. What is undefined is None and stays out of the averages.

    Intervals hold 95 % of the resamples of the images (percentile bootstrap; Efron and Tibshirani,
    1993): they say how far other test images would move a figure, not another training.

    Args:
        labels: Class index of each image.
        probabilities: Shaped (images, classes); each row sums to one.
        classes: Names in order of class index.
        resamples: Draws behind each interval.
        seed: The seed of the draws.

    Returns:
        `"images"`, `"classes"`, `"accuracy"`, `"log_loss"`, `"expected_calibration_error"`,
        `"error_if_calibrated"` (what that would be of a network that is right exactly as often as
        it is sure: the mean and the middle 95 % of draws), `"overconfidence"` (mean confidence less
        accuracy), `"macro"` and `"weighted"` (averages of precision, recall, F1 and ROC-AUC: over
        the classes evenly, and by their images), `"per_class"` (the same by class name, with its
        `"support"` in images), `"confusion"` (images by true class, then predicted class),
        `"reliability"` (see `calibration.reliability`) and `"bootstrap"` (its settings). A figure
        with an interval is `{"value": …, "low": …, "high": …}`.

    Raises:
        ValueError: If the arguments do not fit each other, or rows are no probabilities.
    """
    truth, rows = _checked(labels, probabilities, classes)
    sample = _Sample(truth, rows.argmax(axis=1), rows.max(axis=1), len(classes))
    draws = _resampled(sample, resamples, seed)
    gaps = gap_rows(sample.confidence, sample.correct).sum(axis=0)
    perfect = errors_if_calibrated(sample.confidence, resamples, seed)
    return {
        "images": len(truth),
        "classes": list(classes),
        "accuracy": with_interval(accuracy_score(truth, sample.predicted), draws["accuracy"]),
        "log_loss": float(log_loss(truth, rows, labels=range(len(classes)))),
        "expected_calibration_error": with_interval(
            float(calibration_error(gaps, len(truth))), draws["calibration"]
        ),
        "error_if_calibrated": with_interval(float(perfect.mean()), perfect),
        "overconfidence": with_interval(float(-gaps.sum() / len(truth)), draws["overconfidence"]),
        **_scores(sample, draws, _areas(truth, rows), classes),
        "confusion": confusion_matrix(truth, sample.predicted, labels=range(len(classes))).tolist(),
        "reliability": reliability(sample.confidence, sample.correct),
        "bootstrap": {"resamples": resamples, "seed": seed, "level": LEVEL},
    }


class _Sample(NamedTuple):
    """True and predicted class of each image, the latter's probability, and how many classes."""

    truth: NDArray[np.int64]
    predicted: NDArray[np.int64]
    confidence: NDArray[np.float64]
    classes: int

    @property
    def correct(self) -> NDArray[np.bool_]:
        return self.truth == self.predicted


def _scores(
    sample: _Sample,
    draws: dict[str, NDArray[np.float64]],
    areas: NDArray[np.float64],
    classes: Sequence[str],
) -> dict[str, Any]:
    """Return the averages and the classes' own precision, recall, F1, support and ROC-AUC."""

    def score(average: str | None) -> tuple[Any, ...]:
        return precision_recall_fscore_support(
            sample.truth,
            sample.predicted,
            labels=range(len(classes)),
            average=average,
            zero_division=np.nan,
        )

    *each, support = score(None)
    defined = ~np.isnan(areas)
    weights = {"macro": np.ones(len(classes)), "weighted": support}
    result: dict[str, Any] = {}
    for average, weight in weights.items():
        result[average] = {
            name: with_interval(value, draws[f"{average} {name}"])
            for name, value in zip(FIGURES, score(average)[:3], strict=True)
        }
        total = (areas[defined] * weight[defined]).sum()
        result[average]["roc_auc"] = number(total / weight[defined].sum()) if any(defined) else None
    result["per_class"] = {
        label: {
            **{
                name: with_interval(values[place], draws[name][:, place])
                for name, values in zip(FIGURES, each, strict=True)
            },
            "support": int(support[place]),
            "roc_auc": number(areas[place]),
        }
        for place, label in enumerate(classes)
    }
    return result


def _areas(truth: NDArray[np.int64], rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each class's area under the ROC curve against the rest, NaN where undefined."""
    areas = np.full(rows.shape[1], np.nan)
    for label in range(rows.shape[1]):
        own = truth == label
        if own.any() and not own.all():
            areas[label] = roc_auc_score(own, rows[:, label])
    return areas


def _resampled(sample: _Sample, resamples: int, seed: int) -> dict[str, NDArray[np.float64]]:
    """Return the figures of each resample, shaped (resamples,) or (resamples, classes)."""
    one_hot = np.eye(sample.classes)
    truth, predicted = one_hot[sample.truth], one_hot[sample.predicted]
    gaps = gap_rows(sample.confidence, sample.correct)
    sums = resampled_sums(np.hstack([truth * predicted, predicted, truth, gaps]), resamples, seed)
    hits, chosen, support, gaps = np.split(sums, np.arange(1, 4) * sample.classes, axis=1)
    images = len(sample.truth)
    figures = {
        "precision": ratio(hits, chosen),
        "recall": ratio(hits, support),
        "f1": ratio(2 * hits, chosen + support),
    }
    averages = {}
    for name, values in figures.items():
        weight = support * ~np.isnan(values)
        averages[f"macro {name}"] = np.nanmean(values, axis=1)
        averages[f"weighted {name}"] = ratio(np.nansum(weight * values, axis=1), weight.sum(axis=1))
    return {
        **figures,
        **averages,
        "accuracy": hits.sum(axis=1) / images,
        "calibration": calibration_error(gaps, images),
        "overconfidence": -gaps.sum(axis=1) / images,
    }


def _checked(
    labels: ArrayLike, probabilities: ArrayLike, classes: Sequence[str]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    truth, rows = np.asarray(labels), np.asarray(probabilities, np.float64)
    if truth.ndim != 1 or not len(truth) or rows.shape != (len(truth), len(classes)):
        raise ValueError(
            f"labels of shape {truth.shape} and probabilities of shape {rows.shape} do not fit "
            f"{len(classes)} classes; give (images,) and (images, {len(classes)}), not empty"
        )
    if not np.issubdtype(truth.dtype, np.integer) or not np.isin(truth, range(len(classes))).all():
        raise ValueError(
            f"labels holds {sorted(set(truth.tolist()) - set(range(len(classes))))[:5]} as "
            f"{truth.dtype}; give class indices, integers from 0 to {len(classes) - 1}"
        )
    sums = rows.sum(axis=1)
    if not (rows.min() >= 0 and np.allclose(sums, 1, atol=1e-3)):
        raise ValueError(
            f"probabilities has rows that sum to {sums.min():.3g} … {sums.max():.3g} and a lowest "
            f"value of {rows.min():.3g}; give the output of a softmax"
        )
    return truth.astype(np.int64), rows / sums[:, None]
