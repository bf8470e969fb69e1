"""Shares as people read them, in pictures, on the terminal and in the report."""

from __future__ import annotations

from collections.abc import Mapping

#: Keeps a number and its sign on one line.
NO_BREAK = "\u00a0"
UNDEFINED = "—"

#: A figure as `"value"`, with its interval as `"low"` and `"high"`; None if undefined.
Figure = Mapping[str, float | None]


def percent(share: float | None, digits: int = 1) -> str:
    """Return a share as a percentage.

    Example:
        >>> percent(0.9315).replace(NO_BREAK, " "), percent(None)
        ('93.2 %', '—')
    """
    return UNDEFINED if share is None else f"{100 * share:.{digits}f}{NO_BREAK}%"


def span(figure: Figure, digits: int = 1) -> str:
    """Return the interval of a figure, in per cent; empty if there is none.

    Example:
        >>> span({"value": 0.93, "low": 0.917, "high": 0.946})
        '91.7–94.6'
    """
    low, high = figure["low"], figure["high"]
    return "" if low is None or high is None else f"{100 * low:.{digits}f}–{100 * high:.{digits}f}"


def interval(figure: Figure) -> str:
    """Return a figure and its interval, in per cent.

    Example:
        >>> interval({"value": 0.912, "low": 0.894, "high": 0.929})
        '91.2 (89.4–92.9)'
        >>> interval({"value": None, "low": None, "high": None})
        '—'
    """
    value = figure["value"]
    if value is None:
        return UNDEFINED
    ends = span(figure)
    return f"{100 * value:.1f}" + (f" ({ends})" if ends else "")
