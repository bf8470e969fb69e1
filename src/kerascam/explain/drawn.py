"""What the pictures of an explanation show: its photographs, its heatmaps, a part of them."""

from typing import Any

import numpy as np

from ..pictures import figure


def photos_of(
    explanation: Any, photos: Any, value_range: tuple[float, float] | None
) -> list[np.ndarray] | None:
    """Return what to draw on, uint8 RGB: the photos, or the inputs if they are a picture."""
    count = len(explanation)
    if photos is not None:
        return figure.to_photos(figure.as_many(photos, count), count, value_range)
    if explanation.images is None or explanation.heatmaps.ndim != 3:
        return None
    try:
        return figure.to_photos(explanation.images, count, value_range)
    except ValueError:  # preprocessed values
        if value_range is not None:
            raise
        return None


def heats_of(explanation: Any, of_pixels: bool) -> tuple[np.ndarray, str]:
    """Return the heatmaps as pictures draw them, and what 1 stands for there."""
    return figure.in_unit(explanation.heatmaps, of_pixels=of_pixels, scaled=explanation.scaled)


def deep_figure(
    values: Any, heatmaps: np.ndarray, titles: list[str], *, heading: str, unit: str, **look: Any
) -> Any:
    """Draw heatmaps of three axes: frames if the inputs are in colour, as scans never are."""
    if all(np.ndim(one) == 4 and np.shape(one)[-1] == 3 for one in values):
        return figure.frames_figure(values, heatmaps, titles, **look)
    return figure.volume_figure(values, heatmaps, titles, heading=heading, unit=unit, **look)


def part_of(values: Any, part: slice) -> Any:
    """Take a part of an array, or of each of several; None stays None."""
    if values is None:
        return None
    return tuple(each[part] for each in values) if isinstance(values, tuple) else values[part]
