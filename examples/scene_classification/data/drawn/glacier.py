"""Evidence for glacier: a tongue of ice with crevasses and moraines that ends in a broken cliff."""

import numpy as np
from numpy.typing import NDArray

from scene_classification.data.drawn.canvas import Canvas
from scene_classification.data.drawn.palette import WHITE, Color, mix, pick, shade, vary
from scene_classification.data.drawn.place import Place

_ICES: tuple[tuple[Color, Color], ...] = (
    ((240, 246, 250), (124, 178, 212)),
    ((226, 240, 240), (96, 168, 180)),
    ((220, 224, 232), (120, 134, 162)),
    ((246, 228, 222), (160, 150, 186)),
    ((206, 214, 214), (104, 118, 128)),
    ((176, 206, 222), (70, 116, 164)),
)
_ROWS = 15


def draw_glacier(canvas: Canvas, place: Place, rng: np.random.Generator) -> None:
    """Draw the tongue from the ridge down to a cliff at the bottom of the box."""
    pale, deep = _ICES[int(rng.integers(len(_ICES)))]
    pale, deep = vary(rng, pale, 5), vary(rng, deep, 8)
    top = place.crest(place.middle) - 0.02
    brink = place.bottom - rng.uniform(0.26, 0.34) * (place.bottom - top)
    west, east = _draw_banks(place, top, brink, rng)
    ridge = [(x, place.crest(x)) for x in np.linspace(west[0, 0], east[0, 0], 7)]
    with canvas.within([*ridge, *east[1:], *west[:0:-1]]):
        for row in range(_ROWS - 1):
            band = (west[row], east[row], (east[row + 1][0], 1.1), (west[row + 1][0], 1.1))
            canvas.fill(band, mix(pale, deep, 0.4 * row / _ROWS))
        _draw_crevasses(canvas, west, east, pale, deep, rng)
        _draw_moraines(canvas, west, east, rng)
    _draw_cliff(canvas, west[-1], east[-1], place.hidden, pale, deep, rng)


def _draw_banks(
    place: Place, top: float, brink: float, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    # Wide where the snow gathers, narrow in the valley, spread out again at the foot.
    parts = np.linspace(0, 1, _ROWS)
    bend = rng.choice([-1, 1]) * rng.uniform(0.05, 0.13) * place.width
    middle = place.middle + bend * np.sin(2 * np.pi * parts * rng.uniform(0.6, 1)) * (1.2 - parts)
    waist = rng.uniform(0.03, 0.1) * np.sin(np.pi * parts)
    half = place.width * (rng.uniform(0.4, 0.5) * (1 - parts) + 0.52 * parts - waist)
    ys = top + parts * (brink - top)
    west = np.stack([middle - half + rng.uniform(-0.005, 0.005, _ROWS), ys], 1)
    east = np.stack([middle + half + rng.uniform(-0.005, 0.005, _ROWS), ys], 1)
    return west, east


def _draw_moraines(
    canvas: Canvas,
    west: NDArray[np.float64],
    east: NDArray[np.float64],
    rng: np.random.Generator,
) -> None:
    # Rubble carried along: lines that follow the flow.
    rubble = pick(rng, ((122, 116, 112), (140, 124, 112), (104, 110, 122)), 6)
    for part in (0.0, *rng.uniform(0.25, 0.75, int(rng.integers(0, 3))), 1.0):
        line = west + part * (east - west)
        thick = np.stack([np.linspace(0.003, 0.011, _ROWS), np.zeros(_ROWS)], 1)
        canvas.fill([*(line - thick), *(line + thick)[::-1]], rubble)


def _draw_crevasses(
    canvas: Canvas,
    west: NDArray[np.float64],
    east: NDArray[np.float64],
    pale: Color,
    deep: Color,
    rng: np.random.Generator,
) -> None:
    # Cracks across the flow, bowed downstream because ice is fastest in the middle.
    crack, lip = shade(deep, 0.72), mix(pale, WHITE, 0.7)
    bow = rng.uniform(0.05, 0.1) * (east[0, 0] - west[0, 0])
    for row in range(1, _ROWS, 2):
        gap = rng.uniform(0.2, 0.8)
        for start, stop in ((rng.uniform(0.04, 0.2), gap - 0.05), (gap, rng.uniform(0.8, 0.96))):
            if stop - start < 0.12:
                continue
            parts = np.linspace(start, stop, 7)
            line = west[row] + parts[:, None] * (east[row] - west[row])
            line[:, 1] += bow * (4 * parts * (1 - parts) - 1) + rng.uniform(-0.003, 0.003, 7)
            wide = rng.uniform(0.01, 0.019) * np.sin(np.linspace(0, np.pi, 7))
            lens = [*line, *(line + np.stack([0 * wide, wide], 1))[::-1]]
            canvas.stroke(lens[7:], 0.01, lip)
            canvas.fill(lens, crack)


def _draw_cliff(
    canvas: Canvas,
    west: NDArray[np.float64],
    east: NDArray[np.float64],
    hidden: float,
    pale: Color,
    deep: Color,
    rng: np.random.Generator,
) -> None:
    # Towers of ice side by side, each lit on one flank, with level layers through all of them.
    count = int(rng.integers(7, 11))
    xs = np.linspace(west[0] - 0.006, east[0] + 0.006, count + 1)
    xs[1:-1] += rng.uniform(-0.3, 0.3, count - 1) * (xs[1] - xs[0])
    tops = west[1] + rng.uniform(-0.025, 0.02, count)
    layers = west[1] + (hidden - west[1]) * np.array([0.35, 0.55, 0.8])
    for left, right, top in zip(xs[:-1], xs[1:], tops, strict=True):
        face, split = vary(rng, deep, 5), left + rng.uniform(0.35, 0.65) * (right - left)
        peak = top - 0.012
        canvas.fill(
            ((left, top), (split, peak), (right, top), (right, hidden), (left, hidden)), face
        )
        canvas.fill(
            ((split, peak), (right, top), (right, hidden), (split, hidden)), shade(face, 0.74)
        )
        canvas.stroke(((left, top), (split, peak), (right, top)), 0.011, mix(pale, WHITE, 0.6))
        for layer in layers:
            canvas.stroke(((left, layer), (right, layer)), 0.007, mix(face, pale, 0.55))
