"""The heat of a survey on whole photographs, as other tools lay it over them."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays import HOST
from ..errors import brief
from ..pictures import BadPhotoError, crop_box, resize_heatmap, shrunk_size
from ..surveying import Photos, Survey


def conform_survey(survey: Any) -> Survey:
    """Take a survey.

    Raises:
        TypeError: If it is none.
        ValueError: If it holds no image, or its heatmaps are not of images.
    """
    if not isinstance(survey, Survey):
        raise TypeError(f"survey must be what read_survey returns, not {brief(survey)}")
    if not len(survey):
        raise ValueError("survey must hold at least one image that could be read")
    size = survey.manifest["size"]
    if size is None or len(size) != 2:
        raise ValueError(f"survey must be of images, with heatmaps of two axes, not of {size}")
    return survey


class WholePhotos:
    """The photographs of a survey, and heat on all of each, also where the model did not look.

    Args:
        survey: Of files that are still there.

    Attributes:
        cropped: Whether the model sees the middle of each alone.

    Raises:
        ValueError: If it is not of files.
    """

    def __init__(self, survey: Survey) -> None:
        photos = Photos.of(survey)
        if photos is None:
            raise ValueError("survey must be of photographs in files; this one is of a data set")
        self._survey, self._photos = survey, photos
        self.cropped = survey.manifest["settings"]["reading"]["fit"] == "crop"

    def photo(self, index: int) -> np.ndarray:
        """Return a photograph as it was read: upright, shape (height, width, 3), uint8.

        Raises:
            ValueError: If its file cannot be read any more.
        """
        return self._read(index, self._photos.whole)

    def fitted(self, index: int) -> np.ndarray:
        """Return what the model saw of a photograph, shape (*size, 3), uint8.

        Raises:
            ValueError: If its file cannot be read any more.
        """
        return self._read(index, self._photos.fitted)

    def spread(self, heat: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Lay a heatmap over a photograph; what was cropped away has none.

        Args:
            heat: Shape (height, width), as the model saw it.
            size: The photograph's height and width.

        Returns:
            Shape `size`, float32.
        """
        place = (
            crop_box(size, heat.shape) if self.cropped else (slice(0, size[0]), slice(0, size[1]))
        )
        whole = np.zeros(size, np.float32)
        seen = whole[place]
        seen[:] = resize_heatmap(heat, (seen.shape[0], seen.shape[1]))
        return whole

    def _read(self, index: int, read: Callable[[int], np.ndarray]) -> np.ndarray:
        try:
            return read(index)
        except BadPhotoError as error:
            name = str(self._survey.column("key")[index])
            raise ValueError(f"survey: {name} cannot be read any more: {error}") from None


def bounded(size: tuple[int, int], side: int) -> tuple[int, int]:
    """Bring a height and a width to a longer side; a smaller one stays.

    Example:
        >>> bounded((300, 600), 100), bounded((3, 6), 100)
        ((50, 100), (3, 6))
    """
    height, width = shrunk_size(size, min(side, max(size)), HOST)
    return int(height), int(width)
