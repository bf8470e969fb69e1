"""How an overlay looks: its style, colours, opacity and levels, checked once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np

from ..arrays import array_of
from ..errors import brief
from .colormaps import choose_colormap
from .styles import LEVELS, MOST_LEVELS, OPACITY, Style


@dataclass(frozen=True)
class Look:
    """How overlays are drawn.

    Attributes:
        colormap: A matplotlib name, or "auto".
        alpha: Opacity, 0 to 1; None takes the style's own.
        style: "heat", "uniform" or "outline".
        levels: Where the lines of an outline run; None for the usual ones.

    Raises:
        TypeError: If one is of a wrong type.
        ValueError: If one has a wrong value, or there are levels and no outline.
    """

    colormap: str = "auto"
    alpha: float | None = None
    style: Style = "heat"
    levels: Sequence[float] | None = None

    def __post_init__(self) -> None:
        choose_colormap(self.colormap, signed=False)
        check_style(self.style)
        if self.alpha is not None:
            check_alpha(self.alpha)
        if self.levels is not None:
            check_levels(self.levels, self.style)

    @property
    def opacity(self) -> float:
        """The opacity: the one that was given, or the style's own."""
        return OPACITY[self.style] if self.alpha is None else float(self.alpha)

    @property
    def contours(self) -> tuple[float, ...]:
        """Where the lines of an outline run, from the lowest."""
        return LEVELS if self.levels is None else tuple(sorted(map(float, self.levels)))


def check_style(style: Any) -> None:
    """Raise if this is none of the styles.

    Raises:
        ValueError: If it is not.
    """
    if not isinstance(style, str) or style not in OPACITY:
        known = ", ".join(map(repr, get_args(Style)))
        raise ValueError(f"style must be one of {known}, not {brief(style)}")


def check_alpha(alpha: Any) -> None:
    """Raise if an opacity is not a number from 0 to 1.

    Raises:
        TypeError: If it is no number.
        ValueError: If it is not from 0 to 1.
    """
    if isinstance(alpha, (bool, np.bool_)) or not isinstance(alpha, (int, float, np.number)):
        raise TypeError(f"alpha must be a number between 0 and 1, not {brief(alpha)}")
    if np.iscomplexobj(alpha) or not 0 <= alpha <= 1:
        raise ValueError(f"alpha must be between 0 and 1, got {brief(alpha)}")


def check_levels(levels: Any, style: str) -> None:
    """Raise if these are no levels of an outline.

    Raises:
        TypeError: If they are no sequence of numbers.
        ValueError: If one is not between 0 and 1, there are none or too many, or another style is
            drawn.
    """
    given = array_of(levels)
    if given.ndim != 1 or given.dtype.kind not in "fiu":
        raise TypeError(f"levels must be a list of numbers such as [0.5], not {brief(levels)}")
    if not 1 <= given.size <= MOST_LEVELS:
        raise ValueError(f"levels must hold 1 to {MOST_LEVELS} numbers, got {given.size}")
    if not ((given > 0) & (given < 1)).all():
        raise ValueError(f"levels must lie between 0 and 1, got {brief(levels)}")
    if style != "outline":
        raise ValueError(f"levels are for style='outline', not for {style!r}: leave them out")
