"""What every scene has around its evidence: sky, and soft hills behind and before it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scene_classification.data.drawn.canvas import Canvas
from scene_classification.data.drawn.palette import GROUNDS, SKIES, Color, mix, pick, shade, vary
from scene_classification.data.drawn.place import ACROSS, Place, draw_ridge


class Land(NamedTuple):
    """Colors of a scene: of the sky at its zenith and horizon, and of the ground."""

    zenith: Color
    horizon: Color
    ground: Color


def choose_land(rng: np.random.Generator) -> Land:
    """Choose the colors of a scene."""
    zenith, horizon = SKIES[int(rng.integers(len(SKIES)))]
    return Land(vary(rng, zenith, 8), vary(rng, horizon, 8), pick(rng, GROUNDS, 7))


def draw_sky(canvas: Canvas, land: Land) -> None:
    """Cover the canvas with the sky."""
    canvas.fade(land.zenith, land.horizon)


def draw_far_hills(canvas: Canvas, place: Place, land: Land, rng: np.random.Generator) -> None:
    """Draw hills up to the ridge that the evidence stands on, paler with distance."""
    gaps = rng.uniform(0.05, 0.16, int(rng.integers(0, 4)))
    level = place.back.mean()
    for number, gap in reversed(list(enumerate(np.cumsum(gaps)))):
        ridge = draw_ridge(rng, level - gap, 0.05)
        color = mix(land.ground, land.horizon, 0.35 + 0.45 * (number + 1) / len(gaps))
        _draw_hill(canvas, ridge, vary(rng, color, 4))
    _draw_hill(canvas, place.back, land.ground)


def draw_near_hills(canvas: Canvas, place: Place, land: Land, rng: np.random.Generator) -> None:
    """Draw the hill before the evidence, and nearer ones down to the picture's border."""
    ridge, color = place.front, land.ground
    while True:
        color = vary(rng, shade(color, float(rng.choice([0.84, 0.92, 1.1]))), 5)
        _draw_hill(canvas, ridge, color)
        level = ridge.mean() + rng.uniform(0.1, 0.3)
        if level > 1:
            return
        ridge = draw_ridge(rng, level, 0.04)


def _draw_hill(canvas: Canvas, ridge: NDArray[np.float64], color: Color) -> None:
    # A bright crest and ever darker bands below it.
    bands = ((0, 1.1), (0.012, 1.0), (0.06, 0.96), (0.13, 0.92), (0.22, 0.88))
    for drop, light in bands:
        crest = np.stack([ACROSS, ridge + drop], 1)
        canvas.fill([*crest, (1.1, 1.1), (-0.1, 1.1)], shade(color, light))
