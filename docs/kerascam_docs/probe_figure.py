"""The probe in one figure: what happens in one call, and what never happens to the model."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

_INK, _QUIET, _MODEL, _HEARD, _MADE = "#222222", "#5b6470", "#e8edf3", "#fde3c8", "#dcefe0"


def probe() -> Figure:
    """Draw the model, the listener at its layer, the tape, and what comes out."""
    figure = Figure(figsize=(9.6, 4.9))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, 96), ylim=(0, 49))
    axes.set_axis_off()

    _frame(axes, (1, 1), (94, 47), "one graph (tf.function), traced once for all batch sizes")
    _frame(
        axes,
        (14, 25.5),
        (68, 17.5),
        "your model: no clone, no hook left behind, bit for bit as it was",
    )
    _box(axes, (3, 31), (8, 6), "images")
    _box(axes, (17, 31), (11, 6), "layer", _MODEL)
    _box(axes, (32, 31), (11, 6), "layer", _MODEL)
    _box(axes, (47, 31), (14, 6), "target layer\nlistener", _HEARD)
    _box(axes, (65, 31), (14, 6), "head\nsoftmax", _MODEL)
    for left, right in ((11, 17), (28, 32), (43, 47), (61, 65)):
        _arrow(axes, (left, 34), (right, 34))
    axes.text(30, 38.6, "one forward pass", color=_QUIET, ha="center", fontsize=9)

    _box(axes, (40, 13.5), (28, 6.5), "gradient tape\nwatches the activations, not the weights")
    _arrow(axes, (54, 31), (54, 20), "activations A", (46, 23))
    _arrow(axes, (72, 31), (64, 20), "logit S", (73.5, 22.5))
    _arrow(axes, (40, 16.75), (33, 16.75))
    _box(axes, (13, 13.5), (20, 6.5), "method, a pure function\n(A, ∂S/∂A) → maps", _HEARD)
    _arrow(axes, (23, 13.5), (23, 9.3))
    _box(axes, (13, 3.2), (20, 6), "heatmaps\nresized, scaled, once", _MADE)
    _box(axes, (76, 3.2), (17, 6), "classes, scores\nprobabilities", _MADE)
    _arrow(axes, (76, 31), (84.5, 9.3))
    axes.text(
        54,
        9.6,
        "backward: from the score to the layer,\nand no further",
        color=_QUIET,
        ha="center",
        va="center",
        fontsize=9,
    )
    return figure


def _frame(axes: Axes, corner: tuple[float, float], size: tuple[float, float], text: str) -> None:
    style = "round,pad=0,rounding_size=1.2"
    axes.add_patch(
        FancyBboxPatch(corner, *size, boxstyle=style, fill=False, edgecolor=_QUIET, linestyle="--")
    )
    axes.text(corner[0] + 1.2, corner[1] + size[1] - 1, text, color=_QUIET, va="top", fontsize=9)


def _box(
    axes: Axes,
    corner: tuple[float, float],
    size: tuple[float, float],
    text: str,
    color: str = "#ffffff",
) -> None:
    style = "round,pad=0,rounding_size=0.8"
    axes.add_patch(FancyBboxPatch(corner, *size, boxstyle=style, facecolor=color, edgecolor=_INK))
    axes.text(
        corner[0] + size[0] / 2,
        corner[1] + size[1] / 2,
        text,
        color=_INK,
        ha="center",
        va="center",
        fontsize=9.5,
    )


def _arrow(
    axes: Axes,
    start: tuple[float, float],
    end: tuple[float, float],
    text: str = "",
    place: tuple[float, float] = (0, 0),
) -> None:
    axes.add_patch(
        FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=12, color=_INK, shrinkA=0)
    )
    axes.text(*place, text, color=_INK, ha="center", va="center", fontsize=9)
