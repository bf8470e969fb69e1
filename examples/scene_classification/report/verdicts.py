"""What an interval allows to be said: the one place that turns figures into claims.

A claim follows from the numbers as the report prints them, so that a reader can check it: an
interval from 16.7 % on does not lie above a chance of 16.7 %, whatever the further digits are.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping

from scene_classification.pictures.numbers import Figure


class Standing(enum.Enum):
    """Where an interval lies, seen from a reference.

    Attributes:
        ABOVE: All of it lies above.
        BELOW: All of it lies below.
        OPEN: It holds the reference, or the two intervals overlap: nothing is settled.
        UNKNOWN: There is no interval.
    """

    ABOVE = "above"
    BELOW = "below"
    OPEN = "open"
    UNKNOWN = "unknown"


def standing(figure: Figure, reference: float | None) -> Standing:
    """Compare a figure's interval with a number that has none.

    Args:
        figure: A share, with its interval.
        reference: What to compare with; None if it is not known.

    Example:
        >>> standing({"value": 0.222, "low": 0.1667, "high": 0.289}, 1 / 6)
        <Standing.OPEN: 'open'>
    """
    return apart(figure, {"value": reference, "low": reference, "high": reference})


def apart(one: Figure, other: Figure) -> Standing:
    """Compare a figure's interval with that of another figure.

    Example:
        >>> apart({"value": 0.6, "low": 0.5, "high": 0.7}, {"value": 0.2, "low": 0.1, "high": 0.3})
        <Standing.ABOVE: 'above'>
    """
    ends = [_shown(figure[name]) for figure in (one, other) for name in ("low", "high")]
    if any(end is None for end in ends):
        return Standing.UNKNOWN
    low, high, others_low, others_high = (end or 0.0 for end in ends)
    if low > others_high:
        return Standing.ABOVE
    return Standing.BELOW if high < others_low else Standing.OPEN


def both(first: Standing, second: Standing) -> Standing:
    """Return what two comparisons agree on; where they differ, nothing is settled."""
    if Standing.UNKNOWN in (first, second):
        return Standing.UNKNOWN
    return first if first == second else Standing.OPEN


def settled(figure: Figure, images: int) -> Figure:
    """Widen the interval of a share that is all or nothing.

    If all of n images are right, so are all of every resample, and the bootstrap's interval has no
    width: it would settle any question with a single image. The exact interval for n of n begins at
    0.025^(1/n) (Clopper and Pearson, 1934); for 0 of n it ends at one less that.

    Args:
        figure: A share of images, with its interval.
        images: How many images it is a share of.

    Example:
        >>> settled({"value": 1.0, "low": 1.0, "high": 1.0}, 8)["low"].__round__(3)
        0.631
    """
    value, low, high = (figure[name] for name in ("value", "low", "high"))
    if value not in (0, 1) or not value == low == high:
        return figure
    least = 0.025 ** (1 / images) if images > 0 else 0.0
    ends = {"low": least, "high": 1.0} if value else {"low": 0.0, "high": 1 - least}
    return {"value": value, **ends}


def sort_by(standings: Mapping[str, Standing], wanted: Standing) -> list[str]:
    """Return the names that stand where it is asked for, in their order."""
    return [name for name, found in standings.items() if found is wanted]


def _shown(share: float | None) -> float | None:
    """Return a share as it is printed: in per cent, with one decimal place."""
    return None if share is None or share != share else float(f"{100 * share:.1f}")
