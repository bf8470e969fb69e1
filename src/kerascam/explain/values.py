"""Notes on the values that a model is given, if its first layers were made for others."""

from collections.abc import Sequence

import keras
import numpy as np

from ..model import entrance_of

_SAMPLE = 4096  # values that are looked at first: a batch of other values is known by a few


def value_notes(layers: Sequence[keras.Layer], images: np.ndarray) -> tuple[str, ...]:
    """Say that images have other values than the model's first layers were made for.

    Args:
        layers: Those with which the model begins; see `scaling_layers`.
        images: As the model takes them.
    """
    known = entrance_of(layers) if layers and images.ndim == 4 else None
    if known is None:
        return ()
    if known.takes_bytes and _are_shares(images):
        low = "0" if images.min() >= 0 else "-1"
        return (
            f"the images lie from {low} to 1, but the model begins with layer {known.name}, which "
            f"is made for 0 to 255: leave out the scaling before the model",
        )
    if known.takes_shares and _are_bytes(images):
        return (
            f"the images hold values up to {images.max():.4g}, but the model begins with layer "
            f"{known.name}, which is made for 0 to 1: divide them by 255",
        )
    return ()


def _are_shares(images: np.ndarray) -> bool:
    """Tell whether these are photographs scaled to [0, 1] or [-1, 1], not black ones."""
    flat = images.reshape(-1)
    sample = flat[:: max(1, flat.size // _SAMPLE)]
    if np.abs(sample).max() > 1 or np.abs(flat).max() > 1:
        return False
    # Whole numbers are black pixels, or a mask; values of little spread may be a black photograph.
    return bool(np.any(sample != np.round(sample)) and flat.max() > 0.25 and np.std(sample) > 0.05)


def _are_bytes(images: np.ndarray) -> bool:
    """Tell whether these are photographs of values from 0 to 255."""
    low, high = images.min(), images.max()
    return bool(low >= 0 and 32 < high <= 255)
