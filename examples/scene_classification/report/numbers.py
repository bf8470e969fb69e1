"""Numbers as people read them: percentages, ranges, signs and thousands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from scene_classification.pictures.numbers import UNDEFINED, Figure, percent, span


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


def kibibytes(count: int) -> str:
    """Return a number of bytes.

    Example:
        >>> kibibytes(300_000)
        '293 KiB'
    """
    return f"{count / 1024:,.0f} KiB"


def milliseconds(seconds: float) -> str:
    """Return a short time.

    Example:
        >>> milliseconds(0.0834)
        '83 ms'
    """
    return f"{1000 * seconds:,.0f} ms"


def _signed(share: float) -> str:
    return f"{100 * share:+.1f}".replace("-", "−")


FILTERS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        percent,
        span,
        points,
        count,
        decimals,
        plural,
        listed,
        kibibytes,
        milliseconds,
    )
}
