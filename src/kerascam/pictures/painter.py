"""Paint heatmaps over photographs: one formula for NumPy arrays and for an exported graph."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import HOST, Arrays
from ..resizing import resize
from .colormaps import choose_colormap
from .look import Look
from .outline import half_width, outline

# With opacity by heat, a palette of fewer colours is divided into this many steps.
_STEPS = 256
# Of the strongest evidence: from here on the opacity is full, so that second places are seen too.
_FULL = 0.6
_STRIP = 2**20  # pixels


@dataclass(frozen=True)
class Brush:
    """Paints heatmaps: their look, with the colours found.

    Attributes:
        look: Style, opacity and levels.
        colors: The palette from the lowest to the highest value, shape (colours, 3), uint8 RGB.
        signed: Whether the middle of the palette is zero.
    """

    look: Look
    colors: NDArray[np.uint8]
    signed: bool

    @classmethod
    def of(cls, look: Look, *, signed: bool) -> "Brush":
        """Find the colours of a look."""
        return cls(look, palette(look.colormap, signed=signed), signed)

    def paint(self, photo: Any, heat: Any, xp: Arrays) -> Any:
        r"""Paint one heatmap over its photograph.

        Where the heat has opacity $a$, a pixel becomes
        $a \cdot \text{colour} + (1 - a) \cdot \text{photo}$, rounded; where $a = 0$, it stays
        what it was, to the last bit.

        Args:
            photo: Shape (height, width, 3), uint8 RGB.
            heat: Shape (h, w), floats in [0, 1], or [-1, 1] if signed; resized to the photo.
            xp: The operations on arrays of their kind.

        Returns:
            Shape (height, width, 3), uint8 RGB.
        """
        size = xp.shape(photo)[:2]
        # A row more above and below, as a slope goes from one row to the next.
        heat = xp.pad(resize(heat, size, xp), ((1, 1), (0, 0)), "symmetric")
        half = half_width(size, xp)
        if xp is not HOST:
            return self._blend(photo, heat, half, xp)
        # In strips: as floats, a large photograph would take many times its memory.
        rows = max(1, _STRIP // size[1])
        return np.concatenate(
            [
                self._blend(photo[top : top + rows], heat[top : top + rows + 2], half, xp)
                for top in range(0, size[0], rows)
            ]
        )

    def _blend(self, photo: Any, framed: Any, half: Any, xp: Arrays) -> Any:
        """Paint a heatmap of a photograph's size, and a row more above and below."""
        pixels = xp.cast(photo, "float32")
        if self.look.style == "outline":
            levels, colors = self._lines()
            painted = outline(pixels, framed, half, levels, colors, self.look.opacity, xp)
        else:
            heat = framed[1:-1]
            mixture = self._mixture()
            steps = _steps(heat, len(mixture), xp, signed=self.signed)
            mixed = xp.take(mixture, steps, 0)
            painted = mixed[..., :3] + mixed[..., 3:] * pixels
        return xp.cast(xp.round(painted), "uint8")

    def _lines(self) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        """List the levels of an outline, and the colour of each."""
        levels = shades = np.array(self.look.contours)
        if self.signed:
            # Near zero both signs have much the same dark colour: lines take stronger ones.
            signs = np.array([1, -1])[:, None]
            levels, shades = (signs * levels).ravel(), (signs * (levels + 1) / 2).ravel()
        return levels, colorize(shades, self.colors, HOST, signed=self.signed)

    def _mixture(self) -> NDArray[np.float32]:
        """List each step's colour times its opacity, and what is left of the photo: (steps, 4)."""
        # Colours are multiplied here, where there are few, and not in every pixel.
        colors = self.colors
        if self.look.style == "heat":
            colors = colors.repeat(-(-_STEPS // len(colors)), 0)
            opacity = self.look.opacity * _fade(_strengths(len(colors), signed=self.signed))
        else:
            opacity = np.full(len(colors), self.look.opacity)
        over = opacity.astype(np.float32)[:, None] * colors.astype(np.float32)
        return np.concatenate([over, (1 - opacity).astype(np.float32)[:, None]], 1)


def palette(colormap: str, *, signed: bool) -> NDArray[np.uint8]:
    """List the colours of a colormap, from the lowest to the highest value.

    Args:
        colormap: A matplotlib name, or "auto".
        signed: Whether the middle is zero.

    Returns:
        Shape (colours, 3), uint8 RGB.

    Example:
        >>> palette("gray", signed=False)[[0, 255]].tolist()
        [[0, 0, 0], [255, 255, 255]]
    """
    colors = choose_colormap(colormap, signed=signed)
    return np.asarray(colors(np.arange(colors.N), bytes=True))[:, :3]


def colorize(heat: Any, colors: NDArray[np.uint8], xp: Arrays, *, signed: bool) -> Any:
    """Colour values of any shape; the last axis of the result is RGB.

    Args:
        heat: Floats in [0, 1], or [-1, 1] if signed; what lies outside is clipped.
        colors: A palette.
        xp: The operations on arrays of their kind.
        signed: Whether the middle of the palette is zero.
    """
    return xp.take(colors, _steps(heat, len(colors), xp, signed=signed), 0)


def _steps(heat: Any, count: int, xp: Arrays, *, signed: bool) -> Any:
    """Find which of a number of equal steps each value lies on."""
    low = -1 if signed else 0
    unit = (xp.clip(heat, low, 1) - low) / (1 - low)
    return xp.minimum(xp.cast(unit * count, "int32"), count - 1)


def _strengths(count: int, *, signed: bool) -> NDArray[np.float64]:
    """Say how far each step is from that of zero: 0 there, 1 at the end of its side."""
    steps = np.arange(count)
    if not signed:
        return steps / (count - 1)
    middle = (count - 1) / 2
    # Of an even number of steps, two lie beside the middle: the weakest evidence for and against.
    away = np.floor(np.abs(steps - middle))
    return away / away.max()


def _fade(strength: NDArray[np.float64]) -> NDArray[np.float64]:
    """From 0 to 1, smoothly: faint evidence hardly tints, clear evidence is seen at once."""
    share = np.minimum(strength / _FULL, 1)
    return share * share * (3 - 2 * share)
