"""Lines of equal heat over a photograph, smooth at any size."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Arrays

# A line's width in shares of the photograph's shorter side, and in pixels at least.
_SHARE, _THINNEST = 1 / 110, 1.8
# Its edge, dark around light lines and light around dark ones, is this much wider.
_EDGE = 2.0
# Heat that changes less than this from pixel to pixel is level ground, which no line crosses.
_LEVEL_GROUND = 1e-5
_FAR = 1e9
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def outline(
    pixels: Any,
    framed: Any,
    half: Any,
    levels: NDArray[np.float64],
    colors: NDArray[np.uint8],
    opacity: float,
    xp: Arrays,
) -> Any:
    """Draw a line wherever the heat passes through a level.

    A pixel's distance from the line is, to first order, what the heat differs from the level,
    divided by its slope: so a line needs no search for its path, and its edges are smooth.

    Args:
        pixels: Shape (height, width, 3), float32 from 0 to 255.
        framed: The heat, shape (height + 2, width): with the rows above and below.
        half: Half of a line's width, in pixels.
        levels: Values of the heat, shape (levels,).
        colors: One for each level, shape (levels, 3), RGB.
        opacity: The lines' opacity, 0 to 1.
        xp: The operations on arrays of their kind.

    Returns:
        Shape (height, width, 3), float32; unchanged where there is no line.
    """
    slope, heat = _slope(framed, xp), xp.cast(framed[1:-1], "float64")
    steep = slope > _LEVEL_GROUND
    for level, color in zip(levels.tolist(), colors.astype(np.float32), strict=True):
        away = xp.abs(heat - level) / xp.maximum(slope, _LEVEL_GROUND)
        away = xp.where(steep, away, _FAR)
        edge = np.float32(0 if color @ _LUMINANCE > 127 else 255)
        for reach, shade in ((half * _EDGE, edge), (half, color)):
            # Half a pixel before and after the line's border, a pixel is covered in part.
            cover = xp.cast(xp.clip(reach + 0.5 - away, 0, 1) * opacity, "float32")[..., None]
            pixels = cover * shade + (1 - cover) * pixels
    return pixels


def half_width(size: Any, xp: Arrays) -> Any:
    """Return half of the width that a line has on a photograph of this height and width."""
    shorter = xp.cast(xp.minimum(*size), "float64")
    return xp.maximum(shorter * _SHARE, _THINNEST) / 2


def _slope(framed: Any, xp: Arrays) -> Any:
    """How much the heat changes from one pixel to the next, in float64."""
    framed = xp.pad(xp.cast(framed, "float64"), ((0, 0), (1, 1)), "symmetric")
    down = (framed[2:, 1:-1] - framed[:-2, 1:-1]) / 2
    right = (framed[1:-1, 2:] - framed[1:-1, :-2]) / 2
    return xp.sqrt(down * down + right * right)
