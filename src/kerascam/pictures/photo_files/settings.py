"""How photographs are read."""

from collections.abc import Callable
from dataclasses import dataclass

from .. import photo_limits

FULL_DEPTH = 16


def _argument(name: str, value: int) -> str:
    return f"{name}={value}"


@dataclass(frozen=True)
class Reading:
    """How photographs are read.

    Attributes:
        max_pixels: How many one may claim.
        depth: How many bits the values of a 16-bit image use, if the file does not say it.
        option: Words an option and its value as the user writes it, for the advice in errors.
    """

    max_pixels: int = photo_limits.MAX_PIXELS
    depth: int = FULL_DEPTH
    option: Callable[[str, int], str] = _argument
