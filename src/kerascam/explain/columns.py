"""What a table over many images keeps of each: raw maps and numbers, and no heatmaps."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from keras import ops

from .._host_types import HostClassIds, HostHeatmaps, HostScores
from ..maps import STATUSES
from ..registry import Method
from .asking import check_fits
from .cache import Programs
from .explainer import Explainer
from .handing import Placed, placed_as
from .program import Program, heatmaps_of


class Columns(NamedTuple):
    """What is known of a batch, image by image, and where its maps lie.

    Attributes:
        maps: The method's own values, one array of shape (batch, *grid) per layer.
        relevance: What each feature adds to the map, one array of shape (batch, features) per
            layer; None if the map is no sum over features.
        classes: Shape (batch,): what is explained.
        scores: Shape (batch,).
        probabilities: Shape (batch,); NaN if the model returns none.
        statuses: One per image.
        size: The lengths of the heatmaps' axes; None if maps stay on their own grid.
        placed: Where the cells of each map lie; None if they cover all of the images.
        notes: What the user should know.
    """

    maps: tuple[Any, ...]
    relevance: tuple[np.ndarray, ...] | None
    classes: HostClassIds
    scores: HostScores
    probabilities: HostScores
    statuses: tuple[str, ...]
    size: tuple[int, ...] | None
    placed: tuple[Placed | None, ...]
    notes: tuple[str, ...]


def with_relevance(explainer: Explainer) -> Explainer:
    """Return an explainer of the same that computes too what each feature adds to the map.

    It compiles on its own, and shares nothing with the one that is given.
    """
    made, own = explainer.__copy__(), explainer.programs
    recipe = replace(own.recipe, relevance=True)
    made.programs = Programs(own.model, recipe, own.sites, own.call_index, own.freeze, own.notes)
    return made


def columns_of(explainer: Explainer, images: Any, classes: Any = None) -> Columns:
    """Explain a batch, and bring to NumPy what a table keeps; errors are those of the explainer.

    Args:
        explainer: One of `with_relevance`.
        images: As for a call of the explainer.
        classes: As for a call of the explainer.
    """
    asked, found = explainer._answered(images, classes, explainer.programs.of, None)
    program: Program = asked.compiled
    check_fits(found["fits"], explainer.method, explainer.layer)
    maps = tuple(each.numpy() for each in found["maps"])
    relevance = found["relevance"]
    on_images = program.image_place is not None and program.axes is not None
    return Columns(
        maps=maps,
        relevance=None if relevance is None else tuple(each.numpy() for each in relevance),
        classes=found["classes"].numpy(),
        scores=found["scores"].numpy(),
        probabilities=found["probabilities"].numpy(),
        statuses=tuple(STATUSES[code] for code in found["statuses"].numpy()),
        size=tuple(map(int, found["heatmaps"].shape[1:])) if on_images else None,
        placed=_placed(explainer.method, program, maps),
        notes=explainer.programs.notes + program.notes + explainer.programs.doubts,
    )


def _placed(method: Method, program: Program, maps: Sequence[Any]) -> tuple[Placed | None, ...]:
    if not method.of_each_layer:
        return (None,) * len(maps)
    return tuple(
        placed_as(form) if len(form.edges) == each.ndim - 1 else None
        for form, each in zip(program.forms, maps, strict=True)
    )


def heatmaps_from(
    maps: Sequence[Any],
    method: Method,
    normalize: str,
    size: Sequence[int] | None,
    placed: Sequence[Placed | None],
) -> HostHeatmaps:
    """Draw the heatmaps that an explainer would have returned with these raw maps.

    Args:
        maps: One array of shape (batch, *grid) per layer.
        method: What computed them.
        normalize: How heatmaps are scaled.
        size: The lengths of the heatmaps' axes; None if maps stay on their own grid.
        placed: Where the cells of each map lie; None if they cover all of the images.
    """
    tensors = [ops.convert_to_tensor(each) for each in maps]
    made = heatmaps_of(tensors, method, normalize, None if size is None else list(size), placed)
    return np.asarray(ops.convert_to_numpy(made))
