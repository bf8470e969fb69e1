"""Small pictures in rows, each with a line below it: many at one look, drawn in milliseconds."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .rows import LABEL, TITLE, wrap

DPI = 100
GAP = 10  # pixels between pictures, and around them all
SMALLEST = 128  # pixels: if all are narrower, they are enlarged to give captions room
# Pixels: the heights of lines.
CAPTION, HEADING = (1.35 * points * DPI / 72 for points in (LABEL, TITLE))


def sheet(
    pictures: Sequence[NDArray[np.uint8]],
    captions: Sequence[str],
    heading: str = "",
    *,
    columns: int = 4,
) -> NDArray[np.uint8]:
    """Lay pictures out in rows below one heading, each with its caption below it.

    Every pixel of a picture is there as it was; if all are small, they are enlarged by one whole
    factor.

    Args:
        pictures: (height, width, 3) uint8 RGB each, of any sizes.
        captions: One a picture, wrapped to its width.
        heading: What stands above them all, wrapped to their width.
        columns: Pictures in a row, at most.

    Returns:
        (height, width, 3), uint8 RGB.

    Raises:
        ValueError: If there is no picture, captions are not as many, or no column is left.

    Example:
        >>> drawn = sheet([np.zeros((128, 128, 3), np.uint8)] * 6, ["cat"] * 6, columns=3)
        >>> drawn.shape[1]  # three pictures and four gaps
        424
    """
    if not pictures:
        raise ValueError("pictures must hold at least one picture; received none")
    if len(captions) != len(pictures):
        raise ValueError(
            f"captions holds {len(captions)} texts, pictures {len(pictures)}; pass as many"
        )
    if columns < 1:
        raise ValueError(
            f"columns must be at least 1, not {columns}: pass the number of pictures per row"
        )
    factor = max(1, -(-SMALLEST // max(picture.shape[1] for picture in pictures)))
    tiles = [picture.repeat(factor, 0).repeat(factor, 1) for picture in pictures]
    high, wide = (max(tile.shape[axis] for tile in tiles) for axis in (0, 1))
    texts = [wrap(caption, wide / DPI, LABEL, "normal") for caption in captions]
    below = round(CAPTION * max(text.count("\n") + 1 for text in texts))
    columns = min(columns, len(tiles))
    heading = wrap(heading, (columns * (wide + GAP) - GAP) / DPI)
    top = GAP + (round(HEADING * (heading.count("\n") + 1)) + GAP if heading else 0)
    corners = [
        (top + row * (high + below + GAP), GAP + column * (wide + GAP))
        for row, column in (divmod(place, columns) for place in range(len(tiles)))
    ]
    size = (corners[-1][0] + high + below + GAP, GAP + columns * (wide + GAP))
    words = [(GAP, GAP, heading, TITLE)] * bool(heading)
    words += [
        (y + tile.shape[0] + 2, x, text, LABEL)
        for (y, x), tile, text in zip(corners, tiles, texts, strict=True)
    ]
    drawn = _text(size, words)
    for (y, x), tile in zip(corners, tiles, strict=True):
        drawn[y : y + tile.shape[0], x : x + tile.shape[1]] = tile
    return drawn


def _text(size: tuple[int, int], words: Sequence[tuple[int, int, str, int]]) -> NDArray[np.uint8]:
    """Draw texts, each at its (y, x) in pixels and of its size in points, on white."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    height, width = size
    # The quarter pixel: the canvas rounds down, and width / DPI * DPI may fall short of width.
    figure = Figure(figsize=((width + 0.25) / DPI, (height + 0.25) / DPI), dpi=DPI)
    for y, x, text, points in words:
        place = (x / width, 1 - y / height)
        weight = "bold" if points == TITLE else "normal"
        figure.text(*place, text, va="top", size=points, weight=weight, parse_math=False)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    drawn = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    return drawn[..., :3].copy()
