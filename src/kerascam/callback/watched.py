"""What a training watches: a few of the images, what they are asked for, what is drawn on."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._host_types import HostClassIds
from ..arguments import conform_classes
from ..explain import Explainer, Explanation
from ..inputs import InputSpec, conform
from ..model import input_specs
from ..pictures import Style, as_many, shrink, to_photos

LARGEST = 512  # pixels: longer sides are shrunk once, or pictures would cost more than maps


class Watched(NamedTuple):
    """The images that are explained at every epoch, and the explainer that sees the weights of now.

    Attributes:
        explainer: Compiled once.
        images: As it takes them, at most `limit`; copies.
        classes: Shape (batch,); None for the class that is predicted at the time.
        photos: What is drawn on, (height, width, 3) uint8 RGB each.
        gives_probabilities: Whether the explained output ends in a softmax or sigmoid.
        style: The style of the overlays.
    """

    explainer: Explainer
    images: Any
    classes: HostClassIds | None
    photos: list[NDArray[np.uint8]]
    gives_probabilities: bool
    style: Style

    def explain(self) -> tuple[Explanation, list[NDArray[np.uint8]]]:
        """Explain the images with the weights of now, and draw an overlay of each."""
        found = self.explainer(self.images, self.classes, progress=False)
        photos = enumerate(self.photos)
        return found, [
            found[place].overlay(photo[None], style=self.style)[0] for place, photo in photos
        ]


def watch(
    explainer: Explainer, images: Any, classes: Any, photos: Any,
    value_range: tuple[float, float] | None, style: Style = "heat", *, limit: int,
) -> Watched:  # fmt: skip
    """Take the first images and their part of the classes and photos, and explain them once.

    Args:
        explainer: An explainer of a built model.
        images: As the explainer takes them.
        classes: As the explainer takes them; one for all, or one per image.
        photos: One per image, or None for the images themselves.
        value_range: The values of black and of white of what is drawn on.
        style: The style of the overlays.
        limit: Images taken at most.

    Raises:
        TypeError: If images are not numbers or classes neither integers nor names.
        ValueError: If images do not fit the model, classes or photos are not as many or do not
            fit, or nothing can be drawn on.
    """
    specs = input_specs(explainer.model, images)
    front, counted = _front(images, specs, limit)
    arrays = conform(front, specs)
    count = len(arrays[0]) if counted is None else counted
    wanted = None
    if classes is not None:
        wanted = conform_classes(classes, count, None, explainer.class_names)[:limit]
    if photos is not None:
        photos = as_many(photos, count, "images")[:limit]
    taken = [array[:limit].copy() for array in arrays]  # the caller may fill the same array again
    few: Any = taken if len(taken) > 1 else taken[0]
    if isinstance(images, Mapping):
        few = dict(zip((spec.name for spec in specs), taken, strict=True))
    drawn_on = canvas(explainer(few, wanted, progress=False), photos, value_range)
    program = explainer.programs.of(specs, few, taken)
    return Watched(explainer, few, wanted, drawn_on, program.gives_probabilities, style)


def canvas(
    explanation: Explanation, photos: Any, value_range: tuple[float, float] | None = None
) -> list[NDArray[np.uint8]]:
    """Return what the heatmaps are drawn on, no side longer than `LARGEST` pixels.

    Args:
        explanation: The explanation of the watched images.
        photos: One a heatmap, or None for the images themselves.
        value_range: The values of black and of white.

    Raises:
        ValueError: If the heatmaps are not two-dimensional, or photos are needed and missing.
    """
    if photos is None:
        explanation.overlay(value_range=value_range)  # raises if the images are not pictures
        photos = explanation.images
    elif explanation.heatmaps.ndim != 3:
        raise ValueError(
            "images must be two-dimensional to be drawn at every epoch; their heatmaps have shape "
            f"{explanation.heatmaps.shape}: explain and plot() them after training"
        )
    return [shrink(photo, LARGEST) for photo in to_photos(photos, len(explanation), value_range)]


def _front(images: Any, specs: Sequence[InputSpec], limit: int) -> tuple[Any, int | None]:
    """Take the first images before anything is converted: a validation set may be large.

    Nothing is cut if an input is not a batch, or batches differ in size: the error that
    follows shall say their true shapes.

    Returns:
        The first images, and how many there were; None if all was left whole.
    """
    shapes: dict[Any, Sequence[int | None] | None] = {spec.name: spec.shape for spec in specs}
    given: dict[Any, Any]
    if isinstance(images, Mapping):
        given = dict(images)
    elif len(specs) == 1:
        given = dict.fromkeys(shapes, images)
    elif isinstance(images, (list, tuple)) and len(images) == len(specs):
        given = dict(zip(shapes, images, strict=True))
    else:
        return images, None
    counts = {
        len(each) if _is_batch(each, shapes.get(name)) else None for name, each in given.items()
    }
    if None in counts or len(counts) != 1:
        return images, None
    first = {name: each[:limit] for name, each in given.items()}
    few = first if isinstance(images, Mapping) else list(first.values())
    return (few if len(specs) > 1 or few is first else few[0]), counts.pop()


def _is_batch(value: Any, shape: Sequence[int | None] | None) -> bool:
    rank = getattr(value, "ndim", 0)
    if isinstance(value, (list, tuple)) and value:
        rank = 1 + getattr(value[0], "ndim", -1)  # an array for each image
    return bool(rank > 1 if shape is None else rank == len(shape) + 1)
