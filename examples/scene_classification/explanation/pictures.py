"""Rows of photos and maps, and a chart of how much of the maps lies on the evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patheffects import Normal, Stroke
from matplotlib.textpath import text_to_path
from numpy.typing import NDArray

from scene_classification.pictures.chart_style import (
    FAINT,
    INK,
    MUTED,
    color,
    percent_ticks,
)
from scene_classification.pictures.numbers import percent

PANEL = 1.35  # inches: the width of one picture
GAP, GROUP_GAP, ROW_GAP = 0.06, 0.24, 0.1  # inches between pictures, groups of them, and rows
MARGIN, HEADING, FOOT = 0.1, 0.42, 0.55  # inches: at the edge, above the rows and below them
SCALE = 6.4  # inches: the color scale with what is written beside it
TITLE, LABEL, NOTE = 12, 10.5, 10  # points: 11 px or more in the report
LINE = 1.3 * LABEL / 72  # inches: the height of one line of a label
MEASURE_TITLES = {
    "share_inside": "Share of the map inside the evidence",
    "pointing_game": "Pointing game: maximum inside the evidence",
}
BASELINE_STYLES: dict[str, tuple[Any, Any]] = {
    "uniform": ("--", INK),
    "centered_gaussian": ("-.", color(6)),
    "random": (":", color(2)),
    "edges": ((0, (5, 1, 1, 1, 1, 1)), color(4)),
}


class Panel(NamedTuple):
    """One picture of a row.

    Attributes:
        picture: RGB, shaped (height, width, 3).
        title: What stands above it, in one or two lines.
        mask: What to outline, shaped (height, width), or None.
    """

    picture: NDArray[np.uint8]
    title: str = ""
    mask: NDArray[np.bool_] | None = None


def draw_panels(
    rows: Sequence[Sequence[Panel]],
    heading: str,
    captions: Sequence[str] | None = None,
    *,
    panel: float = PANEL,
    group: int | None = None,
    guided: bool = False,
) -> Figure:
    """Draw rows of equally wide panels under one heading, with the color scale of the maps.

    Args:
        rows: The panels; a later row may have fewer than the first.
        heading: What the picture shows.
        captions: What stands to the left of each row.
        panel: Width of a panel, in inches.
        group: Panels that belong together; a wider gap follows them.
        guided: Whether a guided method is among them, whose maps are scaled in another way.

    Returns:
        A figure that pyplot does not know: nothing to close.
    """
    left = MARGIN if captions is None else MARGIN + 0.1 + max(map(_inches, captions))
    places = [
        left + column * (panel + GAP) + (column // group * GROUP_GAP if group else 0)
        for column in range(len(rows[0]))
    ]
    heads = [LINE * max(len(one.title.splitlines()) for one in row) for row in rows]
    highs = [
        panel * max(one.picture.shape[0] / one.picture.shape[1] for one in row) for row in rows
    ]
    width = max(places[-1] + panel, MARGIN + _inches(heading, TITLE, "bold"), SCALE) + MARGIN
    height = HEADING + sum(heads) + sum(highs) + ROW_GAP * len(rows) + FOOT
    figure = Figure(figsize=(width, height), facecolor="white")
    figure.text(
        MARGIN / width, 1 - MARGIN / height, heading, size=TITLE, weight="bold", va="top"
    ).set_parse_math(False)
    edge = height - HEADING
    for number, (row, head, high) in enumerate(zip(rows, heads, highs, strict=True)):
        edge -= head + high
        for one, place in zip(row, places, strict=False):
            box = (place / width, edge / height, panel / width, high / height)
            _show(figure.add_axes(box), one)
        if captions is not None:
            middle = (left - 0.08) / width, (edge + high / 2) / height
            figure.text(*middle, captions[number], size=LABEL, ha="right", va="center")
        edge -= ROW_GAP
    outlined = any(one.mask is not None for row in rows for one in row)
    _color_scale(figure, outlined=outlined, guided=guided)
    return figure


def draw_evidence_share(evidence: Mapping[str, Any], titles: Mapping[str, str]) -> Figure:
    """Draw both measures of every method with intervals, and the baselines as lines behind them.

    Args:
        evidence: What `measurement.summarize` returns.
        titles: The methods' titles, by name; drawn in this order from above.

    Returns:
        A figure that pyplot does not know: nothing to close.
    """
    figure = Figure(figsize=(9.6, 1.75 + 0.36 * len(titles)), layout="constrained")
    axes = figure.subplots(1, len(MEASURE_TITLES), sharey=True)
    for ax, (measure, title) in zip(axes, MEASURE_TITLES.items(), strict=True):
        _baselines(ax, evidence["baselines"], measure)
        for place, name in enumerate(titles):
            _interval(ax, evidence["methods"][name][measure], place)
        ax.set_title(title, size=10, loc="left")
        ax.set_xlim(0, 1)
        ax.xaxis.set_major_formatter(percent_ticks())
        ax.grid(axis="x", color=FAINT, linewidth=0.8)
        ax.set_axisbelow(True)
        ax.spines[["top", "right", "left"]].set_visible(False)
        ax.tick_params(axis="y", length=0)
    axes[0].set_yticks(range(len(titles)), titles.values())
    axes[0].set_ylim(len(titles) - 0.4, -0.6)
    axes[0].set_xlabel(f"mean over {evidence['images']} test images")
    axes[1].set_xlabel(f"share of {evidence['images']} test images")
    figure.get_layout_engine().set(wspace=0.06)  # type: ignore[union-attr, call-arg]
    figure.legend(
        *axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False
    )
    return figure


def _show(ax: Axes, panel: Panel) -> None:
    ax.imshow(panel.picture, aspect="auto")
    ax.set_axis_off()
    ax.set_title(panel.title, size=LABEL, pad=3).set_parse_math(False)
    if panel.mask is None or not panel.mask.any():
        return
    # Padded, so that the outline closes along the edge of the photo as well.
    height, width = panel.mask.shape
    padded = np.pad(panel.mask, 1).astype(float)
    across, down = np.arange(-1, width + 1), np.arange(-1, height + 1)
    outline = ax.contour(across, down, padded, [0.5], colors="white")
    outline.set(linewidth=1.0, path_effects=[Stroke(linewidth=2.4, foreground="black"), Normal()])
    ax.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))


def _color_scale(figure: Figure, *, outlined: bool, guided: bool) -> None:
    width, height = figure.get_size_inches()
    start, long = MARGIN + 0.2, 1.3
    ax = figure.add_axes((start / width, 0.25 / height, long / width, 0.1 / height))
    bar = figure.colorbar(
        ScalarMappable(Normalize(0, 1), colormaps["inferno"]), cax=ax, orientation="horizontal"
    )
    bar.set_ticks([0, 1], labels=["none", "most"])
    bar.ax.tick_params(labelsize=NOTE, length=0)
    text = "evidence at a pixel, relative to the most in its own map"
    more = ["guided methods: to the 99th percentile"] if guided else []
    more += ["white outline: the drawn evidence"] if outlined else []
    text += "\n" + "; ".join(more) if more else ""
    place = (start + long + 0.3) / width, 0.27 / height
    figure.text(*place, text, size=NOTE, va="center", linespacing=1.3)


def _inches(text: str, size: float = LABEL, weight: str = "normal") -> float:
    """Return the width of a text, in inches."""
    font = FontProperties(size=size, weight=weight)
    lines = text.splitlines()
    widths = [
        text_to_path.get_text_width_height_descent(line, font, ismath=False) for line in lines
    ]
    return 1.03 * max(wide for wide, *_ in widths) / 72  # hinting makes drawn letters wider


def _baselines(ax: Axes, baselines: Mapping[str, Any], measure: str) -> None:
    for name, summary in baselines.items():
        found, (dashes, ink) = summary[measure], BASELINE_STYLES[name]
        ax.axvspan(found["low"], found["high"], color=ink, alpha=0.15, linewidth=0)
        ax.axvline(found["value"], color=ink, linestyle=dashes, label=summary["title"])


def _interval(ax: Axes, found: Mapping[str, float | None], place: int) -> None:
    value, low, high = (found[key] for key in ("value", "low", "high"))
    if value is None or low is None or high is None:  # every map was empty
        ax.text(0.02, place, "no map", va="center", color=MUTED, size=LABEL)
        return
    error = [[max(0.0, value - low)], [max(0.0, high - value)]]  # rounding may go below
    label = "Mean with 95 % interval" if place == 0 else None
    ax.errorbar(value, place, xerr=error, fmt="o", color=color(0), capsize=3, label=label)
    side = "left" if high < 0.85 else "right"
    ax.annotate(
        percent(value, 0),
        (high if side == "left" else low, place),
        size=LABEL,
        va="center",
        xytext=(6 if side == "left" else -6, 0),
        textcoords="offset points",
        ha=side,
    )
