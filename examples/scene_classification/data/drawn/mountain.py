"""Evidence for mountain: peaks with a lit and a shaded flank, ribs of rock and a cap of snow."""

import numpy as np
from numpy.typing import NDArray

from scene_classification.data.drawn.canvas import Canvas
from scene_classification.data.drawn.palette import Color, mix, pick, shade, vary
from scene_classification.data.drawn.place import Place

_ROCKS: tuple[Color, ...] = (
    (132, 128, 130),
    (150, 118, 96),
    (110, 104, 130),
    (88, 104, 118),
    (176, 138, 106),
    (116, 124, 96),
)


def draw_mountain(canvas: Canvas, place: Place, rng: np.random.Generator) -> None:
    """Draw two or three peaks, the highest as high as the box."""
    rock, snow = pick(rng, _ROCKS), mix((246, 248, 252), (214, 222, 240), rng.random())
    lit_left, cap = bool(rng.random() < 0.5), rng.uniform(0.25, 0.5)
    main = rng.uniform(0.36, 0.64)
    peaks = [(main, 1.0, 0.56), (main + rng.choice([-1, 1]) * 0.32, rng.uniform(0.56, 0.78), 0.42)]
    if rng.random() < 0.6:
        peaks.insert(0, (2 * main - peaks[1][0], rng.uniform(0.6, 0.8), 0.4))
    for across, rise, half in peaks:
        middle = float(np.clip(across, half * 0.7, 1 - half * 0.7))
        apex = (place.left + middle * place.width, place.bottom - rise * place.height)
        flank = half * place.width * rng.uniform(1.1, 1.3)
        snow_line = apex[1] + cap * place.height - (1 - rise) * 0.6 * place.height
        _draw_peak(
            canvas, apex, flank, place.hidden, vary(rng, rock, 5), snow, snow_line, lit_left, rng
        )


def _draw_peak(
    canvas: Canvas,
    apex: tuple[float, float],
    flank: float,
    bottom: float,
    rock: Color,
    snow: Color,
    snow_line: float,
    lit_left: bool,
    rng: np.random.Generator,
) -> None:
    x, _ = apex
    west = _draw_edge(apex, (x - flank, bottom), 0.014, rng)
    east = _draw_edge(apex, (x + flank, bottom), 0.014, rng)
    spine = _draw_edge(apex, (x + rng.uniform(-0.3, 0.3) * flank, bottom), 0.04, rng)
    outline = [*west, *east[::-1]]
    lights = (1.12, 0.66) if lit_left else (0.66, 1.12)
    with canvas.within(outline):
        for edge, light, way in ((west, lights[0], -1), (east, lights[1], 1)):
            canvas.fill([*edge, *spine[::-1]], shade(rock, light))
            _draw_ribs(canvas, spine, way * flank, shade(rock, 0.88 if light > 1 else 0.54), rng)
        for edge, light in ((west, lights[0]), (east, lights[1])):
            white = mix(snow, (126, 146, 190), 0 if light > 1 else 0.55)
            cap = _draw_cap(edge, spine, snow_line, rng)
            if len(cap) > 2:
                canvas.fill(cap, white)


def _draw_edge(
    start: tuple[float, float],
    end: tuple[float, float],
    rough: float,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    # A line from start to end with eight corners beside it.
    parts = np.linspace(0, 1, 10)[:, None]
    line = np.array(start) + parts * (np.array(end) - np.array(start))
    line[1:-1, 0] += rng.uniform(-rough, rough, 8)
    return np.asarray(line)


def _draw_ribs(
    canvas: Canvas,
    spine: NDArray[np.float64],
    reach: float,
    color: Color,
    rng: np.random.Generator,
) -> None:
    # Wedges that fall away from the spine down one flank, and ledges that break up the rock.
    for x, y in spine[1:-1]:
        long = reach * rng.uniform(0.35, 0.85)
        drop = abs(long) * rng.uniform(0.9, 1.3)
        wedge = ((x, y), (x + long, y + drop), (x + 0.62 * long, y + drop))
        canvas.fill(wedge, shade(color, rng.uniform(0.8, 1.1)))
    top, bottom = spine[0, 1], spine[-1, 1]
    for part in rng.uniform(0.2, 1, 16):
        y = top + part * (bottom - top)
        x = float(np.interp(y, spine[:, 1], spine[:, 0])) + reach * part * rng.uniform(0, 0.9)
        wide, high = np.sign(reach) * rng.uniform(0.012, 0.03), rng.uniform(0.02, 0.045)
        ledge = ((x, y), (x + wide, y + high), (x - 0.3 * wide, y + high))
        canvas.fill(ledge, shade(color, float(rng.choice([0.68, 1.4]))))


def _draw_cap(
    edge: NDArray[np.float64],
    spine: NDArray[np.float64],
    level: float,
    rng: np.random.Generator,
) -> list[tuple[float, float]]:
    # Snow between the edge and the spine down to a jagged line.
    height = level - edge[0, 1]
    outer, inner = (
        np.interp(level, edge[:, 1], edge[:, 0]),
        np.interp(level, spine[:, 1], spine[:, 0]),
    )
    down = [(float(x), float(y)) for x, y in edge if y < level]
    back = [(float(x), float(y)) for x, y in spine[::-1] if y < level]
    xs = np.linspace(outer, inner, 7)
    teeth = [
        (
            float(x),
            level
            + float(rng.uniform(0.08, 0.3) if number % 2 else -rng.uniform(0.05, 0.2)) * height,
        )
        for number, x in enumerate(xs)
    ]
    return [*down, *teeth, *back]
