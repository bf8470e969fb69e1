"""From a program's outputs to an explanation."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..maps import STATUSES
from .asking import check_fits
from .explanation import Explanation
from .program import Program
from .records import description_of


def explanation_of(
    explainer: Any,
    program: Program,
    arrays: Sequence[np.ndarray],
    found: Mapping[str, Any],
    notes: tuple[str, ...],
) -> Explanation:
    """Bring a program's tensors to the user.

    Args:
        explainer: Who asked.
        program: What was run.
        arrays: The inputs.
        found: What it gave.
        notes: What is known of these inputs.

    Raises:
        ValueError: If the layer does not suit the method.
    """
    maps = [each.numpy() for each in found["maps"]]
    errors = [None if each is None else each.numpy() for each in found["standard_errors"]]
    check_fits(found["fits"], explainer.method, explainer.layer)
    return Explanation(
        heatmaps=found["heatmaps"].numpy(),
        maps=_of_layers(maps),
        classes=found["classes"].numpy(),
        scores=found["scores"].numpy(),
        probabilities=found["probabilities"].numpy(),
        layer=explainer.layer or "",
        method=explainer.method.name,
        statuses=tuple(STATUSES[code] for code in found["statuses"].numpy()),
        class_names=explainer.class_names,
        notes=explainer.programs.notes + program.notes + notes,
        signed=explainer.keeps_sign,
        scaled=explainer.scales,
        images=_images(program, arrays),
        predictions=None if found["predictions"] is None else found["predictions"].numpy(),
        layers=explainer.layers,
        described=description_of(explainer.method),
        standard_errors=None if any(each is None for each in errors) else _of_layers(errors),
        residual=None if found["residual"] is None else found["residual"].numpy(),
    )


def _of_layers(maps: Sequence[Any]) -> Any:
    """Return those of the only layer, or a tuple of those of all."""
    return maps[0] if len(maps) == 1 else tuple(maps)


def _images(program: Program, arrays: Sequence[np.ndarray]) -> np.ndarray | None:
    """Return the images, features last, on the heatmaps' axes; None if they have others."""
    if program.image_place is None or program.axes is None:
        return None
    # A copy: the caller may fill the same array with the next batch.
    images = arrays[program.image_place].copy()
    images = program.input_form.images(images)
    if len(program.axes) + len(program.places) < images.ndim - 2:
        return None
    for axis, place in sorted(program.places, reverse=True):
        images = images.take(place, axis + 1)
    return images
