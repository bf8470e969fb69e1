"""Cut a photograph along its edges into superpixels, for methods that hide segments."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import number_in, real_number
from ..errors import brief
from .pixels import to_uint8_rgb


def superpixels(
    image: ArrayLike,
    count: int = 50,
    *,
    compactness: float = 10.0,
    value_range: tuple[float, float] | None = None,
) -> NDArray[np.int32]:
    """Cut an image into superpixels of similar colour by SLIC.

    For `segments=` of `LIME`, `KernelSHAP`, `SobolAttribution`, `HSICAttribution` and `XRAI`:
    regions that follow the edges of objects, in place of a grid. They are of one image: explain it
    alone with them.

    Args:
        image: Shape (height, width, 3), or one channel, of any usual range, as `overlay` takes it.
        count: About how many superpixels; there may be a few more or less.
        compactness: How much nearness counts beside colour: larger ones are squarer.
        value_range: The values of black and of white, if they are not 0 and 1, or 0 and 255.

    Returns:
        Shape (height, width), int32: the superpixel of each pixel, from 0 on.

    Raises:
        ImportError: If scikit-image is not installed; the extra `superpixels` brings it.
        TypeError: If an argument has a wrong type.
        ValueError: If `image` is no one image, or a value is out of its range.

    Example:
        >>> import numpy as np
        >>> from kerascam import superpixels
        >>> halves = np.zeros((32, 32, 3))
        >>> halves[:, 13:] = 1
        >>> labels = superpixels(halves, count=16)
        >>> set(labels[:, :13].ravel()) & set(labels[:, 13:].ravel())  # none lies on both sides
        set()
    """
    count = number_in("count", count, 2)
    if real_number("compactness", compactness) <= 0:
        raise ValueError(f"compactness must be greater than 0, not {brief(compactness)}")
    pixels = to_uint8_rgb(image, value_range=value_range)
    if pixels.ndim != 3:
        raise ValueError(
            f"image must be one image, (height, width, channels), not a batch of shape "
            f"{np.shape(image)}: cut each image by itself"
        )
    slic = _slic()
    labels = slic(pixels, n_segments=count, compactness=compactness, start_label=0)
    return np.asarray(labels, np.int32)


def _slic() -> Any:
    try:
        from skimage.segmentation import slic
    except ImportError as error:
        raise ImportError(
            "superpixels needs scikit-image: pip install scikit-image, or the extra superpixels"
        ) from error
    return slic
