"""Bring a photograph to a model's size: in Python, and with other kernels in an exported graph."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from ..arrays import HOST, Arrays
from ..errors import brief

Fit = Literal["stretch", "crop"]


def check_fit(fit: Any) -> None:
    """Raise if this is not a way to fit a photograph.

    Raises:
        ValueError: If it is not "stretch" or "crop".
    """
    if not isinstance(fit, str) or fit not in get_args(Fit):
        raise ValueError(f"fit must be 'stretch' or 'crop', not {brief(fit)}")


class Kernels(NamedTuple):
    """What resizes pixels to a height and a width.

    Attributes:
        area: By the mean of the area.
        linear: Bilinearly.
    """

    area: Callable[[Any, Sequence[Any]], Any]
    linear: Callable[[Any, Sequence[Any]], Any]


@dataclass(frozen=True)
class ImageForm:
    """The form of a model's image input.

    Attributes:
        size: Height and width; None for an axis of any length.
        channels: 3 for RGB, 1 for grey.
        channels_first: Whether the channels stand before the grid.
    """

    size: tuple[int | None, int | None]
    channels: int
    channels_first: bool

    def fit(self, photo: np.ndarray, how: Fit) -> tuple[np.ndarray, np.ndarray]:
        """Bring a photo to this form, except for the place of the channels.

        Args:
            photo: Shape (height, width, 3), uint8 RGB.
            how: "stretch" or "crop".

        Returns:
            The part of the photo that the model sees, at its own resolution, and the same at the
            model's size and with its channels.
        """
        height, width = (
            own if wanted is None else wanted
            for wanted, own in zip(self.size, photo.shape[:2], strict=True)
        )
        if how == "crop" and None not in self.size:
            photo = crop(photo, (height, width))
        fitted = resize(photo, (height, width))
        return photo, to_grey(fitted) if self.channels == 1 else fitted


def shrink(photo: np.ndarray, side: int | None) -> np.ndarray:
    """Bring a photo's longer side to a length, by the mean of the area; a smaller one stays.

    Args:
        photo: Shape (height, width, 3), uint8.
        side: How long the longer side may be, in pixels; None for any length.

    Returns:
        Shape (at most height, at most width, 3), uint8.

    >>> shrink(np.zeros((30, 20, 3), np.uint8), 15).shape
    (15, 10, 3)
    """
    if side is None or max(photo.shape[:2]) <= side:
        return photo
    return resize(photo, [int(length) for length in shrunk_size(photo.shape[:2], side, HOST)])


def shrunk_size(own: Sequence[Any], side: int, xp: Arrays) -> list[Any]:
    """Scale a height and a width so that the longer one is `side`."""
    longer = xp.cast(xp.maximum(*own), "float64")
    exact = [xp.cast(length, "float64") * side / longer for length in own]
    return [xp.maximum(xp.cast(xp.round(length), "int32"), 1) for length in exact]


def crop(photo: Any, size: tuple[int, int], xp: Arrays = HOST) -> Any:
    """Cut the largest rectangle of the proportions of `size` out of the photo's middle.

    Args:
        photo: Shape (height, width, channels).
        size: A height and a width, of which only the quotient counts.
        xp: The operations on arrays of the photo's kind.

    Returns:
        A copy, at the photo's own resolution: a view would keep the whole photo in memory.

    >>> crop(np.zeros((100, 60, 3), np.uint8), (224, 224)).shape
    (60, 60, 3)
    """
    rows, columns = crop_box(xp.shape(photo)[:2], size, xp)
    return xp.copy(photo[rows, columns])


def crop_box(own: Sequence[Any], size: Sequence[int], xp: Arrays = HOST) -> tuple[slice, slice]:
    """Return the rows and columns of a photo that `crop` keeps.

    Args:
        own: The photo's height and width.
        size: As for `crop`.
        xp: As for `crop`.

    >>> rows, columns = crop_box((100, 60), (224, 224))
    >>> int(rows.start), int(rows.stop), int(columns.start), int(columns.stop)
    (20, 80, 0, 60)
    """
    height, width = own

    def cut(own: Any, other: Any, part: int, whole: int) -> Any:
        wanted = xp.round(xp.cast(other, "float64") * part / whole)
        # A whole number only after the comparison: it may be more than one can hold.
        kept = xp.minimum(xp.maximum(wanted, 1.0), xp.cast(own, "float64"))
        return xp.cast(kept, "int32")

    high, wide = cut(height, width, size[0], size[1]), cut(width, height, size[1], size[0])
    top, left = (height - high) // 2, (width - wide) // 2
    return slice(top, top + high), slice(left, left + wide)


def resize(photo: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """Resize to a height and width: a side that shrinks by the mean of the area, else bilinearly.

    Args:
        photo: Shape (height, width, channels), uint8.
        size: The height and width that the model takes.

    Returns:
        Shape (*size, channels), uint8.

    >>> resize(np.uint8([[[0], [100]], [[20], [40]]]), (1, 1)).tolist()
    [[[40]]]
    """
    resized = area_then_linear(photo, size, _OPENCV, HOST)
    return np.array(resized).reshape(*size, photo.shape[2])


def area_then_linear(photo: Any, size: Sequence[Any], kernels: Kernels, xp: Arrays) -> Any:
    """Shrink the sides that are too long by the mean of the area, then stretch the others."""
    own = xp.shape(photo)[:2]
    smaller = [xp.minimum(length, wanted) for length, wanted in zip(own, size, strict=True)]
    return kernels.linear(kernels.area(photo, smaller), size)


def to_grey(photo: np.ndarray) -> np.ndarray:
    """Turn RGB into one channel of luminance, shape (height, width, 1), uint8."""
    import cv2

    return np.asarray(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY))[..., None]


def _opencv(name: str) -> Callable[[Any, Sequence[Any]], Any]:
    def resized(photo: np.ndarray, size: Sequence[Any]) -> np.ndarray:
        import cv2

        height, width = map(int, size)
        kept = cv2.resize(photo, (width, height), interpolation=getattr(cv2, name))
        return np.asarray(kept).reshape(height, width, photo.shape[2])

    return resized


_OPENCV = Kernels(_opencv("INTER_AREA"), _opencv("INTER_LINEAR"))
