"""Which classes are explained: their names from a file, and the user's choice among them."""

import re
import reprlib
from collections.abc import Sequence
from typing import Any

from ..arguments import class_index
from ..files import parse_json

# ImageNet's 21,841 classes take half a megabyte.
_MOST_BYTES = 16 * 2**20
_MOST_CLASSES = 2**31  # as many as an index of 32 bits has


def read_class_names(path: str) -> list[str]:
    """Read the class names in order.

    Args:
        path: A UTF-8 file: one name a line, a JSON list, or a JSON dict from index to name or, as
            ImageNet's, to [synset, name].

    Raises:
        ValueError: If the file holds nothing of the kind.
        OSError: If it cannot be read.
    """
    with open(path, "rb") as file:
        content = file.read(_MOST_BYTES + 1)
    try:
        return _parse(_decode(content))
    except ValueError as error:
        raise ValueError(f"--class-names {path}: {error}") from None


def _decode(content: bytes) -> str:
    if len(content) > _MOST_BYTES:
        raise ValueError(f"more than {_MOST_BYTES // 2**20} MiB, which no list of class names has")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("not a UTF-8 text file") from None
    if "\0" in text:
        raise ValueError("not a UTF-8 text file: it holds zero bytes")
    return text


def _parse(text: str) -> list[str]:
    if text.lstrip().startswith(("[", "{")):
        names = _from_json(text)
    else:
        names = [line.strip() for line in text.rstrip().splitlines()]
    if not names or names == [""]:
        raise ValueError("no class names in this file")
    if "" in names:
        raise ValueError(f"name {names.index('') + 1} of {len(names)} is empty")
    return names


def _from_json(text: str) -> list[str]:
    data = parse_json(text)
    if isinstance(data, dict):
        places = {str(place) for place in range(len(data))}
        if set(data) != places:
            odd = min(set(data) - places)
            raise ValueError(
                f'the keys must be "0" to "{len(data) - 1}"; one is {reprlib.repr(odd)}'
            )
        data = [data[str(place)] for place in range(len(data))]
    return [_name(entry) for entry in data]


def _name(entry: Any) -> str:
    if isinstance(entry, list) and entry:
        entry = entry[-1]  # ImageNet's ["n01440764", "tench"]
    if not isinstance(entry, str):
        raise ValueError(f"a class name must be a text, not {reprlib.repr(entry)}")
    return entry.strip()


def find_class(text: str, class_names: Sequence[str] | None, count: int | None) -> int:
    """Find the class that the user names, by its name or its index.

    Raises:
        ValueError: If there is no such class.
    """
    if class_names is not None and text in class_names:
        return list(class_names).index(text)
    if re.fullmatch(r"-?\d+", text):
        index = int(text) if len(text) < 20 else _MOST_CLASSES  # Python refuses thousands of digits
        if index < 0 or index >= (count or _MOST_CLASSES):
            last = "the last one" if count is None else count - 1
            raise ValueError(f"--class must be from 0 to {last}, not {text}")
        return index
    if class_names is None:
        raise ValueError(
            f"--class {text!r} is a name: give the class names with --class-names FILE"
        )
    try:
        return class_index(text, class_names)
    except ValueError as error:
        message = (
            str(error)
            .removeprefix("classes names ")
            .replace("see class_names=", "see --class-names")
        )
        raise ValueError(f"--class {message}") from None
