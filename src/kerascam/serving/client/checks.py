"""What each output of an answer must be, and whether all of them agree with each other."""

import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import EllipsisType
from typing import TypeAlias

import numpy as np

from ... import signatures as names
from ...pictures import SLACK
from ...statuses import OK, STATUSES
from ..words import Kind, is_map, kind_of
from .batch import Batch
from .connection import Tensors
from .errors import ServingError
from .manifest import Manifest

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_FIRST, _LAST = b"IHDR", b"IEND"
_AROUND = 12  # bytes of a chunk beside its content: length, kind and checksum
_FIX = "check that it is a model of kerascam.export"
# Probabilities may be rounded: to nine digits, or by a model of half precision.
_NEAR = 1e-3
_NEAR_ONE = 0.02  # of the sum of many

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
        manifest: The manifest of the model that was asked.
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
        manifest: The manifest of the model that was asked.
        came: The names of all outputs that came: how many layers there are, only they tell.

    Returns:
        The only layer's, or one for each of several layers, in order; none if they were not
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


def is_whole_png(data: bytes) -> bool:
    """Tell whether a file has the chunks of a PNG, from the first to the last, each unharmed.

    Args:
        data: The file's bytes.

    Example:
        >>> is_whole_png(b"no picture")
        False
    """
    if not data.startswith(_SIGNATURE):
        return False
    at = len(_SIGNATURE)
    kinds: list[bytes] = []
    while at + _AROUND <= len(data) and kinds[-1:] != [_LAST]:
        (length,) = struct.unpack_from(">I", data, at)
        end = at + _AROUND + length
        if end > len(data):
            return False
        (checksum,) = struct.unpack_from(">I", data, end - 4)
        if zlib.crc32(memoryview(data)[at + 4 : end - 4]) != checksum:
            return False
        kinds.append(data[at + 4 : at + 8])
        at = end
    return at == len(data) and kinds[:1] == [_FIRST] and kinds[-1:] == [_LAST]


def check_forms(answer: Tensors, forms: Mapping[str, Form], who: str) -> dict[str, np.ndarray]:
    """Check every output by its form.

    Args:
        answer: As it came.
        forms: What each output must be.
        who: What was asked, for errors.

    Returns:
        The outputs that have a form; the client does not know what others mean.

    Raises:
        ServingError: If one is missing, or is not what it must be.
    """
    for name, form in forms.items():
        if name not in answer:
            if form.needed:
                came = ", ".join(sorted(answer)) or "nothing"
                raise ServingError(
                    f"{who} returned no {name!r} but {came}; export the model with this version of "
                    f"kerascam"
                )
            continue
        array = answer[name]
        if not any(fits(array.shape, shape) for shape in form.shapes):
            wanted = " or ".join(map(_shown, form.shapes)) or "none"
            raise ServingError(
                f"{who} returned {name!r} of shape {array.shape}, not {wanted}; {_FIX}"
            )
        if (wrong := _wrong(name, array, form)) is not None:
            raise ServingError(f"{who} returned {name!r} with {wrong}; {_FIX}")
    return {name: answer[name] for name in forms if name in answer}


def check_together(answer: Tensors, asked: np.ndarray, manifest: Manifest, who: str) -> None:
    """Check that the outputs of one answer agree with each other, and with what was asked.

    Args:
        answer: Each output has its form.
        asked: Shape (batch,): the classes, -1 for the predicted one.
        manifest: The manifest of the model that was asked.
        who: What was asked, for errors.

    Raises:
        ServingError: If they do not.
    """
    for what, wrong in _disagreements(answer, asked, manifest):
        if wrong.any():
            raise ServingError(f"{who} returned for image {int(np.argmax(wrong))} {what}; {_FIX}")


def _disagreements(
    answer: Tensors, asked: np.ndarray, manifest: Manifest
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield each way in which outputs may disagree, and whether they do, shape (batch,)."""
    classes, class_names = answer[names.CLASS_INDEX], manifest.class_names
    probabilities, probability = answer.get(names.PROBABILITIES), answer.get(names.PROBABILITY)
    yield "another class than was asked for", (asked >= 0) & (classes != asked)
    if probabilities is not None:
        last = max(2, probabilities.shape[-1]) - 1  # one unit: two classes
        yield "a class beyond the last one", classes > last
        if manifest.facts.get("sums_to_one", False):
            beside = np.abs(probabilities.sum(-1, dtype=np.float64) - 1) > _NEAR_ONE  # not for NaN
            yield "probabilities that do not sum to 1", beside.reshape(len(asked), -1).any(-1)
    chosen = None if probabilities is None else _of_class(probabilities, classes)
    if probabilities is not None and chosen is not None:
        less = chosen < probabilities.max(-1) - _NEAR
        yield "a predicted class that is not the most probable one", (asked < 0) & less
    if names.CLASS_NAME in answer and class_names is not None:
        named = np.array([class_names[place] for place in classes], object)
        yield "another class name than the class has", named != answer[names.CLASS_NAME]
    if probability is not None and (chosen is not None or probabilities is None):
        expected = np.nan if chosen is None else chosen  # NaN if the model returns none
        another = ~np.isclose(probability, expected, rtol=0, atol=_NEAR, equal_nan=True)
        yield "a probability that is not the one of its class", another
    if names.STATUS in answer:
        unknown = ~np.isfinite(answer[names.SCORE])
        if chosen is not None:
            unknown |= np.isnan(chosen)
        is_ok = answer[names.STATUS] == STATUSES[OK]
        yield "the status 'ok' without a score or probability", unknown & is_ok


def _shown(shape: Shape) -> str:
    axes = (
        "..." if length is ... else "any" if length is None else str(length) for length in shape
    )
    return f"({', '.join(axes)})"


def _wrong(name: str, array: np.ndarray, form: Form) -> str | None:
    """Say what is wrong with the values of an output, if anything is."""
    kind = kind_of(name)
    if kind is Kind.FILE:
        whole = all(map(is_whole_png, array))
        return None if whole else "something that is not a whole PNG file"
    if kind is Kind.TEXT:
        unknown = [] if form.among is None else [text for text in array if text not in form.among]
        return f"the value {unknown[0][:80]!r}" if unknown else None
    wrong = ~((form.least <= array) & (array <= form.most))
    unknown = np.isnan(array) if form.may_be_unknown else np.isinf(array)
    wrong = wrong & ~unknown if form.may_be_unknown else wrong | unknown
    return f"the value {array[wrong][0]}" if wrong.any() else None


def _of_class(probabilities: np.ndarray, classes: np.ndarray) -> np.ndarray | None:
    """Return each image's probability of its class; None if it is not one of several numbers."""
    if probabilities.ndim != 2 or probabilities.shape[-1] == 1:
        return None
    return np.take_along_axis(probabilities, classes[:, None], 1)[:, 0]
