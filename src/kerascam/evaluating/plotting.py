"""An evaluation as a picture: a panel per metric, means with their intervals."""

from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from .tables import heads_of

_METHOD, _BASELINE = "#1f6feb", "#8a8f98"
_ACROSS = 3  # panels in a row
_TICKS = 5  # at most, so that their numbers stand apart
_PANEL, _LINE = 3.2, 0.26  # inches


def figure_of(evaluation: Any) -> Figure:
    """Draw the means; see `Evaluation.plot`."""
    heads = heads_of(evaluation)
    across = min(_ACROSS, len(heads))
    down = -(-len(heads) // across)
    height = 0.9 + _LINE * len(evaluation.subjects)
    figure = Figure((1.6 + _PANEL * across, height * down), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(down, across, squeeze=False, sharey=True).ravel()
    places = np.arange(len(evaluation.subjects))
    for panel, metric, head in zip(panels, evaluation.metrics, heads, strict=False):
        for place, name in zip(places, evaluation.subjects, strict=True):
            found = evaluation.mean(name, metric)
            color = _BASELINE if name in evaluation.baselines else _METHOD
            if np.isfinite(found.value):
                panel.plot([found.low, found.high], [place, place], color=color, lw=2.5, alpha=0.45)
                panel.plot([found.value], [place], "o", color=color, ms=5)
            else:
                panel.text(
                    0.02, place, "not defined", color=color, size=7, va="center",
                    transform=panel.get_yaxis_transform(),
                )  # fmt: skip
        panel.set_title(head, size=10)
        panel.grid(axis="x", alpha=0.25)
        panel.tick_params(labelsize=8)
        panel.locator_params(axis="x", nbins=_TICKS)
        panel.spines[["top", "right", "left"]].set_visible(False)
    panels[0].set_yticks(places, [evaluation.titles[name] for name in evaluation.subjects])
    panels[0].invert_yaxis()
    for panel in panels[len(heads) :]:
        panel.set_visible(False)
    return figure
