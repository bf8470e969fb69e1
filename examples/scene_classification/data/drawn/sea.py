"""Evidence for sea: a bay with rows of waves, white caps, glints of the sun and at times a sail."""

import numpy as np
from numpy.typing import NDArray

from scene_classification.data.drawn.canvas import Canvas
from scene_classification.data.drawn.palette import WHITE, Color, mix, pick, shade
from scene_classification.data.drawn.place import ACROSS, Place

_WATERS: tuple[Color, ...] = (
    (46, 108, 158),
    (38, 132, 140),
    (70, 122, 110),
    (92, 112, 134),
    (128, 150, 168),
    (60, 96, 140),
    (36, 58, 98),
    (104, 156, 168),
)
_SANDS: tuple[Color, ...] = ((232, 210, 164), (214, 190, 160), (190, 184, 176))


def draw_sea(canvas: Canvas, place: Place, rng: np.random.Generator) -> None:
    """Draw a bay from its horizon below the ridge down to the shore at the front ridge."""
    water, sand = pick(rng, _WATERS), pick(rng, _SANDS, 6)
    inside = (place.left <= ACROSS) & (place.right >= ACROSS)
    horizon = float(place.back[inside].max()) + 0.008
    depth = place.hidden - horizon
    west, east = _draw_shores(place, horizon, depth, rng)
    beach = place.width * np.linspace(0.01, 0.05, len(west))[:, None] * (1, 0)
    canvas.fill([*(west - beach), *(east + beach)[::-1]], sand)
    far, near = mix(water, WHITE, rng.uniform(0.25, 0.45)), shade(water, rng.uniform(0.7, 0.9))
    with canvas.within([*west, *east[::-1]]):
        for part in np.linspace(0, 1, 12)[:-1]:
            y = horizon + depth * part
            canvas.box(place.left - 0.1, y, place.right + 0.1, 1.2, mix(far, near, part**0.7))
        _draw_waves(canvas, place, horizon, depth, (far, near), rng)
        _draw_glints(canvas, place, horizon, depth, rng)
        for shore in (west, east):
            canvas.stroke(shore, 0.02, mix(far, WHITE, 0.8))
    if rng.random() < 0.4:
        _draw_sail(canvas, place, horizon + depth * rng.uniform(0.12, 0.35), depth, rng)


def _draw_shores(
    place: Place, horizon: float, depth: float, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    # Banks that swing out from the ends of the horizon to the sides of the box.
    parts = np.linspace(0, 1, 15)
    ys = horizon + depth * parts
    shores = []
    for start, way in ((place.left, 1), (place.right, -1)):
        # The horizon ends behind a headland; below it lies a cove.
        narrowing = rng.uniform(0.12, 0.34) * (1 - parts) ** 3.5 - 0.07 * np.sqrt(parts)
        wobble = 0.05 * np.sin(rng.uniform(3, 7) * parts + rng.uniform(0, 6)) * np.sqrt(parts)
        shores.append(np.stack([start + way * place.width * (narrowing + wobble), ys], 1))
    return shores[0], shores[1]


def _draw_waves(
    canvas: Canvas,
    place: Place,
    horizon: float,
    depth: float,
    colors: tuple[Color, Color],
    rng: np.random.Generator,
) -> None:
    # Rows of waves, larger and farther apart toward the viewer, each in front of the next.
    rows, caps = int(rng.integers(6, 9)), rng.uniform(0.3, 0.8)
    for row in range(rows):
        part = (row + 0.7) / rows
        y, size = horizon + depth * part**1.15, 0.25 + 0.95 * part
        length = size * rng.uniform(0.1, 0.14)
        start = place.left - 0.12 - rng.uniform(0, length)
        across = np.arange(0, (place.width + 0.24) / length, 1 / 12)
        # Round troughs, and crests that lean over to the right.
        rise = 1 - np.sin(np.pi * (across % 1) ** 0.75)
        heights = 0.034 * size * rng.uniform(0.6, 1.1, len(across) // 12 + 2)
        high = np.interp(across, np.arange(len(heights)), heights)
        surface = np.stack([start + across * length, y - high * rise], 1)
        tone = shade(mix(*colors, part), 0.84 if row % 2 else 1.04)
        canvas.fill([*surface, (surface[-1, 0], 1.2), (start, 1.2)], tone)
        canvas.stroke(surface, 0.008 * size, mix(tone, WHITE, 0.4))
        for crest in np.arange(12, len(surface) - 4, 12):
            if rng.random() < caps:
                foam = surface[crest - 3 : crest + 3]
                canvas.fill([*foam, (surface[crest, 0], y - 0.2 * high[crest])], WHITE)
                canvas.stroke(foam, 0.012 * size, WHITE)


def _draw_glints(
    canvas: Canvas, place: Place, horizon: float, depth: float, rng: np.random.Generator
) -> None:
    middle = rng.uniform(place.left, place.right)
    for part in rng.uniform(0, 0.6, int(rng.integers(4, 16))):
        x, y = middle + rng.normal(0, 0.04 + 0.08 * part), horizon + depth * part
        canvas.oval(x, y, 0.008 + 0.02 * part, 0.004, mix(WHITE, (255, 236, 190), 0.5))


def _draw_sail(
    canvas: Canvas, place: Place, foot: float, depth: float, rng: np.random.Generator
) -> None:
    x, tall = place.left + rng.uniform(0.25, 0.75) * place.width, 0.4 * depth
    cloth = pick(rng, (WHITE, (238, 224, 200), (206, 96, 78), (236, 180, 84)), 5)
    canvas.fill(
        ((x, foot - tall), (x + 0.42 * tall, foot - 0.2 * tall), (x, foot - 0.2 * tall)), cloth
    )
    jib = ((x - 0.06 * tall, foot - 0.9 * tall), (x - 0.35 * tall, foot - 0.2 * tall))
    canvas.fill((*jib, (x - 0.06 * tall, foot - 0.2 * tall)), shade(cloth, 0.85))
    hull = ((-0.42, -0.14), (0.5, -0.14), (0.34, 0.03), (-0.3, 0.03))
    canvas.fill([(x + a * tall, foot + b * tall) for a, b in hull], (92, 62, 50))
