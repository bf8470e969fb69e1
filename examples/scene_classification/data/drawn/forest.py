"""Evidence for forest: a stand of trees with trunks, conifers and broad-leaved ones."""

import numpy as np

from scene_classification.data.drawn.canvas import Canvas
from scene_classification.data.drawn.palette import Color, pick, shade, vary
from scene_classification.data.drawn.place import Place

_LEAVES: tuple[Color, ...] = (
    (78, 128, 62),
    (48, 96, 66),
    (120, 150, 66),
    (210, 130, 54),
    (184, 80, 50),
    (222, 178, 78),
    (72, 116, 122),
    (176, 190, 190),
    (150, 100, 110),
)
_BARK: tuple[Color, ...] = ((92, 66, 50), (206, 200, 190), (60, 50, 50))


def draw_forest(canvas: Canvas, place: Place, rng: np.random.Generator) -> None:
    """Draw trees in three rows over dark undergrowth, the nearest row last."""
    leaves, bark, conifers = pick(rng, _LEAVES), pick(rng, _BARK, 6), rng.choice([0, 0.5, 1])
    brush = shade(leaves, 0.55)
    for x in np.arange(place.left + 0.04, place.right - 0.02, 0.05):
        canvas.oval(x, place.bottom - 0.28 * place.height, 0.05, rng.uniform(0.08, 0.12), brush)
    canvas.box(place.left, place.bottom - 0.3 * place.height, place.right, place.hidden, brush)
    for row, light in ((0, 0.72), (1, 0.86), (2, 1.0)):
        spread = rng.uniform(0.085, 0.12)
        foot = place.bottom - (0.3 - 0.14 * row) * place.height
        for x in np.arange(place.left + spread / 2, place.right - spread / 3, spread):
            tall = place.height * rng.uniform(0.58, 0.7)
            crown = vary(rng, shade(leaves, light), 9)
            draw = _draw_conifer if rng.random() < conifers else _draw_broadleaf
            draw(canvas, x + rng.normal(0, 0.008), foot, tall, crown, bark, rng)


def _draw_conifer(
    canvas: Canvas,
    x: float,
    foot: float,
    tall: float,
    crown: Color,
    bark: Color,
    rng: np.random.Generator,
) -> None:
    canvas.box(x - 0.01, foot - 0.25 * tall, x + 0.01, foot, bark)
    half = rng.uniform(0.055, 0.072)
    for low, high, width in ((0.16, 0.56, 1), (0.38, 0.78, 0.76), (0.6, 1, 0.52)):
        base, tip = foot - low * tall, foot - high * tall
        canvas.fill(((x - width * half, base), (x, tip), (x + width * half, base)), crown)
        dark = ((x, base - 0.008), (x, tip), (x + width * half, base))
        canvas.fill(dark, shade(crown, 0.72))


def _draw_broadleaf(
    canvas: Canvas,
    x: float,
    foot: float,
    tall: float,
    crown: Color,
    bark: Color,
    rng: np.random.Generator,
) -> None:
    canvas.fill(
        ((x - 0.012, foot), (x - 0.007, foot - 0.6 * tall), (x + 0.007, foot - 0.6 * tall),
         (x + 0.012, foot)),
        bark,
    )  # fmt: skip
    top, radius = foot - tall, rng.uniform(0.05, 0.062)
    bulges = ((0, 1.0, 1), (-0.75, 1.9, 0.85), (0.75, 2.0, 0.85), (0, 2.5, 0.95))
    for across, down, size in bulges:
        y = top + down * radius
        canvas.oval(x + across * radius, y, size * radius, size * radius, shade(crown, 0.75))
    for across, down, size in bulges:
        x_light, y_light = x + (across - 0.2) * radius, top + (down - 0.2) * radius
        canvas.oval(x_light, y_light, 0.66 * size * radius, 0.6 * size * radius, crown)
    canvas.oval(
        x - 0.3 * radius, top + 0.6 * radius, 0.3 * radius, 0.22 * radius, shade(crown, 1.25)
    )
