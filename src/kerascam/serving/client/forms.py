"""What each output of an answer must be, by the manifest and by what was asked: one table."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import EllipsisType
from typing import TypeAlias

import numpy as np

from ... import signatures as names
from ...pictures.pixels import SLACK
from ...statuses import STATUSES
from ..words import is_map
from .batch import Batch
from .manifest import Manifest

#: The length of each axis; None for any length, ... for any number of axes.
Shape: TypeAlias = tuple[int | EllipsisType | None, ...]


@dataclass(frozen=True)
class Form:
    """What an output must be.

    Attributes:
        shapes: One of these.
        least: The smallest number.
        most: The largest number.
        may_be_unknown: Whether NaN may stand for a number.
        among: The texts that may occur; None for any.
        needed: Whether it may not be missing.
    """

    shapes: Sequence[Shape]
    least: float = -np.inf
    most: float = np.inf
    may_be_unknown: bool = False
    among: frozenset[str] | None = None
    needed: bool = True


def manifest_forms() -> dict[str, Form]:
    """List the only output of a question for the manifest."""
    return {names.MANIFEST: Form([(1,)])}


def identity_forms(batch: int) -> dict[str, Form]:
    """List the output that says which export answered."""
    return {names.MANIFEST_ID: Form([(batch,)])}


def prediction_forms(manifest: Manifest, batch: int) -> dict[str, Form]:
    """List the outputs of a prediction."""
    class_names = manifest.class_names
    last = np.iinfo(np.int32).max if class_names is None else len(class_names) - 1
    # One unit under a sigmoid stands for two classes.
    units = (
        [None]
        if class_names is None
        else [len(class_names), *([1] if len(class_names) == 2 else [])]
    )
    per_class = [(batch, ..., count) for count in units]
    return {
        names.CLASS_INDEX: Form([(batch,)], 0, last),
        names.CLASS_NAME: Form([(batch,)], needed=False),
        names.PROBABILITIES: Form(per_class, 0, 1, may_be_unknown=True, needed=False),
        names.OUTPUTS: Form([(batch, ...)], may_be_unknown=True, needed=False),
    }


def explanation_forms(manifest: Manifest, batch: Batch, maps: Sequence[str]) -> dict[str, Form]:
    """List the outputs of an explanation.

    Args:
        manifest: Of the model that was asked.
        batch: What was sent.
        maps: The names of the raw maps that must have come.
    """
    size, facts = len(batch), manifest.facts
    least, most = (-1 if facts["signed"] else 0, 1) if facts["scaled"] else (-np.inf, np.inf)
    forms = prediction_forms(manifest, size) | {
        names.PROBABILITY: Form([(size,)], 0, 1, may_be_unknown=True),
        names.SCORE: Form([(size,)], may_be_unknown=True),
        names.STATUS: Form([(size,)], among=frozenset(STATUSES)),
        names.HEATMAP: Form(_heatmap_shapes(manifest, batch), least - SLACK, most + SLACK),
    }
    if batch.files is not None:
        forms[names.OVERLAY_BYTES] = Form([(size,)])
    return forms | dict.fromkeys(maps, Form([(size, None, ...)]))


def map_names(manifest: Manifest, came: Sequence[str]) -> list[str]:
    """List the raw maps that an explanation must have.

    Args:
        manifest: Of the model that was asked.
        came: The names of all outputs that came: how many layers there are, only they tell.

    Returns:
        The only layer's, or one for each of several layers, in order; none where they were not
        exported.
    """
    maps = list(filter(is_map, came))
    if not manifest.facts.get("raw_maps", bool(maps)):
        return []
    if names.MAP in maps or not maps:
        return [names.MAP]
    return [f"{names.MAP}_{place}" for place in range(max(2, len(maps)))]


def _heatmap_shapes(manifest: Manifest, batch: Batch) -> list[Shape]:
    """List what the heatmaps of a batch may measure: as the images that they lie on."""
    facts, size = manifest.facts, len(batch)
    ground, photographs = facts.get("heatmap"), facts.get("photographs")
    if ground is not None and ground["input"] is None:
        return [(size, None, ...)]
    if batch.files is not None and photographs is not None:
        return [(size, *photographs["size"])]
    given = {name: array.shape[1:] for name, array in batch.arrays.items()} or {
        name: tuple(form["shape"][1:]) for name, form in facts["inputs"].items()
    }
    if ground is not None:
        shape = list(given[ground["input"]])
        channel = ground.get("channel_axis", 0 if ground["channels_first"] else -1)
        if channel is not None:
            del shape[channel]
        return [(size, *shape)]
    return [
        (size, *grid)
        for shape in given.values()
        if len(shape) > 1
        for grid in (shape[:-1], shape[1:])
    ]


def fits(shape: tuple[int, ...], wanted: Shape) -> bool:
    """Tell whether a shape is the one that is wanted.

    Example:
        >>> fits((2, 7, 7, 10), (2, ..., 10)), fits((2, 10), (2, ..., 10)), fits((2,), (2, None))
        (True, True, False)
    """
    if ... in wanted:
        place = wanted.index(...)
        free = len(shape) - len(wanted) + 1
        wanted = (*wanted[:place], *[None] * free, *wanted[place + 1 :])
    return len(shape) == len(wanted) and all(
        want is None or want == have for want, have in zip(wanted, shape, strict=True)
    )
