"""What a method returns that knows how exact its maps are."""

from typing import Any, NamedTuple


class Estimate(NamedTuple):
    """Maps, and how exact they are; a method whose maps are exact returns the maps alone.

    Attributes:
        maps: Shape (batch, *grid).
        standard_errors: Of the same shape: of maps that are means over random samples, the standard
            deviation that they would have over other seeds. None if nothing is sampled.
        residual: Shape (batch,): what each map's sum should be, less what it is, for a method
            whose maps should sum to a change of the score. None if the method promises no sum.
    """

    maps: Any
    standard_errors: Any = None
    residual: Any = None


def as_estimate(found: Any) -> Estimate:
    """Take what a method returned: maps, or an estimate."""
    return found if isinstance(found, Estimate) else Estimate(found)
