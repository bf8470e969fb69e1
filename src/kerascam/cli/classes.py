"""Which classes are explained: their names from a file, and the user's choice among them."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..arguments import class_index


def read_labels(path: str) -> list[str]:
    """Read the class names in order.

    Args:
        path: A UTF-8 file: one name a line, a JSON list, or a JSON dict from index to name or, as
            ImageNet's, to [synset, name].

    Raises:
        ValueError: If the file holds nothing of the kind.
        OSError: If it cannot be read.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"--labels {path}: not a UTF-8 text file") from None
    try:
        return _parse(text)
    except ValueError as error:
        raise ValueError(f"--labels {path}: {error}") from None


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
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"not valid JSON: {error}") from None
    if isinstance(data, dict):
        places = {str(place) for place in range(len(data))}
        if set(data) != places:
            odd = next(iter(sorted(set(data) - places)))
            raise ValueError(f'the keys must be "0" to "{len(data) - 1}"; one is {odd!r}')
        data = [data[str(place)] for place in range(len(data))]
    return [_name(entry) for entry in data]


def _name(entry: Any) -> str:
    if isinstance(entry, list) and entry:
        entry = entry[-1]  # ImageNet's ["n01440764", "tench"]
    if not isinstance(entry, str):
        raise ValueError(f"a class name must be a text, not {entry!r}")
    return entry.strip()


def find_class(text: str, labels: Sequence[str] | None, count: int | None) -> int:
    """Find the class that the user names, by its name or its index.

    Raises:
        ValueError: If there is no such class.
    """
    if labels is not None and text in labels:
        return list(labels).index(text)
    if re.fullmatch(r"-?\d+", text):
        index = int(text)
        if index < 0 or (count is not None and index >= count):
            last = "the last one" if count is None else count - 1
            raise ValueError(f"--class must be from 0 to {last}, not {index}")
        return index
    if labels is None:
        raise ValueError(f"--class {text!r} is a name: give the class names with --labels FILE")
    try:
        return class_index(text, labels)
    except ValueError as error:
        message = str(error).removeprefix("classes names ").replace("see labels=", "see --labels")
        raise ValueError(f"--class {message}") from None
