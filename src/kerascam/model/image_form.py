"""What images a model takes, and what it returns."""

from collections.abc import Sequence
from typing import Any

import keras

from ..pictures import ImageForm
from .specs import built_shape, input_specs

_LAST, _FIRST = "hwc", "chw"


def image_form_of(model: keras.Model, axes: str | None = None) -> ImageForm:
    """Find the form of the model's image input.

    Args:
        model: The model.
        axes: "hwc" or "chw", if the shape does not tell.

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
        return ImageForm((None, None), 3, axes == _FIRST)
    for order in (_LAST, _FIRST) if axes is None else (axes,):
        form = _read(shape, order)
        if form is not None:
            return form
    wanted = ", ".join("any" if n is None else str(n) for n in ("batch", *shape))
    raise ValueError(
        f"model {model.name!r} takes inputs of shape ({wanted}), not images of one or three "
        f"channels: explain arrays in Python"
    )


def _read(shape: Sequence[int | None], axes: str) -> ImageForm | None:
    """Read a shape as that of an image; None if it does not have one or three channels."""
    if len(shape) != 3:
        return None
    first = axes == _FIRST
    channels = shape[0 if first else 2]
    if channels not in (1, 3) and (first or channels is not None):
        return None
    height, width = shape[1:] if first else shape[:2]
    return ImageForm((height, width), channels or 3, first)


def output_shapes(model: keras.Model, form: ImageForm) -> list[tuple[int | None, ...]]:
    """Return the shape of each of the model's outputs, computing nothing."""
    outputs: Any = getattr(model, "outputs", None)
    if not outputs:
        grid, channels = form.size, (form.channels,)
        shape = (*channels, *grid) if form.channels_first else (*grid, *channels)
        outputs = model.compute_output_spec(keras.KerasTensor((None, *shape)))
    return [tuple(tensor.shape) for tensor in keras.tree.flatten(outputs)]
