"""Check an answer: each output by its form, and all of them by each other."""

import struct
import zlib
from collections.abc import Mapping

import numpy as np

from ... import signatures as names
from ...statuses import OK, STATUSES
from ..words import Kind, kind_of
from .connection import Tensors
from .errors import ServingError
from .forms import Form, Shape, fits
from .manifest import Manifest

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_FIRST, _LAST = b"IHDR", b"IEND"
_AROUND = 12  # bytes of a chunk beside its content: length, kind and checksum
_FIX = "check that it is a model of kerascam.export"
# Probabilities may be rounded: to nine digits, or by a model of half precision.
_NEAR = 1e-3
_NEAR_ONE = 0.02  # of the sum of many


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
        manifest: Of the model that was asked.
        who: What was asked, for errors.

    Raises:
        ServingError: If they do not.
    """
    for what, found in (
        ("another class than was asked for", _another_class),
        ("a class beyond the last one", _beyond_last_class),
        ("probabilities that do not sum to 1", _another_sum),
        ("a predicted class that is not the most probable one", _less_probable),
        ("another class name than the class has", _another_name),
        ("a probability that is not the one of its class", _another_probability),
        ("the status 'ok' without a score or probability", _unknown_though_ok),
    ):
        wrong = found(answer, asked, manifest)
        if wrong.any():
            raise ServingError(f"{who} returned for image {int(np.argmax(wrong))} {what}; {_FIX}")


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


def _another_class(answer: Tensors, asked: np.ndarray, manifest: Manifest) -> np.ndarray:
    return (asked >= 0) & (answer[names.CLASS_INDEX] != asked)


def _beyond_last_class(answer: Tensors, asked: np.ndarray, manifest: Manifest) -> np.ndarray:
    probabilities = answer.get(names.PROBABILITIES)
    if probabilities is None:
        return np.zeros(len(asked), bool)
    return answer[names.CLASS_INDEX] >= max(2, probabilities.shape[-1])  # one unit: two classes


def _another_name(answer: Tensors, asked: np.ndarray, manifest: Manifest) -> np.ndarray:
    class_names = manifest.class_names
    if names.CLASS_NAME not in answer or class_names is None:
        return np.zeros(len(asked), bool)
    named = [class_names[place] for place in answer[names.CLASS_INDEX]]
    return np.array(named, object) != answer[names.CLASS_NAME]


def _another_sum(answer: Tensors, asked: np.ndarray, manifest: Manifest) -> np.ndarray:
    probabilities = answer.get(names.PROBABILITIES)
    if probabilities is None or not manifest.facts.get("sums_to_one", False):
        return np.zeros(len(asked), bool)
    beside = np.abs(probabilities.sum(-1, dtype=np.float64) - 1) > _NEAR_ONE  # False for NaN
    return beside.reshape(len(asked), -1).any(-1)


def _less_probable(answer: Tensors, asked: np.ndarray, manifest: Manifest) -> np.ndarray:
    chosen = _of_class(answer)
    if chosen is None:
        return np.zeros(len(asked), bool)
    most = answer[names.PROBABILITIES].max(-1)
    return (asked < 0) & (chosen < most - _NEAR)


def _another_probability(answer: Tensors, asked: np.ndarray, manifest: Manifest) -> np.ndarray:
    probability, chosen = answer.get(names.PROBABILITY), _of_class(answer)
    if probability is not None and names.PROBABILITIES not in answer:
        return ~np.isnan(probability)  # of a model that gives none
    if probability is None or chosen is None:
        return np.zeros(len(asked), bool)
    return ~np.isclose(probability, chosen, rtol=0, atol=_NEAR, equal_nan=True)


def _unknown_though_ok(answer: Tensors, asked: np.ndarray, manifest: Manifest) -> np.ndarray:
    if names.STATUS not in answer:
        return np.zeros(len(asked), bool)
    unknown, chosen = ~np.isfinite(answer[names.SCORE]), _of_class(answer)
    if chosen is not None:
        unknown |= np.isnan(chosen)
    return unknown & (answer[names.STATUS] == STATUSES[OK])


def _of_class(answer: Tensors) -> np.ndarray | None:
    """Return each image's probability of its class; None if it is not one of several numbers."""
    probabilities = answer.get(names.PROBABILITIES)
    if probabilities is None or probabilities.ndim != 2 or probabilities.shape[-1] == 1:
        return None
    return np.take_along_axis(probabilities, answer[names.CLASS_INDEX][:, None], 1)[:, 0]
