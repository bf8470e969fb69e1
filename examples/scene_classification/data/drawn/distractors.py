"""Things that stand in scenes of every class alike and say nothing about it."""

import numpy as np
from numpy.typing import NDArray

from scene_classification.data.drawn.backdrop import Land
from scene_classification.data.drawn.canvas import Canvas
from scene_classification.data.drawn.palette import INK, WHITE, Color, mix, pick, shade, vary
from scene_classification.data.drawn.place import ACROSS

_CLOTHS: tuple[Color, ...] = ((206, 74, 62), (238, 178, 66), (74, 130, 178), (122, 92, 150))


def draw_sky_things(canvas: Canvas, land: Land, rng: np.random.Generator) -> None:
    """Draw a sun or moon, clouds, birds and a balloon, each only in some scenes."""
    if rng.random() < 0.5:
        disc = pick(rng, ((255, 244, 206), (252, 214, 140), (240, 242, 248), (244, 150, 110)), 4)
        x, y, radius = rng.uniform(0, 1), rng.uniform(0, 0.5), rng.uniform(0.03, 0.075)
        canvas.oval(x, y, radius * 1.5, radius * 1.5, mix(land.zenith, disc, 0.35))
        canvas.oval(x, y, radius, radius, disc)
    for _ in range(int(rng.integers(0, 4))):
        _draw_cloud(canvas, mix(land.horizon, WHITE, rng.uniform(0.2, 0.8)), rng)
    for _ in range(int(rng.integers(0, 5))):
        _draw_bird(canvas, rng)
    if rng.random() < 0.2:
        _draw_balloon(canvas, rng)


def draw_ground_things(
    canvas: Canvas,
    ridge: NDArray[np.float64],
    depth: float,
    land: Land,
    rng: np.random.Generator,
) -> None:
    """Draw rocks, a fence, a boat ashore and grass on the land below a ridge, in some scenes.

    Args:
        canvas: The canvas to draw on.
        ridge: Heights of the ridge at `ACROSS`.
        depth: How far below the ridge things stand at most.
        land: The scene's colors.
        rng: Decides on all of them.
    """

    def stand() -> tuple[float, float]:
        x = rng.uniform(0, 1)
        return x, float(np.interp(x, ACROSS, ridge)) + rng.uniform(0.01, depth)

    for _ in range(int(rng.integers(0, 5))):
        _draw_rock(canvas, *stand(), rng)
    if rng.random() < 0.25:
        _draw_fence(canvas, ridge, rng)
    if rng.random() < 0.15:
        _draw_boat(canvas, *stand(), rng)
    blade = vary(rng, shade(land.ground, float(rng.choice([0.65, 1.3]))), 8)
    for _ in range(int(rng.integers(0, 9))):
        _draw_grass(canvas, *stand(), blade, rng)


def draw_foreground(canvas: Canvas, land: Land, rng: np.random.Generator) -> None:
    """Draw long grass or a post close to the viewer, over all else, in some scenes."""
    blade = vary(rng, shade(land.ground, float(rng.choice([0.5, 0.7, 1.3]))), 8)
    if rng.random() < 0.4:
        for x in rng.uniform(-0.05, 1.05, int(rng.integers(6, 22))):
            height, lean = rng.uniform(0.05, 0.2), rng.normal(0, 0.04)
            tip = (x + lean, 1 - height)
            canvas.fill(((x - 0.008, 1.01), tip, (x + 0.008, 1.01)), vary(rng, blade, 5))
    if rng.random() < 0.2:
        x, top = rng.uniform(0, 1), rng.uniform(0.45, 0.8)
        wood = pick(rng, ((112, 84, 62), (150, 140, 128), (84, 76, 74)))
        canvas.box(x, top, x + 0.03, 1.01, wood)
        canvas.box(x + 0.019, top, x + 0.03, 1.01, shade(wood, 0.75))


