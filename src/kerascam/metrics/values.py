"""Changed images in the type of those that they are made of."""

import numpy as np

from .._host_types import HostImages


def like(images: HostImages, changed: np.ndarray) -> np.ndarray:
    """Return images in the type of others; whole numbers are rounded, and kept in its range."""
    if images.dtype.kind not in "iu":
        return changed.astype(images.dtype)
    limits = np.iinfo(images.dtype)
    return np.clip(np.rint(changed), limits.min, limits.max).astype(images.dtype)
