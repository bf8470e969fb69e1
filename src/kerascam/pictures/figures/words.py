"""A text, each of its tokens on the colour of its heat."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ...errors import brief
from ..render import colorize, is_signed
from .bars import color_bar
from .rows import BAR, MARGIN, STRONGEST, as_rows, check_count, draw_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH = 9.6  # inches
_LINE, _SIDE, _BETWEEN = 0.3, 0.09, 0.05  # inches: a line of text, a token's rim, a gap
_LEAST = 1.3  # inches: room for the label of the colour bar
_SIZE = 11  # points
_DARK = 140  # of 255: below this brightness, letters are white
_BRIGHTNESS = (0.299, 0.587, 0.114)  # of red, green and blue


def word_figure(
    tokens: Sequence[Sequence[str]],
    heatmaps: ArrayLike | Sequence[ArrayLike],
    titles: Sequence[str] | None = None,
    *,
    colormap: str = "auto",
    signed: bool | None = None,
    max_rows: int = 8,
    unit: str = STRONGEST,
) -> "Figure":
    """Draw one row per text: its tokens in lines, each on the colour of its heat.

    Args:
        tokens: As `tokens_of` returns them.
        heatmaps: (batch, length), in [0, 1], or [-1, 1] if signed.
        titles: A text above each row, wrapped to fit.
        colormap: As in `colorize`, but "auto" has a light zero, as letters stand on it.
        signed: As in `colorize`.
        max_rows: Rows drawn at most.
        unit: What 1 stands for, beside the colour bar.

    Raises:
        ValueError: If tokens, heatmaps and titles differ in number.

    Example:
        >>> drawn = word_figure([["a", "fine", "film"]], np.ones((1, 3)))
        >>> [text.get_text() for text in drawn.axes[0].texts]
        ['a', 'fine', 'film']
    """
    from matplotlib.patches import Rectangle

    heats = as_rows(heatmaps, "heatmaps", 1)
    check_count("tokens", len(tokens), len(heats))
    signed = any(map(is_signed, heats)) if signed is None else signed
    colormap = ("RdBu_r" if signed else "Reds") if colormap == "auto" else colormap
    room = _WIDTH - BAR - 4 * MARGIN
    placed = [_placed(words, room) for words in tokens[:max_rows]]
    heights = [max(_LEAST, _LINE * (places[-1][1] + 1)) for places in placed]

    def draw(row: int, axes: Sequence["Axes"]) -> None:
        ax, high = axes[0], heights[row]
        ax.set(xlim=(0, room), ylim=(high, 0), aspect="auto")
        ax.axis("off")
        colors = colorize(heats[row][None], colormap, signed=signed)[0]
        for word, color, (left, line, width) in zip(tokens[row], colors, placed[row], strict=True):
            corner = (left, line * _LINE)
            ax.add_patch(Rectangle(corner, width, _LINE - _BETWEEN, facecolor=color / 255, lw=0))
            letters: dict[str, Any] = {"size": _SIZE, "ha": "center", "va": "center"}
            letters["color"] = "white" if color @ _BRIGHTNESS < _DARK else "black"
            middle = left + width / 2, (line + 0.5) * _LINE - _BETWEEN / 2
            ax.text(*middle, word, **letters, parse_math=False)
        color_bar(ax, colormap, signed, unit)

    return draw_rows(draw, heights + [_LEAST] * (len(heats) - len(heights)), 1, _WIDTH, titles,
                     max_rows)  # fmt: skip


def tokens_of(tokens: Any, shape: tuple[int, int]) -> list[list[str]]:
    """Take a list of words for each text; of one text alone, its words.

    Args:
        tokens: What the user passes.
        shape: How many texts there are, and how many tokens each has.

    Raises:
        TypeError: If they are not words.
        ValueError: If they are not as many.

    Example:
        >>> tokens_of(["a", "fine", "film"], (1, 3))
        [['a', 'fine', 'film']]
    """
    count, length = shape
    texts = [tokens] if count == 1 and _are_words(tokens) else tokens
    if isinstance(texts, str) or not isinstance(texts, (list, tuple, np.ndarray)):
        raise TypeError(f"tokens must be a list of words for each text, not {brief(tokens)}")
    if len(texts) != count:
        raise ValueError(f"tokens must be those of {count} texts; received {len(texts)}")
    for place, words in enumerate(texts):
        if not _are_words(words):
            raise TypeError(f"tokens[{place}] must be a list of words, not {brief(words)}")
        if len(words) != length:
            raise ValueError(
                f"tokens[{place}] must have a word for each of the {length} tokens of its text; "
                f"received {len(words)}: give '' for padding"
            )
    return [[str(word) for word in words] for words in texts]


def _are_words(value: Any) -> bool:
    listed = isinstance(value, (list, tuple, np.ndarray)) and len(value) > 0
    return listed and all(isinstance(word, str) for word in value)


def _placed(words: Sequence[str], room: float) -> list[tuple[float, int, float]]:
    """Set words into lines: the left edge, the line and the width of each, inches."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(size=_SIZE)
    found: list[tuple[float, int, float]] = []
    left, line = 0.0, 0
    for word in words:
        points = text_to_path.get_text_width_height_descent(word, font, ismath=False)[0]
        width = min(points / 72 + 2 * _SIDE, room)
        if left + width > room:
            left, line = 0.0, line + 1
        found.append((left, line, width))
        left += width + _BETWEEN
    return found