def _draw_cloud(canvas: Canvas, color: Color, rng: np.random.Generator) -> None:
    x, y, size = rng.uniform(0, 1), rng.uniform(0, 0.6), rng.uniform(0.03, 0.07)
    for step in np.linspace(-1.5, 1.5, 5):
        bulge = size * (1 - 0.25 * abs(step)) * rng.uniform(0.8, 1.2)
        canvas.oval(x + 1.1 * step * size, y - 0.4 * bulge, 1.2 * bulge, 0.75 * bulge, color)
    canvas.oval(x, y, 2.6 * size, 0.4 * size, color)


def _draw_bird(canvas: Canvas, rng: np.random.Generator) -> None:
    x, y, size = rng.uniform(0, 1), rng.uniform(0, 0.6), rng.uniform(0.012, 0.03)
    wings = [(-1, -0.1), (-0.6, -0.5), (0, 0.1), (0.6, -0.5), (1, -0.1)]
    canvas.stroke([(x + across * size, y + down * size) for across, down in wings], 0.008, INK)


def _draw_balloon(canvas: Canvas, rng: np.random.Generator) -> None:
    x, y, size = rng.uniform(0, 1), rng.uniform(0, 0.5), rng.uniform(0.03, 0.06)
    cloth = pick(rng, _CLOTHS)
    neck = ((x - 0.85 * size, y + 0.5 * size), (x + 0.85 * size, y + 0.5 * size))
    canvas.fill((*neck, (x + 0.2 * size, y + 1.5 * size), (x - 0.2 * size, y + 1.5 * size)), cloth)
    for part, color in ((1.0, cloth), (0.6, mix(cloth, WHITE, 0.7)), (0.22, cloth)):
        canvas.oval(x, y, part * size, size, color)
    canvas.box(x - 0.2 * size, y + 1.7 * size, x + 0.2 * size, y + 2 * size, (120, 84, 56))


def _draw_rock(canvas: Canvas, x: float, y: float, rng: np.random.Generator) -> None:
    size, stone = rng.uniform(0.012, 0.04), pick(rng, ((142, 138, 134), (116, 104, 98)))
    corners = np.array([(-1, 0.3), (-0.7, -0.5), (0, -0.8), (0.8, -0.4), (1, 0.3)]) * size
    corners = corners * rng.uniform(0.75, 1.25, corners.shape) + (x, y)
    canvas.fill(corners, shade(stone, 0.75))
    canvas.fill([*corners[:3], (x, y + 0.3 * size)], stone)


def _draw_fence(canvas: Canvas, ridge: NDArray[np.float64], rng: np.random.Generator) -> None:
    start, gap, count = rng.uniform(-0.1, 0.9), rng.uniform(0.03, 0.06), int(rng.integers(3, 9))
    wood, lift = pick(rng, ((120, 90, 66), (190, 184, 174))), rng.uniform(0, 0.03)
    xs = start + gap * np.arange(count)
    feet = np.interp(xs, ACROSS, ridge) + 0.01 + lift
    for x, foot in zip(xs, feet, strict=True):
        canvas.box(x - 0.004, foot - 0.05, x + 0.004, foot, wood)
    canvas.stroke(np.stack([xs, feet - 0.036], 1), 0.006, wood)


def _draw_boat(canvas: Canvas, x: float, y: float, rng: np.random.Generator) -> None:
    size, paint = rng.uniform(0.04, 0.07), pick(rng, _CLOTHS)
    hull = ((-1, -0.35), (1, -0.35), (0.65, 0.2), (-0.6, 0.2))
    canvas.fill([(x + across * size, y + down * size) for across, down in hull], paint)
    rim = ((x - size, y - 0.35 * size), (x + size, y - 0.35 * size))
    canvas.stroke(rim, 0.01, mix(paint, WHITE, 0.7))


def _draw_grass(canvas: Canvas, x: float, y: float, color: Color, rng: np.random.Generator) -> None:
    size = rng.uniform(0.015, 0.03)
    for lean in (-0.6, 0, 0.6):
        canvas.stroke(((x, y), (x + lean * size, y - size)), 0.006, color)
