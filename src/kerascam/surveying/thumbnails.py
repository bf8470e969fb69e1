"""Small pictures of a survey's images, with their heat."""

from collections.abc import Sequence

import cv2
import numpy as np

from .. import pictures
from ..pages import picture
from ..pictures import BadPhotoError
from .photos import Photos
from .survey import Survey

_SIDE = 120


class Thumbnails:
    """Draws small overlays, each as part of a page.

    Args:
        survey: The survey.
    """

    def __init__(self, survey: Survey) -> None:
        self._survey = survey
        self._photos = Photos.of(survey)

    def of(self, images: Sequence[int], *, heat: bool = True) -> str:
        """Show some images, each with its name, class and probability.

        Args:
            images: Which images.
            heat: Whether with their heat; without it, as they are if their files are still there.
        """
        if not len(images):
            return ""
        heats = np.asarray(self._survey.heatmaps(images), np.float32)
        shown = "".join(self._one(*each, over=heat) for each in zip(images, heats, strict=True))
        return f'<div class="thumbs">{shown}</div>'

    def mean(self, heat: np.ndarray, alt: str) -> str:
        """Show a mean of heat on a layer's grid."""
        drawn = pictures.encode_jpeg(draw_mean(heat, _SIDE))
        return f'<div class="thumbs">{picture(drawn, alt, alt)}</div>'

    def _one(self, index: int, heat: np.ndarray, *, over: bool) -> str:
        survey = self._survey
        key, name = str(survey.column("key")[index]), str(survey.column("class_name")[index])
        label, probability = survey.column("label")[index], survey.column("probability")[index]
        signed = bool(survey.manifest["signed"])
        try:
            if self._photos is None:
                raise BadPhotoError("no file")
            photo = self._photos.seen(index, _SIDE)
            drawn = pictures.overlay(photo, heat, signed=signed) if over else photo
        except BadPhotoError:  # not there any more, or never in a file
            drawn = pictures.colorize(heat, "auto", signed=signed)
        truth = "" if label is None or label == name else f", in truth {label}"
        measure = "" if np.isnan(probability) else f" {probability:.0%}"
        caption = f"{key.rpartition('/')[2]}: {name}{measure}{truth}"
        return picture(pictures.encode_jpeg(drawn), key, caption)


def draw_mean(heat: np.ndarray, side: int) -> np.ndarray:
    """Draw a mean of heat on a layer's grid.

    Args:
        heat: Shape (*grid), not negative.
        side: Height and width of the picture.

    Returns:
        Shape (side, side, 3), uint8 RGB.
    """
    scaled = np.asarray(heat / max(float(heat.max()), 1e-12), np.float32)
    large = cv2.resize(scaled, (side, side), interpolation=cv2.INTER_LINEAR).clip(0, 1)
    return pictures.colorize(large, "auto", signed=False)
