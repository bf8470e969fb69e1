"""A contact sheet: photographs in rows below headings, all at one size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

#: Inches: of a heading, of a line below a photograph, between photographs, at the border.
HEADING, LINE, GAP, BORDER = 0.42, 0.18, 0.08, 0.12


class Tile(NamedTuple):
    """A photograph, RGB shaped (height, width, 3), and what stands below it."""

    image: NDArray[np.uint8]
    caption: str = ""


class Row(NamedTuple):
    """Photographs side by side, and what stands at their left; some may stand in groups."""

    tiles: Sequence[Tile]
    name: str = ""
    group: int = 0

    def start(self, column: int) -> float:
        """Return the widths of groups' gaps before a column, in inches."""
        return column // self.group * 2 * GAP if self.group else 0.0


class Section(NamedTuple):
    """Rows below a heading."""

    heading: str
    rows: Sequence[Row]


def draw_sheet(sections: Sequence[Section], *, side: float = 1.2, names: float = 0.0) -> Figure:
    """Draw a contact sheet.

    Args:
        sections: What it shows, from top to bottom.
        side: A photograph's side, in inches; one that is not square is as large as fits.
        names: Width of the column for the names of the rows, in inches.
    """
    rows = [row for section in sections for row in section.rows]
    columns = max(len(row.tiles) for row in rows)
    groups = max(row.start(len(row.tiles) - 1) for row in rows)
    width = 2 * BORDER + names + columns * (side + GAP) - GAP + groups
    height = BORDER + len(sections) * HEADING + sum(_height(row, side) for row in rows)
    figure = Figure(figsize=(width, height))
    top = height
    for section in sections:
        figure.text(
            BORDER / width,
            (top - HEADING / 2) / height,
            section.heading,
            va="center",
            weight="bold",
        )
        top -= HEADING
        for row in section.rows:
            figure.text(BORDER / width, (top - side / 2) / height, row.name, va="center")
            for column, tile in enumerate(row.tiles):
                left = BORDER + names + column * (side + GAP) + row.start(column)
                box = (left / width, (top - side) / height, side / width, side / height)
                _draw_tile(figure, box, tile)
            top -= _height(row, side)
    return figure


def in_rows(tiles: Sequence[Tile], columns: int, *, group: int = 0) -> list[Row]:
    """Spread photographs over rows."""
    starts = range(0, len(tiles), columns)
    return [Row(tiles[start : start + columns], group=group) for start in starts]


def _height(row: Row, side: float) -> float:
    lines = max(tile.caption.count("\n") + 1 if tile.caption else 0 for tile in row.tiles)
    return side + GAP + (lines * LINE + GAP if lines else 0)


def _draw_tile(figure: Figure, box: tuple[float, float, float, float], tile: Tile) -> None:
    axes = figure.add_axes(box, xticks=[], yticks=[], anchor="S")
    axes.set_axis_off()
    axes.imshow(tile.image)
    axes.text(
        0.5, -0.03, tile.caption, transform=axes.transAxes, ha="center", va="top", fontsize=9.5
    )
