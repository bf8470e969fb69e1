"""The styles of overlays, and their defaults."""

from typing import Literal

Style = Literal["heat", "uniform", "outline"]

#: The default of `alpha`: of the strongest evidence, of all pixels, of the lines.
OPACITY: dict[str, float] = {"heat": 0.75, "uniform": 0.5, "outline": 1.0}

#: Where the lines of an outline run, in shares of the strongest evidence.
LEVELS = (0.25, 0.5, 0.75)

#: How many lines an outline may have.
MOST_LEVELS = 20
