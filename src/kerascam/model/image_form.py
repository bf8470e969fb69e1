"""What images a model takes, and what it returns."""

from typing import Any

import keras

from ..pictures.fitting import ImageForm
from .specs import built_shape, input_specs


def image_form_of(model: keras.Model) -> ImageForm:
    """Find the form of the model's image input.

    Raises:
        ValueError: If it takes several inputs, or anything but images of one or three channels.
    """
    specs = input_specs(model)
    if len(specs) != 1:
        raise ValueError(
            f"model {model.name!r} takes {len(specs)} inputs, and a photograph is one: explain "
            f"arrays in Python"
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
        f"channels: explain arrays in Python"
    )


def output_shapes(model: keras.Model, form: ImageForm) -> list[tuple[int | None, ...]]:
    """Return the shape of each of the model's outputs, computing nothing."""
    outputs: Any = getattr(model, "outputs", None)
    if not outputs:
        grid, channels = form.size, (form.channels,)
        shape = (*channels, *grid) if form.channels_first else (*grid, *channels)
        outputs = model.compute_output_spec(keras.KerasTensor((None, *shape)))
    return [tuple(tensor.shape) for tensor in keras.tree.flatten(outputs)]
