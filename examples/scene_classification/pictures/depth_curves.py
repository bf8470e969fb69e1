"""The loss curves of a plain and a residual network of the same depth, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from scene_classification.pictures.chart_style import COLORS, panel

KINDS = {"plain": ("plain", COLORS[1]), "residual": ("residual", COLORS[0])}


def draw_depth(found: Mapping[str, Any]) -> Figure:
    """Draw the losses of both networks in training and on images that were held out.

    Args:
        found: For `"plain"` and `"residual"`, the `"loss"` and `"val_loss"` of every epoch.
    """
    figure = Figure(figsize=(8.2, 3.4), layout="constrained")
    sides = figure.subplots(1, 2, sharey=True)
    titles = {"loss": "In training", "val_loss": "On images held out"}
    for axes, (name, title) in zip(sides, titles.items(), strict=True):
        for kind, (label, color) in KINDS.items():
            losses = found[kind][name]
            axes.plot(range(1, len(losses) + 1), losses, color=color, linewidth=2, label=label)
        panel(axes, "epoch", "loss" if name == "loss" else "")
        axes.set_title(title, fontsize=11)
    sides[0].set_ylim(bottom=0)  # of both, and only now: it ends the scaling to the lines
    sides[0].legend(frameon=False)
    return figure
