"""The photographs of a survey, read again."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from ..pictures import ImageForm, Reading, read_photo, shrink
from .survey import Survey

_KEPT = 4096  # in memory


class Photos:
    """Reads the photographs of a survey as they were read for it.

    Args:
        survey: Of files.
        form: What they are fitted to.
    """

    def __init__(self, survey: Survey, form: ImageForm) -> None:
        reading = survey.manifest["settings"]["reading"]
        self._survey, self._form, self._fit = survey, form, reading["fit"]
        self._how = Reading(reading["max_pixels"], reading["depth"])
        self._kept = lru_cache(_KEPT)(self._read_fitted)

    @classmethod
    def of(cls, survey: Survey) -> Photos | None:
        """Return the photographs of a survey; None if it is of a data set."""
        reading = survey.manifest["settings"]["reading"]
        return None if not reading else cls(survey, ImageForm(tuple(reading["size"]), 3, False))

    def whole(self, index: int) -> np.ndarray:
        """Return a photograph as it was read, with what the model does not see.

        Raises:
            BadPhotoError: If the file is not there any more.
        """
        return read_photo(self._survey.path(index) or Path(), self._how)[0]

    def fitted(self, index: int) -> np.ndarray:
        """Return what the model is given of an image, before preprocessing.

        Raises:
            BadPhotoError: If the file is not there any more.
        """
        return self._kept(index)

    def seen(self, index: int, side: int) -> np.ndarray:
        """Return the part of a photograph that the model sees, made smaller.

        Raises:
            BadPhotoError: If the file is not there any more.
        """
        return shrink(self._read(index)[0], side)

    def _read_fitted(self, index: int) -> np.ndarray:
        return self._read(index)[1]

    def _read(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        return self._form.fit(self.whole(index), self._fit)
