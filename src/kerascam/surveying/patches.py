"""Which images have a like thing at their hottest place: by the colours around it."""

from collections.abc import Iterable

import numpy as np
from jaxtyping import Float, Shaped

Pixels = Shaped[np.ndarray, "height width channels"]
_LEVELS = 4  # of each channel


def colours_of(patches: Iterable[Pixels]) -> Float[np.ndarray, "images bins"]:
    """Count the colours of patches, wherever in a patch they are.

    Args:
        patches: Values from 0 to 255.

    Returns:
        The square root of how often each colour occurs, of four levels per channel: the cosine
        between two rows is the overlap of two distributions (Bhattacharyya's coefficient).

    Example:
        >>> colours_of([np.full((2, 2, 1), 200), np.array([[[0], [0]], [[0], [255]]])]).round(2)
        array([[0.  , 0.  , 0.  , 2.  ],
               [1.73, 0.  , 0.  , 1.  ]])
    """
    return np.sqrt(np.stack([_counts(patch) for patch in patches]).astype(np.float64))


def _counts(patch: Pixels) -> np.ndarray:
    channels = patch.shape[-1]
    levels = np.clip(patch.reshape(-1, channels) // (256 / _LEVELS), 0, _LEVELS - 1).astype(int)
    bins = levels @ _LEVELS ** np.arange(channels)[::-1]
    return np.bincount(bins, minlength=_LEVELS**channels)
