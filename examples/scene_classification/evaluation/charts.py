"""The charts of an evaluation and of training: classes, mistakes, epochs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from scene_classification.pictures.chart_style import (
    COLORS,
    FAINT,
    INK,
    MUTED,
    panel,
    percent_ticks,
)
from scene_classification.pictures.numbers import percent
from scene_classification.run_folder import RunFolder
from scene_classification.training.history import read_history


def confusion(counts: Sequence[Sequence[int]], classes: Sequence[str]) -> Figure:
    """Draw a confusion matrix: images in the cells, shaded by their share of the true class.

    Args:
        counts: Images by true class (rows) and predicted class.
        classes: Names in order of class index.
    """
    table = np.asarray(counts)
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    side = 2.6 + 0.75 * len(classes)
    figure = Figure(figsize=(side + 0.6, side - 0.8), layout="constrained")
    axes = figure.add_subplot()
    # By the square root: on an even scale, a few per cent of mistakes are as pale as none.
    shading = axes.imshow(shares, cmap="Blues", norm=PowerNorm(0.5, vmin=0, vmax=1))
    for row, column in np.ndindex(table.shape):
        share = shares[row, column]
        images = table[row, column]
        text = f"{images}\n{percent(share)}" if images else "0"
        ink = "white" if share > 0.3 else INK if images else MUTED
        axes.text(column, row, text, ha="center", va="center", color=ink, fontsize=9.5)
    places = range(len(classes))
    axes.set_xticks(places, classes, rotation=30, ha="right", rotation_mode="anchor")
    axes.set_yticks(places, classes)
    axes.set(xlabel="predicted class", ylabel="true class")
    # White lines between the cells.
    axes.set_xticks(np.arange(len(classes) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(classes) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
    bar = figure.colorbar(
        shading, ax=axes, shrink=0.9, format=percent_ticks(), ticks=[0, 0.01, 0.05, 0.2, 0.5, 1]
    )
    bar.set_label("share of the true class's images")
    bar.ax.spines[:].set_visible(False)
    return figure


def per_class(metrics: dict[str, Any]) -> Figure:
    """Draw precision, recall and F1 of each class with their intervals.

    Args:
        metrics: What `metrics.measure` returns.
    """
    scores = metrics["per_class"]
    figure = Figure(figsize=(8, 1.4 + 0.75 * len(scores)), layout="constrained")
    axes = figure.add_subplot()
    marks = {"precision": "o", "recall": "s", "f1": "D"}
    lowest = 1.0
    for number, (name, marker) in enumerate(marks.items()):
        rows = [
            (place + 0.24 * (number - 1), one[name])
            for place, one in enumerate(scores.values())
            if one[name]["low"] is not None
        ]
        heights = [height for height, _ in rows]
        low, value, high = ([one[key] for _, one in rows] for key in ("low", "value", "high"))
        axes.hlines(heights, low, high, color=COLORS[number], linewidth=2.2, alpha=0.55)
        axes.plot(
            value,
            heights,
            marker,
            color=COLORS[number],
            label="F1" if name == "f1" else name,
            clip_on=False,
        )
        lowest = min([lowest, *low])
    for place in range(1, len(scores)):
        axes.axhline(place - 0.5, color=FAINT, linewidth=0.8)
    ticks = [f"{name}\n{one['support']} images" for name, one in scores.items()]
    axes.set_yticks(range(len(scores)), ticks)
    panel(axes, "score, and the interval that holds 95 % of the resamples", "")
    axes.grid(False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.set(
        ylim=(len(scores) - 0.5, -0.5), xlim=(max(-0.01, math.floor(lowest * 20 - 0.2) / 20), 1.005)
    )
    axes.xaxis.set_major_locator(MaxNLocator(steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(percent_ticks())
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False)
    return figure


def contact_sheet(
    images: NDArray[np.uint8], mistakes: Sequence[dict[str, Any]], *, columns: int = 6
) -> Figure:
    """Draw small images in rows, each with what it is and what it was taken for.

    Args:
        images: RGB 0–255, shaped (images, side, side, 3).
        mistakes: What `mistakes.describe` returns for them.
        columns: Images in a row.
    """
    rows = max(1, math.ceil(len(mistakes) / columns))
    figure = Figure(figsize=(1.55 * columns, 1.98 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels:
        axes.set_axis_off()
    for axes, image, mistake in zip(panels, images, mistakes, strict=False):
        axes.imshow(image)
        share = percent(mistake["predicted_probability"], 0)
        axes.set_title(f"{mistake['true']} →\n{mistake['predicted']} {share}", fontsize=9, pad=3)
    if not mistakes:
        figure.text(0.5, 0.5, "no mistakes", ha="center", va="center", color=INK)
    return figure


def training_curves(run: RunFolder) -> Figure | None:
    """Draw loss and accuracy over the epochs, stages one after another.

    Args:
        run: The run; None is returned where it has no log with a finished epoch.
    """
    history = read_history(run)
    lines = [line for stage in history.values() for line in stage]
    if not lines:
        return None
    epochs = np.arange(1, len(lines) + 1)
    figure = Figure(figsize=(9.6, 4.2), layout="constrained")
    for axes, name in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        columns = {"training": name, "validation": f"val_{name}"}
        for number, (label, column) in enumerate(columns.items()):
            values = [line.get(column, math.nan) for line in lines]
            axes.plot(epochs, values, ".-", color=COLORS[number], label=label)
        panel(axes, "epoch", name)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        _mark_stages(axes, [(stage, len(own)) for stage, own in history.items()])
        axes.legend(frameon=False)
    axes.yaxis.set_major_formatter(percent_ticks())
    return figure


def _mark_stages(axes: Axes, stages: Sequence[tuple[str, int]]) -> None:
    """Part the stages by a line and name each at its start, if there are several."""
    start = 0.5
    for name, length in stages if len(stages) > 1 else ():
        if start > 0.5:
            axes.axvline(start, color=INK, linewidth=1, linestyle=":")
        axes.text(
            start + 0.1, 1.01, name, transform=axes.get_xaxis_transform(), color=INK, fontsize=10
        )
        start += length
