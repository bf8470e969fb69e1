"""Where the evidence stands and how the land lies around it, the same for every class."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Ridges are known at these x and straight between them.
ACROSS: NDArray[np.float64] = np.linspace(-0.1, 1.1, 41)


@dataclass(frozen=True)
class Place:
    """The evidence's box and the two ridges that it stands between, in fractions of the picture.

    Args:
        left: The box's left side; like the others it may lie outside of the picture.
        top: Its top.
        right: Its right side.
        bottom: Its bottom.
        back: Heights of the ridge behind the evidence, at `ACROSS`. It crosses the box near its
            top: what stands rises above it, what lies begins on it.
        front: Heights of the ridge before the evidence, at `ACROSS`, near the box's bottom. The
            land below it hides where the evidence ends.
    """

    left: float
    top: float
    right: float
    bottom: float
    back: NDArray[np.float64]
    front: NDArray[np.float64]

    @property
    def width(self) -> float:
        """Width of the box."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Height of the box."""
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        """The x of the box's center."""
        return (self.left + self.right) / 2

    @property
    def hidden(self) -> float:
        """A y that the front ridge hides all over the box."""
        inside = (self.left <= ACROSS) & (self.right >= ACROSS)
        return float(self.front[inside].max()) + 0.03

    def crest(self, x: float) -> float:
        """Height of the ridge behind the evidence at an x."""
        return float(np.interp(x, ACROSS, self.back))


def choose_place(rng: np.random.Generator) -> Place:
    """Choose a box of random size and shape that leans to no part of the picture.

    Were boxes spread evenly, most would cover the middle, and a heatmap that always points there
    would do well. The beta distribution sends them to the borders as often as is needed to cover
    each part of the picture about equally.
    """
    area, shape = rng.uniform(0.21, 0.42), rng.uniform(0.75, 1.35)
    width, height = np.sqrt(area * shape), np.sqrt(area / shape)
    across, down = rng.beta(0.32, 0.32, 2)
    left = -0.26 * width + across * (1 - 0.48 * width)
    top = -0.18 * height + down * (1 - 0.66 * height)
    right, bottom = left + width, top + height
    crest, foot = top + rng.uniform(0.06, 0.28) * height, bottom - rng.uniform(0, 0.1) * height
    back = draw_ridge(rng, crest, 0.025, left, right)
    front = draw_ridge(rng, foot, 0.02, left, right)
    return Place(left, top, right, bottom, back, front)


def draw_ridge(
    rng: np.random.Generator, height: float, swing: float, left: float = 0, right: float = 1
) -> NDArray[np.float64]:
    """Draw a soft ridge, three waves, that has the given mean height between left and right.

    Returns:
        Heights at `ACROSS`.
    """
    waves = np.array([0.6, 1.3, 2.7])[:, None] * rng.uniform(0.7, 1.4, (3, 1))
    swings = swing * rng.uniform(0.4, 1.2, (3, 1)) * np.array([1.4, 0.8, 0.25])[:, None]
    phases = rng.uniform(0, 2 * np.pi, (3, 1))
    ridge = (swings * np.sin(2 * np.pi * waves * ACROSS + phases)).sum(0)
    inside = (left <= ACROSS) & (right >= ACROSS)
    return np.asarray(ridge - ridge[inside].mean() + height)
