"""Evidence for buildings: façades with grids of windows."""

import numpy as np

from scene_classification.data.drawn.canvas import Canvas
from scene_classification.data.drawn.palette import Color, mix, pick, shade, vary
from scene_classification.data.drawn.place import Place

_WALLS: tuple[Color, ...] = (
    (176, 92, 72),
    (222, 204, 168),
    (150, 156, 164),
    (108, 128, 150),
    (214, 150, 130),
    (206, 164, 88),
    (236, 232, 222),
    (128, 146, 124),
    (96, 88, 104),
)
_GLASS: tuple[Color, ...] = ((48, 60, 80), (30, 34, 46), (96, 136, 164), (70, 62, 60))
_LAMP: Color = (255, 218, 130)


def draw_buildings(canvas: Canvas, place: Place, rng: np.random.Generator) -> None:
    """Draw a row of houses side by side, the tallest as high as the box."""
    count = int(rng.integers(2, 5))
    shares = rng.uniform(0.7, 1.4, count)
    edges = place.left + place.width * np.cumsum([0, *shares / shares.sum()])
    rises = rng.uniform(0.68, 1, count)
    rises[rng.integers(count)] = 1
    for number in rng.permutation(count).tolist():
        top = place.bottom - rises[number] * place.height
        overlap = 0.01 * rng.random()
        _draw_house(canvas, edges[number] - overlap, edges[number + 1], top, place.hidden, rng)


def _draw_house(
    canvas: Canvas,
    left: float,
    right: float,
    top: float,
    bottom: float,
    rng: np.random.Generator,
) -> None:
    wall, width = pick(rng, _WALLS), right - left
    eaves = top + _draw_roof(canvas, left, right, top, wall, rng)
    canvas.box(left, eaves, right, bottom, wall)
    side = right - rng.uniform(0, 0.18) * width
    canvas.box(side, eaves, right, bottom, shade(wall, 0.72))
    canvas.box(left, eaves, right, eaves + 0.012, shade(wall, 1.2))
    _draw_windows(canvas, left, side, eaves + 0.03, bottom, wall, rng)


def _draw_roof(
    canvas: Canvas,
    left: float,
    right: float,
    top: float,
    wall: Color,
    rng: np.random.Generator,
) -> float:
    # Returns how high the roof is.
    kind, width = rng.random(), right - left
    tiles = pick(rng, ((150, 70, 56), (92, 96, 108), (120, 90, 74)))
    if kind < 0.35:
        rise = 0.35 * width
        canvas.fill(((left, top + rise), ((left + right) / 2, top), (right, top + rise)), tiles)
        return rise
    if kind < 0.5:
        canvas.box(left + 0.2 * width, top, right - 0.2 * width, top + 0.05, shade(wall, 0.9))
        return 0.045
    if kind < 0.65:
        mast = left + 0.6 * width
        canvas.box(mast, top, mast + 0.015, top + 0.06, shade(wall, 0.6))
        return 0.05
    canvas.box(left - 0.006, top, right + 0.006, top + 0.02, shade(tiles, 0.9))
    return 0.018


def _draw_windows(
    canvas: Canvas,
    left: float,
    right: float,
    top: float,
    bottom: float,
    wall: Color,
    rng: np.random.Generator,
) -> None:
    pitch, storey = rng.uniform(0.048, 0.068), rng.uniform(0.055, 0.08)
    columns = max(2, round((right - left) / pitch))
    pitch = (right - left) / columns
    wide, high = rng.uniform(0.48, 0.68) * pitch, rng.uniform(0.5, 0.68) * storey
    glass, lamps = pick(rng, _GLASS, 6), rng.choice([0, 0.1, 0.5])
    frame = mix(wall, (255, 255, 255), 0.45) if rng.random() < 0.5 else shade(wall, 0.8)
    for y in np.arange(top, bottom, storey):
        for x in left + pitch * (np.arange(columns) + 0.5) - wide / 2:
            pane = vary(rng, _LAMP if rng.random() < lamps else glass, 6)
            canvas.box(x, y, x + wide, y + high + 0.009, frame)
            canvas.box(x, y, x + wide, y + high, pane)
