"""Methods as Quantus calls them."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from ..errors import brief
from ..explain import Explainer

#: A model, images and class indices to maps, (batch, 1, *size).
ExplainFunc: TypeAlias = Callable[..., np.ndarray]


def quantus_explain_func(method: Any, **options: Any) -> ExplainFunc:
    """Make an `explain_func` of a method, for the metrics of Quantus.

    Quantus hands over the model too, for its randomisation tests one with other weights. An
    explainer is made of each model that comes, and kept until another model comes, so that it is
    compiled once. Quantus puts channels first in all that it computes with, also for models whose
    images have them last. Maps are returned so that they fit: with an axis of one channel after the
    batch. Its randomisation tests hand images over in this form too; they are brought to the
    model's.

    Args:
        method: A class of kerascam, such as `GradCAM`.
        **options: Its arguments besides the model, such as `layer="last"`.

    Returns:
        A function `explain_func(model, inputs, targets, **kwargs)` of images and class indices,
        shape (batch,), to maps of shape (batch, 1, *size). Of `kwargs` it takes Quantus's own
        `device` and ignores it.

    Raises:
        TypeError: If `method` is no class of explainers.

    Example:
        >>> import keras
        >>> from kerascam import GradCAM
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, name="last"),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)])
        >>> explain = quantus_explain_func(GradCAM, layer="last")
        >>> explain(model, inputs=np.ones((5, 8, 8, 3)), targets=np.zeros(5, int)).shape
        (5, 1, 8, 8)
    """
    if not (isinstance(method, type) and issubclass(method, Explainer)):
        raise TypeError(f"method must be a class such as kerascam.GradCAM, not {brief(method)}")
    kept: list[Explainer] = []

    def explain_func(model: Any, inputs: Any, targets: Any, *, device: Any = None) -> np.ndarray:
        del device
        if not kept or kept[0].model is not model:
            kept[:] = [method(model, **options)]
        images = _channels_where(model, np.asarray(inputs))
        return np.asarray(kept[0](images, np.asarray(targets)).heatmaps)[:, None]

    return explain_func


def _channels_where(model: Any, images: np.ndarray) -> np.ndarray:
    """Move channels from the first axis to the last if the model takes them there alone."""
    wanted = getattr(model, "input_shape", None)
    moved = np.moveaxis(images, 1, -1) if images.ndim > 2 else images
    return moved if _fits(moved, wanted) and not _fits(images, wanted) else images


def _fits(images: np.ndarray, shape: Any) -> bool:
    return (
        isinstance(shape, tuple)
        and len(shape) == images.ndim
        and all(
            wanted in (None, length) for wanted, length in zip(shape, images.shape, strict=True)
        )
    )
