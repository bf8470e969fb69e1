"""Evidence for street: a road in perspective with markings, kerbs, lamp posts perhaps a car."""

from collections.abc import Callable

import numpy as np

from scene_classification.data.drawn.canvas import Canvas
from scene_classification.data.drawn.palette import INK, WHITE, Color, mix, pick, shade, vary
from scene_classification.data.drawn.place import Place

_ASPHALTS: tuple[Color, ...] = (
    (92, 92, 98),
    (66, 66, 74),
    (124, 118, 114),
    (140, 142, 150),
    (104, 88, 84),
    (86, 100, 116),
)
_PAVINGS: tuple[Color, ...] = ((186, 180, 170), (160, 164, 172), (206, 180, 150), (150, 130, 120))
_PAINTS: tuple[Color, ...] = ((196, 58, 52), (232, 190, 70), (60, 110, 170), (230, 230, 232))


def draw_street(canvas: Canvas, place: Place, rng: np.random.Generator) -> None:
    """Draw a road that comes over the ridge and widens toward the viewer."""
    at = _lay_road(place, rng)
    asphalt, paving = pick(rng, _ASPHALTS), pick(rng, _PAVINGS)
    paint = mix(WHITE, (240, 200, 80), float(rng.choice([0, 0, 1])))
    parts = np.linspace(0, 1.2, 15)
    _draw_strip(canvas, at, parts, -1, 1, paving)
    for part in np.linspace(0.1, 1.2, 12) ** 1.5:
        canvas.stroke((at(part, -1), at(part, 1)), 0.004, shade(paving, 0.8))
    _draw_strip(canvas, at, parts, -0.74, 0.74, mix(paving, WHITE, 0.55))
    _draw_strip(canvas, at, parts, -0.68, 0.68, asphalt)
    for side in (-0.58, 0.58):
        _draw_strip(canvas, at, parts, side - 0.025, side + 0.025, paint)
    for start in np.linspace(0.02, 1.1, 6) ** 1.5:
        dash = np.linspace(start, start + 0.05 + 0.1 * start, 3)
        _draw_strip(canvas, at, dash, -0.05, 0.05, paint)
    if rng.random() < 0.35:
        _draw_crossing(canvas, at, rng.uniform(0.45, 0.75))
    if rng.random() < 0.5:
        _draw_car(canvas, at, rng.uniform(0.25, 0.7), place.width, rng)
    post = pick(rng, ((60, 62, 70), (120, 124, 130), (70, 90, 84)), 6)
    glow = pick(rng, ((255, 232, 160), (244, 246, 250)), 4)
    for part in (0.06, 0.3, 0.72):
        for side in (-1, 1):
            _draw_lamp(canvas, at, part, side, place, post, glow)


# From a part of the way down the road and of its half width to x and y.
_Road = Callable[[float, float], tuple[float, float]]


def _lay_road(place: Place, rng: np.random.Generator) -> _Road:
    bend, lean = rng.uniform(-0.2, 0.2) * place.width, rng.uniform(-0.08, 0.08) * place.width
    far, near = rng.uniform(0.22, 0.32) * place.width, 0.6 * place.width
    top = place.crest(place.middle + bend + lean)
    depth = place.bottom - top

    def at(part: float, across: float) -> tuple[float, float]:
        middle = place.middle + lean * (1 - part) + bend * (1 - min(part, 1)) ** 2
        half = far + (near - far) * part
        # Level with the ridge where it crosses it, level ground below.
        rise = place.crest(middle + across * half) - top
        return middle + across * half, top + depth * part + rise * (1 - min(part, 1))

    return at


def _draw_strip(
    canvas: Canvas, at: _Road, parts: "np.ndarray", left: float, right: float, color: Color
) -> None:
    west, east = [at(part, left) for part in parts], [at(part, right) for part in parts]
    canvas.fill([*west, *reversed(east)], color)


def _draw_crossing(canvas: Canvas, at: _Road, part: float) -> None:
    for left in np.arange(-0.64, 0.6, 0.2):
        _draw_strip(canvas, at, np.array([part, part + 0.16]), left, left + 0.1, WHITE)


def _draw_car(
    canvas: Canvas, at: _Road, part: float, width: float, rng: np.random.Generator
) -> None:
    x, foot = at(part, float(rng.choice([-0.32, 0.32])))
    half, paint = (at(part, 0.22)[0] - at(part, -0.22)[0]) / 2, pick(rng, _PAINTS)

    def box(left: float, low: float, right: float, high: float, color: Color) -> None:
        canvas.box(x + left * half, foot - high * half, x + right * half, foot - low * half, color)

    box(-0.8, 0, 0.8, 0.3, INK)
    box(-1, 0.2, 1, 0.95, paint)
    roof = ((-0.9, 0.95), (-0.65, 1.65), (0.65, 1.65), (0.9, 0.95))
    canvas.fill([(x + across * half, foot - up * half) for across, up in roof], shade(paint, 0.85))
    box(-0.6, 1.0, 0.6, 1.5, (60, 74, 92))
    for left in (-0.95, 0.6):
        box(left, 0.55, left + 0.35, 0.8, vary(rng, (250, 90, 70), 4))


def _draw_lamp(
    canvas: Canvas, at: _Road, part: float, side: int, place: Place, post: Color, glow: Color
) -> None:
    x, foot = at(part, 0.87 * side)
    scale = 0.35 + 0.65 * part
    tall, arm = 0.42 * place.height * scale, -0.06 * side * scale
    thick = max(0.008, 0.016 * scale)
    canvas.stroke(((x, foot), (x, foot - tall), (x + arm, foot - tall - 0.01)), thick, post)
    canvas.oval(x + arm, foot - tall, 0.02 * scale, 0.013 * scale, glow)
