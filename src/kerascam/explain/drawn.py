"""What the pictures of an explanation show: its photographs, its heatmaps, a part of them."""

from typing import Any

import numpy as np

from .. import pictures


def photos_of(
    explanation: Any, photos: Any, value_range: tuple[float, float] | None
) -> list[np.ndarray] | None:
    """Return what to draw on, uint8 RGB: the photos, or the inputs if they are a picture."""
    count = len(explanation)
    if photos is not None:
        return pictures.to_photos(pictures.as_many(photos, count), count, value_range)
    if explanation.images is None or explanation.heatmaps.ndim != 3:
        return None
    try:
        return pictures.to_photos(explanation.images, count, value_range)
    except ValueError:  # preprocessed values
        if value_range is not None:
            raise
        return None


def heats_of(explanation: Any, of_pixels: bool) -> tuple[np.ndarray, str]:
    """Return the heatmaps as pictures draw them, and what 1 stands for there."""
    return pictures.in_unit(explanation.heatmaps, of_pixels=of_pixels, scaled=explanation.scaled)


def words_figure(
    tokens: Any, photos: Any, heatmaps: np.ndarray, titles: list[str], **colors: Any
) -> Any:
    """Draw texts.

    Raises:
        ValueError: If the heatmaps have more than one axis, or photos are given too.
    """
    if heatmaps.ndim != 2 or photos is not None:
        shape = "×".join(map(str, heatmaps.shape[1:]))
        raise ValueError(
            "photos do not go with tokens: leave one of them out"
            if heatmaps.ndim == 2
            else f"tokens are for texts, whose heatmaps have one axis, not {shape}"
        )
    words = pictures.tokens_of(tokens, (len(heatmaps), heatmaps.shape[1]))
    return pictures.word_figure(words, heatmaps, titles, **colors)


def values_figure(
    values: Any,
    heatmaps: np.ndarray,
    titles: list[str],
    painted: dict[str, Any],
    **colors: Any,
) -> Any:
    """Draw heatmaps of one axis or of three over the values of the input."""
    colors["argument"] = "photos"
    if values is None:
        raise ValueError("photos must be given: the model has no input on the heatmaps' axes")
    if heatmaps.ndim == 2:
        return pictures.signal_figure(values, heatmaps, titles, **colors)
    if heatmaps.ndim == 4:
        return _deep_figure(values, heatmaps, titles, **painted, **colors)
    raise ValueError(f"plot cannot draw heatmaps of shape {heatmaps.shape}")


def _deep_figure(
    values: Any, heatmaps: np.ndarray, titles: list[str], *, heading: str, unit: str, **look: Any
) -> Any:
    """Draw heatmaps of three axes: frames if the inputs are in colour, as scans never are."""
    if all(np.ndim(one) == 4 and np.shape(one)[-1] == 3 for one in values):
        return pictures.frames_figure(values, heatmaps, titles, **look)
    return pictures.volume_figure(values, heatmaps, titles, heading=heading, unit=unit, **look)


def part_of(values: Any, part: slice) -> Any:
    """Take a part of an array, or of each of several; None stays None."""
    if values is None:
        return None
    return tuple(each[part] for each in values) if isinstance(values, tuple) else values[part]
