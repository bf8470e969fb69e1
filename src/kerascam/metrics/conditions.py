"""What a metric requires of a map and its mask; each check says why a figure is missing."""

import numpy as np
from jaxtyping import Bool

from .._host_types import HostHeatmaps, HostMasks
from ..errors import brief

Flags = Bool[np.ndarray, " batch"]


def varies(heatmaps: HostHeatmaps) -> Flags:
    """The map is the same everywhere, so that it puts the pixels in no order."""
    flat = heatmaps.reshape(len(heatmaps), -1)
    return flat.max(1) > flat.min(1)


def shows(heatmaps: HostHeatmaps) -> Flags:
    """The map is zero everywhere."""
    return np.any(heatmaps.reshape(len(heatmaps), -1) != 0, axis=1)


def attributions_vary(attributions: HostHeatmaps) -> Flags:
    """The map is the same everywhere, so that all parts of equal size have the same sum."""
    return varies(attributions)


def attributions_show(attributions: HostHeatmaps) -> Flags:
    """The map is zero everywhere."""
    return shows(attributions)


def shows_evidence(heatmaps: HostHeatmaps) -> Flags:
    """The map shows no evidence for the class: it is nowhere above zero."""
    return np.any(heatmaps.reshape(len(heatmaps), -1) > 0, axis=1)


def marked(masks: HostMasks) -> Flags:
    """The mask is empty."""
    return np.any(masks.reshape(len(masks), -1), axis=1)


def marked_in_part(masks: HostMasks) -> Flags:
    """The mask is empty, or covers the whole image."""
    flat = masks.reshape(len(masks), -1)
    return np.any(flat, axis=1) & ~np.all(flat, axis=1)


def check_alike(heatmaps: HostHeatmaps, **others: np.ndarray) -> None:
    """Raise if maps are not on the grid of what they are compared with, or not finite.

    Args:
        heatmaps: Shape (batch, *size).
        **others: Images, with a last axis of channels, or masks.

    Raises:
        ValueError: If a shape differs, or a map holds NaN or infinity.
    """
    for name, other in others.items():
        shape = other.shape[:-1] if name == "images" else other.shape
        if shape != heatmaps.shape:
            raise ValueError(
                f"heatmaps of shape {heatmaps.shape} do not fit {name} of shape {other.shape}: "
                f"resize {name} to the heatmaps' grid, or the heatmaps to theirs"
            )
    if not np.isfinite(heatmaps).all():
        bad = int(np.argmin(np.isfinite(heatmaps).reshape(len(heatmaps), -1).all(1)))
        raise ValueError(f"heatmaps must be finite; map {bad} holds NaN or infinity")


def where(defined: Flags, figures: np.ndarray) -> np.ndarray:
    """Return the figures, NaN where they are not defined."""
    return np.where(defined, figures, np.nan)


def check_share(name: str, value: float) -> None:
    """Raise a ValueError if an option is not a share from 0 to 1."""
    if not 0 <= value <= 1:
        raise ValueError(f"{name} must be from 0 to 1, not {brief(value)}")
