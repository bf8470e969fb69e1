"""What a model takes and gives, as far as the command line must know."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from ..model import built_shape, input_specs
from . import photos


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

    def fit(self, photo: np.ndarray, how: str) -> tuple[np.ndarray, np.ndarray]:
        """Bring a photo to this form, less the place of the channels.

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
            photo = photos.crop(photo, (height, width))
        fitted = photos.resize(photo, (height, width))
        return photo, photos.to_grey(fitted) if self.channels == 1 else fitted


def image_form(model: keras.Model) -> ImageForm:
    """Find the form of the model's image input.

    Raises:
        ValueError: If it takes several inputs, or anything but images of one or three channels.
    """
    specs = input_specs(model)
    if len(specs) != 1:
        raise ValueError(
            f"model {model.name!r} takes {len(specs)} inputs; the command line explains models of "
            f"one image: use kerascam in Python for this one"
        )
    shape = built_shape(model) or specs[0].shape
    if shape is None:
        return ImageForm((None, None), 3, False)
    if len(shape) == 3 and shape[2] in (1, 3, None):
        return ImageForm((shape[0], shape[1]), shape[2] or 3, False)
    if len(shape) == 3 and shape[0] in (1, 3):
        return ImageForm((shape[1], shape[2]), shape[0], True)
    wanted = ", ".join("any" if n is None else str(n) for n in ("batch", *shape))
    raise ValueError(
        f"model {model.name!r} takes inputs of shape ({wanted}), not images of one or three "
        f"channels: use kerascam in Python for this one"
    )


def output_shapes(model: keras.Model, form: ImageForm) -> list[tuple[int | None, ...]]:
    """Give the shape of each of the model's outputs, computing nothing."""
    outputs: Any = getattr(model, "outputs", None)
    if not outputs:
        grid, channels = form.size, (form.channels,)
        shape = (*channels, *grid) if form.channels_first else (*grid, *channels)
        outputs = model.compute_output_spec(keras.KerasTensor((None, *shape)))
    return [tuple(tensor.shape) for tensor in keras.tree.flatten(outputs)]
