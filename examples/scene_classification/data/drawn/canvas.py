"""A canvas in fractions of the picture that remembers which pixels are evidence."""

from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from scene_classification.data.drawn.palette import Color

# Pictures are drawn this many times as large and averaged down: smooth edges, and a mask that knows
# what part of a pixel is evidence.
FINENESS = 4

# OpenCV takes corners as integers; so many of their bits stand behind the point.
_BITS = 4


class Canvas:
    """Flat shapes, later ones over earlier ones, x and y from 0 to 1 from the top left.

    The fourth channel of `pixels` is the evidence: shapes drawn while `evidence` is true set it,
    all others clear it. So what stands in front of the evidence is cut out of the mask by being
    drawn.

    Args:
        side: Height and width of the finished picture, in pixels.

    Example:
        >>> canvas = Canvas(2)
        >>> canvas.evidence = True
        >>> canvas.box(0, 0, 7 / 16, 1, (200, 100, 0))
        >>> image, mask = canvas.finish()
        >>> image[0].tolist(), mask[0].tolist()
        ([[200, 100, 0], [0, 0, 0]], [True, False])
    """

    def __init__(self, side: int) -> None:
        self.pixels = np.zeros((side * FINENESS, side * FINENESS, 4), np.uint8)
        self.evidence = False

    @property
    def side(self) -> int:
        """Height and width in fine pixels."""
        return self.pixels.shape[0]

    def fill(self, points: ArrayLike, color: Color) -> None:
        """Fill a polygon given by its corners, (corners, 2) as (x, y).

        OpenCV fills the fine pixels that the outline touches as well.
        """
        cv2.fillPoly(self.pixels, [self._fixed(points)], self._ink(color), shift=_BITS)

    def box(self, left: float, top: float, right: float, bottom: float, color: Color) -> None:
        """Fill an upright rectangle."""
        self.fill(((left, top), (right, top), (right, bottom), (left, bottom)), color)

    def oval(
        self, x: float, y: float, width: float, height: float, color: Color, turn: float = 0
    ) -> None:
        """Fill an ellipse by its center and half axes, turned by so many degrees."""
        center = self._fixed([(x, y)])[0].tolist()
        axes = [max(1, round(half * self.side * 2**_BITS)) for half in (width, height)]
        ink = self._ink(color)
        cv2.ellipse(self.pixels, center, axes, turn, 0, 360, ink, cv2.FILLED, shift=_BITS)

    def stroke(self, points: ArrayLike, width: float, color: Color) -> None:
        """Draw a line through the points, at least one fine pixel wide."""
        thickness = max(1, round(width * self.side))
        corners = [self._fixed(points)]
        cv2.polylines(self.pixels, corners, False, self._ink(color), thickness, shift=_BITS)

    def fade(self, top: Color, bottom: Color) -> None:
        """Cover the whole canvas with a vertical gradient."""
        rows = np.linspace(self._ink(top), self._ink(bottom), self.side)
        self.pixels = np.repeat(np.rint(rows).astype(np.uint8)[:, None], self.side, axis=1)

    @contextmanager
    def within(self, outline: ArrayLike) -> Iterator[None]:
        """Keep what is drawn in the block only inside the outline."""
        before = self.pixels.copy()
        yield
        stencil = np.zeros(self.pixels.shape[:2], np.uint8)
        cv2.fillPoly(stencil, [self._fixed(outline)], 255, shift=_BITS)
        self.pixels = cv2.copyTo(self.pixels, stencil, before)

    def finish(self) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Average down to the picture and its mask: the pixels that are at least half evidence."""
        size = self.side // FINENESS
        small = cv2.resize(self.pixels, (size, size), interpolation=cv2.INTER_AREA)
        return np.ascontiguousarray(small[..., :3]), small[..., 3] >= 128

    def _fixed(self, points: ArrayLike) -> NDArray[np.int32]:
        # A pixel's center is at a half of the picture's coordinates, but at a whole of OpenCV's.
        pixels = np.asarray(points, np.float64) * self.side - 0.5
        return np.asarray(np.rint(pixels * 2**_BITS), np.int32)

    def _ink(self, color: Color) -> tuple[float, float, float, float]:
        red, green, blue = color
        return red, green, blue, 255 if self.evidence else 0
