"""What all figures share: one row per sample, its title, its colour bar."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...errors import brief
from ..pixels import numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STRONGEST = "relative to the strongest"  # what 1 stands for, unless told
PANEL = 2.9  # inches: the width of one picture
BAR, GAP = 0.85, 0.15  # inches: a colour bar with its labels; between pictures
MARGIN = 0.08  # inches between what is drawn and the edge of the figure
TITLE, LABEL, TICK = 11, 9, 8  # points
LINE = TITLE * 1.35 / 72  # inches: the height of one line of a title


def draw_rows(
    draw: Callable[[int, Sequence["Axes"]], None],
    heights: Sequence[float],
    columns: int,
    width: float,
    titles: Sequence[str] | None,
    max_rows: int,
) -> "Figure":
    """Lay out a figure and let `draw` fill each row's axes.

    Args:
        draw: Called with the row's number and its axes.
        heights: The height of each row's pictures, inches.
        columns: Axes per row.
        width: The figure's width, inches.
        titles: A text above each row.
        max_rows: Rows drawn at most.
    """
    from matplotlib.figure import Figure

    check_titles(titles, len(heights))
    if max_rows < 1:
        raise ValueError(f"max_rows must be at least 1, got {max_rows}")
    rows = min(len(heights), max_rows)
    names = [""] * rows if titles is None else titles[:rows]
    texts = [wrap(name, width - 2 * MARGIN) for name in names]
    heads = [0.4 + LINE * len(text.splitlines()) for text in texts]
    tall = [height + head for height, head in zip(heights[:rows], heads, strict=True)]
    note = 0.3 * (rows < len(heights))
    whole = Figure(figsize=(width, sum(tall) + note), layout="constrained")
    whole.get_layout_engine().set(w_pad=MARGIN)  # type: ignore[union-attr, call-arg]
    parts = whole.subfigures(rows, 1, squeeze=False, height_ratios=tall)[:, 0]
    for row, (part, text) in enumerate(zip(parts, texts, strict=True)):
        if text:
            head = part.suptitle(text, x=MARGIN / width, ha="left", size=TITLE, weight="bold")
            head.set_parse_math(False)  # a class name may hold a dollar sign
        draw(row, part.subplots(1, columns, squeeze=False)[0])
    if note:
        whole.supxlabel(f"first {rows} of {len(heights)} samples", fontsize=LABEL, color="0.35")
    return whole


def as_rows(arrays: Any, argument: str, *ranks: int) -> list[NDArray[Any]]:
    """Take a batch, or a list of samples of different sizes, as a list of arrays."""
    try:
        rows = [np.asarray(one) for one in arrays]
    except Exception:  # no batch, rows of several lengths, or a type that refuses
        raise TypeError(f"{argument} must be a batch of arrays, not {brief(arrays)}") from None
    for one in rows:
        if one.dtype.kind not in "biuf":
            numbers(one, argument)
    if not rows or any(one.ndim not in ranks or not one.size for one in rows):
        wanted = " or ".join(f"{rank}-D" for rank in ranks)
        received = f"{len(rows)} of shapes {sorted({one.shape for one in rows})}"
        fix = "a single sample needs a batch axis: array[None]"
        raise ValueError(f"{argument} must hold {wanted} arrays, got {received}; {fix}")
    return rows


def check_count(argument: str, received: int, heatmaps: int) -> None:
    """Raise a ValueError if there are not as many as heatmaps."""
    if received != heatmaps:
        raise ValueError(f"{argument} holds {received} samples, heatmaps {heatmaps}; pass as many")


def check_titles(titles: Sequence[str] | None, heatmaps: int) -> None:
    """Raise if titles are one text, or not as many as heatmaps."""
    if isinstance(titles, str):
        raise TypeError(f"titles must be a list of texts, one per row, got '{titles}'")
    check_count("titles", heatmaps if titles is None else len(titles), heatmaps)


def wrap(text: str, inches: float, size: int = TITLE, weight: str = "bold") -> str:
    """Break a text into lines no wider than some inches, by the true widths of its letters.

    Args:
        text: What is written.
        inches: How wide it may be.
        size: The font size, points.
        weight: The font weight.
    """
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(size=size, weight=weight)

    def fits(line: str) -> bool:
        width = text_to_path.get_text_width_height_descent(line, font, ismath=False)[0]
        return bool(width <= inches * 72 * 0.97)  # hinting makes drawn letters a little wider

    lines: list[str] = []
    for paragraph in str(text).splitlines():
        line = ""
        for word in paragraph.split():
            joined = f"{line} {word}".strip()
            if not fits(joined):
                lines += [line] * bool(line)
                joined = word
                while not fits(joined):  # one endless word
                    cut = next(n for n in range(len(joined) - 1, 0, -1) if fits(joined[:n]))
                    lines.append(joined[:cut])
                    joined = joined[cut:]
            line = joined
        lines.append(line)
    return "\n".join(lines)
