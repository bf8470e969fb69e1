"""The charts of how sure a network is: reliability diagram and ROC curves."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator, StrMethodFormatter
from numpy.typing import NDArray
from sklearn.metrics import roc_curve

from scene_classification.pictures.chart_style import (
    COLORS,
    INK,
    MUTED,
    color,
    panel,
    percent_ticks,
)
from scene_classification.pictures.numbers import percent

#: Side of the enlarged corner of the ROC curves.
CORNER = 0.2


def reliability(metrics: dict[str, Any]) -> Figure:
    """Draw the reliability diagram above the histogram of the confidences.

    Args:
        metrics: What `metrics.measure` returns.
    """
    bins = [one for one in metrics["reliability"] if one["count"]]
    left, width = [one["low"] for one in bins], [one["high"] - one["low"] for one in bins]
    confidence = np.array([one["confidence"] for one in bins])
    accuracy = np.array([one["accuracy"] for one in bins])
    figure = Figure(figsize=(6.2, 7.4), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))

    bar = {"width": width, "align": "edge", "edgecolor": "white"}
    above.bar(left, accuracy, color=COLORS[0], label="accuracy of the images in a bin", **bar)
    above.plot([0, 1], [0, 1], "--", color=INK, linewidth=1.2, label="as often right as sure")
    above.vlines(confidence, accuracy, confidence, color=COLORS[2], linewidth=3)
    above.plot(
        confidence, confidence, "o", color=COLORS[2], markersize=5,
        label="mean confidence, and its gap to the accuracy",
    )  # fmt: skip
    panel(above, "", "accuracy")
    above.set(xlim=(0, 1), ylim=(0, 1))
    above.yaxis.set_major_formatter(percent_ticks())
    error = {key: percent(one) for key, one in metrics["expected_calibration_error"].items()}
    above.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1),
        frameon=False,
        title=f"expected calibration error {error['value']} ({error['low']} to {error['high']})",
        alignment="left",
    )

    below.bar(left, [one["count"] for one in bins], color=MUTED, **bar)
    # Most images of a good network stand in the last bin: the others are seen on this scale only.
    below.set_yscale("log")
    below.set_ylim(bottom=0.7)
    below.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    panel(below, "confidence (probability of the predicted class)", "images (log scale)")
    below.xaxis.set_major_formatter(percent_ticks())
    return figure


def roc(
    labels: NDArray[np.int64], probabilities: NDArray[np.floating[Any]], metrics: dict[str, Any]
) -> Figure:
    """Draw each class's ROC curve against the rest, and once more enlarged where all keep near 1.

    Args:
        labels: Class index of each image.
        probabilities: Shaped (images, classes).
        metrics: What `metrics.measure` returns for them.
    """
    scores = metrics["per_class"].items()
    areas = {name: one["roc_auc"] for name, one in scores if one["roc_auc"] is not None}
    sides = [1.0, CORNER] if all(area > 0.9 for area in areas.values()) else [1.0]
    figure = Figure(figsize=(1.5 + 4.1 * len(sides), 4.4), layout="constrained")
    panels = figure.subplots(1, len(sides), squeeze=False)[0]
    for axes, side in zip(panels, sides, strict=True):
        for label, name in enumerate(metrics["classes"]):
            if name in areas:
                false, true, _ = roc_curve(labels == label, probabilities[:, label])
                text = f"{name} {areas[name]:.3f}"
                axes.plot(false, true, color=color(label), label=text, linewidth=1.6)
        axes.plot([0, 1], [0, 1], "--", color=INK, linewidth=1, label="chance 0.500")
        panel(axes, "false positive rate", "true positive rate")
        axes.set(xlim=(-0.01 * side, side), ylim=(1 - side, 1 + 0.01 * side), aspect="equal")
        axes.xaxis.set_major_locator(MultipleLocator(side / 5))
        axes.yaxis.set_major_locator(MultipleLocator(side / 5))
    panels[-1].set_title("upper left corner, enlarged" if len(sides) > 1 else "", fontsize=10)
    figure.legend(
        *panels[0].get_legend_handles_labels(),
        loc="outside right center",
        title="area under the curve",
        frameon=False,
        alignment="left",
    )
    return figure
