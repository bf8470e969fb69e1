"""What an image may be recognized by: a place, the border, an object, a tint."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Shaped

Pixels = Shaped[np.ndarray, "batch height width channels"]
#: The side of a place and of an object, in shares of the image's sides.
SIDE = 0.25
#: How wide the border is on each side, in shares of the image's sides.
FRAME = 0.08


class Cue(ABC):
    """A part of images that can be taken over from one image to another.

    Attributes:
        kind: Its name.
    """

    kind: str

    @abstractmethod
    def transplanted(
        self, donors: Pixels, peaks: Float[np.ndarray, "batch 2"], hosts: Pixels
    ) -> Pixels:
        """Take the cue from each donor into a host.

        Args:
            donors: Shape (batch, height, width, channels).
            peaks: Where each donor's heat is greatest, in shares of height and width.
            hosts: Of the donors' shape.

        Returns:
            New hosts.
        """

    @abstractmethod
    def words(self) -> str:
        """Say what it is, to follow "share"."""


@dataclass(frozen=True)
class PlaceCue(Cue):
    """What images have in common at one place, such as a watermark: the mean of it.

    A subject that happens to stand there does not survive the mean; what is fixed does.

    Attributes:
        centre: The middle of the place, in shares of height and width.
    """

    centre: tuple[float, float]
    kind: str = "place"

    def transplanted(
        self, donors: Pixels, peaks: Float[np.ndarray, "batch 2"], hosts: Pixels
    ) -> Pixels:
        """Take the cue from each donor into a host."""
        made = hosts.copy()
        rows, columns = _box(self.centre, donors.shape[1:3])
        made[:, rows, columns] = donors[:, rows, columns].mean(0).round()
        return made

    def words(self) -> str:
        """Say what it is."""
        return f"something {self.where()}"

    def where(self) -> str:
        """Word the place."""
        names = (("top", "middle", "bottom"), ("left", "centre", "right"))
        parts = [name[min(int(3 * c), 2)] for name, c in zip(names, self.centre, strict=True)]
        if parts == ["middle", "centre"]:
            return "in the middle"
        return f"at the {parts[0]} {parts[1]}"


@dataclass(frozen=True)
class BorderCue(Cue):
    """What runs along all sides of the image, such as a frame."""

    kind: str = "border"

    def transplanted(
        self, donors: Pixels, peaks: Float[np.ndarray, "batch 2"], hosts: Pixels
    ) -> Pixels:
        """Take the cue from each donor into a host."""
        height, width = hosts.shape[1:3]
        deep, wide = max(1, round(FRAME * height)), max(1, round(FRAME * width))
        made = donors.copy()
        made[:, deep : height - deep, wide : width - wide] = hosts[
            :, deep : height - deep, wide : width - wide
        ]
        return made

    def words(self) -> str:
        """Say what it is."""
        return "what runs along the borders"


@dataclass(frozen=True)
class ObjectCue(Cue):
    """What stands where each image's own heat is greatest, wherever that is."""

    kind: str = "object"

    def transplanted(
        self, donors: Pixels, peaks: Float[np.ndarray, "batch 2"], hosts: Pixels
    ) -> Pixels:
        """Take the cue from each donor into a host."""
        made = hosts.copy()
        for place, peak in enumerate(peaks):
            rows, columns = _box(tuple(peak), donors.shape[1:3])
            made[place, rows, columns] = donors[place, rows, columns]
        return made

    def words(self) -> str:
        """Say what it is."""
        return "a small thing at the hottest place of each image, wherever that is"


@dataclass(frozen=True)
class TintCue(Cue):
    """The colours of the image as a whole: mean and spread of each channel, away from the borders.

    So that a coloured frame is no tint.
    """

    kind: str = "tint"

    def transplanted(
        self, donors: Pixels, peaks: Float[np.ndarray, "batch 2"], hosts: Pixels
    ) -> Pixels:
        """Take the cue from each donor into a host."""
        (donor_mean, donor_spread), (mean, spread) = _colours(donors), _colours(hosts)
        made = (hosts - mean) * (donor_spread / np.maximum(spread, 1)) + donor_mean
        return np.clip(np.round(made), 0, 255).astype(hosts.dtype)

    def words(self) -> str:
        """Say what it is."""
        return "the colours of the whole image"


def part_around(pixels: np.ndarray, centre: Float[np.ndarray, " 2"]) -> np.ndarray:
    """Cut out the part of an image that an object may fill.

    Args:
        pixels: Shape (height, width, channels).
        centre: Its middle in shares of height and width; the part is moved inside the image.
    """
    return pixels[_box(tuple(centre), pixels.shape[:2])]


def _box(centre: tuple[float, ...], size: tuple[int, ...]) -> tuple[slice, slice]:
    """Return the rows and columns of a place, moved inside the image."""
    parts = []
    for middle, length in zip(centre, size, strict=True):
        side = max(1, round(SIDE * length))
        start = min(max(round(middle * length - side / 2), 0), length - side)
        parts.append(slice(start, start + side))
    return parts[0], parts[1]


def _colours(pixels: Pixels) -> tuple[np.ndarray, np.ndarray]:
    deep, wide = (round(2 * FRAME * length) for length in pixels.shape[1:3])
    inner = pixels[:, deep : pixels.shape[1] - deep, wide : pixels.shape[2] - wide]
    return inner.mean((1, 2), keepdims=True), inner.std((1, 2), keepdims=True)
