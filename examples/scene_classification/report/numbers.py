"""Numbers as people read them: percentages, ranges, signs and thousands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

#: Keeps a number and its sign on one line.
NO_BREAK = "\u00a0"
UNDEFINED = "—"

Figure = Mapping[str, float | None]


def percent(share: float | None, digits: int = 1) -> str:
    """Return a share as a percentage.

    Example:
        >>> percent(0.9315).replace(NO_BREAK, " "), percent(None)
        ('93.2 %', '—')
    """
    return UNDEFINED if share is None else f"{100 * share:.{digits}f}{NO_BREAK}%"


def span(figure: Figure, digits: int = 1) -> str:
    """Return the interval of a figure, in percent; empty where there is none.

    Example:
        >>> span({"value": 0.93, "low": 0.917, "high": 0.946})
        '91.7–94.6'
    """
    low, high = figure["low"], figure["high"]
    return "" if low is None or high is None else f"{100 * low:.{digits}f}–{100 * high:.{digits}f}"


def points(figure: Figure) -> str:
    """Return a difference of two shares in percentage points, with its sign and its interval.

    Example:
        >>> points({"value": 0.207, "low": -0.01, "high": 0.257})
        '+20.7 (−1.0 to +25.7)'
    """
    value, low, high = (figure[name] for name in ("value", "low", "high"))
    if value is None or low is None or high is None:
        return UNDEFINED
    return f"{_signed(value)} ({_signed(low)} to {_signed(high)})"


def count(number: int) -> str:
    """Return a number of things.

    Example:
        >>> count(9821)
        '9,821'
    """
    return f"{number:,}"


def decimals(number: float | None, digits: int = 3) -> str:
    """Return a number with a fixed number of decimal places.

    Example:
        >>> decimals(0.98649), decimals(None), decimals(float("nan"))
        ('0.986', '—', '—')
    """
    return UNDEFINED if number is None or number != number else f"{number:.{digits}f}"


def plural(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun.

    Example:
        >>> plural(1, "image"), plural(1200, "image"), plural(2, "copy", "copies")
        ('1 image', '1,200 images', '2 copies')
    """
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def listed(names: Sequence[str]) -> str:
    """Return names as a sentence lists them.

    Example:
        >>> listed(["sea"]), listed(["sea", "forest", "street"])
        ('sea', 'sea, forest and street')
    """
    return " and ".join([*([", ".join(names[:-1])] if names[:-1] else []), *names[-1:]])


def _signed(share: float) -> str:
    return f"{100 * share:+.1f}".replace("-", "−")


FILTERS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (percent, span, points, count, decimals, plural, listed)
}
