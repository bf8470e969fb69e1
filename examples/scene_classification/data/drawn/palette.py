"""Colors and how they are mixed; each is red, green and blue from 0 to 255."""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np

Color: TypeAlias = tuple[float, float, float]

WHITE: Color = (250, 250, 246)
INK: Color = (38, 36, 44)

# From the zenith to the horizon.
SKIES: tuple[tuple[Color, Color], ...] = (
    ((84, 150, 214), (206, 228, 240)),
    ((52, 118, 190), (170, 214, 232)),
    ((150, 164, 178), (214, 216, 214)),
    ((108, 116, 128), (182, 184, 186)),
    ((232, 146, 120), (252, 218, 164)),
    ((104, 84, 144), (244, 166, 142)),
    ((38, 46, 92), (122, 106, 152)),
    ((18, 24, 52), (56, 72, 112)),
    ((236, 200, 130), (250, 236, 200)),
    ((92, 168, 164), (222, 236, 208)),
)

GROUNDS: tuple[Color, ...] = (
    (118, 152, 76),
    (86, 128, 72),
    (152, 164, 92),
    (196, 172, 116),
    (216, 196, 150),
    (164, 124, 86),
    (126, 112, 104),
    (140, 146, 152),
    (222, 228, 234),
    (102, 132, 136),
    (156, 122, 118),
    (92, 104, 124),
)


def pick(rng: np.random.Generator, colors: Sequence[Color], spread: float = 10) -> Color:
    """Choose one of the colors and move it a little."""
    return vary(rng, colors[int(rng.integers(len(colors)))], spread)


def vary(rng: np.random.Generator, color: Color, spread: float = 10) -> Color:
    """Move a color by normal noise in each channel and twice as much in lightness."""
    noise = rng.normal(0, spread, 3) + rng.normal(0, 2 * spread)
    return _clip(value + move for value, move in zip(color, noise.tolist(), strict=True))


def mix(one: Color, other: Color, part: float) -> Color:
    """Go the given part of the way from one color to another.

    Example:
        >>> mix((0, 0, 0), (100, 200, 40), 0.5)
        (50.0, 100.0, 20.0)
    """
    return _clip(a + (b - a) * part for a, b in zip(one, other, strict=True))


def shade(color: Color, factor: float) -> Color:
    """Darken a color by a factor below one, or lighten it by one above.

    Example:
        >>> shade((200, 100, 40), 1.5)
        (255.0, 150.0, 60.0)
    """
    return _clip(value * factor for value in color)


def _clip(values: Iterable[float]) -> Color:
    red, green, blue = (min(255.0, max(0.0, value)) for value in values)
    return red, green, blue
