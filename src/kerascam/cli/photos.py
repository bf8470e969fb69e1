"""Read photographs and bring them to a model's size."""

from pathlib import Path

import cv2
import numpy as np

from .quiet import native_messages_held


class BadPhotoError(Exception):
    """A file that cannot be explained, with the reason; the others still can."""


def read(path: Path) -> np.ndarray:
    """Read one image file.

    Returns:
        Shape (height, width, 3), uint8 RGB: upright by its EXIF orientation; grey becomes RGB,
        an alpha channel is dropped and the colours under it kept, of several frames the first is
        taken.

    Raises:
        BadPhotoError: If it cannot be read or is no whole image.
    """
    try:
        data = np.fromfile(path, np.uint8)  # cv2.imread knows no Unicode file names on Windows
    except OSError as error:
        raise BadPhotoError((error.strerror or str(error)).lower()) from None
    if not data.size:
        raise BadPhotoError("the file is empty")
    with native_messages_held():
        try:
            pixels = cv2.imdecode(data, cv2.IMREAD_COLOR)
        except cv2.error:  # as for more pixels than OpenCV takes
            pixels = None
    if pixels is None:
        raise BadPhotoError("not an image, or a damaged one")
    return np.ascontiguousarray(pixels[..., ::-1])


def crop(photo: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Cut the largest rectangle of the proportions of `size` out of the photo's middle.

    Args:
        photo: Shape (height, width, channels).
        size: A height and a width, of which only the quotient counts.

    Returns:
        A view, at the photo's own resolution.

    >>> crop(np.zeros((100, 60, 3), np.uint8), (224, 224)).shape
    (60, 60, 3)
    """
    height, width = photo.shape[:2]
    cut_height = max(1, min(height, round(width * size[0] / size[1])))
    cut_width = max(1, min(width, round(height * size[1] / size[0])))
    top, left = (height - cut_height) // 2, (width - cut_width) // 2
    return photo[top : top + cut_height, left : left + cut_width]


def resize(photo: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize to a height and width: by the mean of the area where a side shrinks, else bilinearly.

    Args:
        photo: Shape (height, width, channels), uint8.
        size: The height and width that the model takes.

    Returns:
        Shape (*size, channels), uint8.

    >>> resize(np.uint8([[[0], [100]], [[20], [40]]]), (1, 1)).tolist()
    [[[40]]]
    """
    height, width = size
    smaller = (min(width, photo.shape[1]), min(height, photo.shape[0]))
    shrunk = cv2.resize(photo, smaller, interpolation=cv2.INTER_AREA)
    resized = cv2.resize(shrunk, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.array(resized).reshape(height, width, photo.shape[2])


def to_grey(photo: np.ndarray) -> np.ndarray:
    """Turn RGB into one channel of luminance, shape (height, width, 1), uint8."""
    return np.asarray(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY))[..., None]
