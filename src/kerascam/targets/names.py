"""Name the tensors of outputs that come in lists and dicts, also in nested ones."""

from collections.abc import Iterator, Mapping
from typing import Any


def named(outputs: Any) -> dict[str, Any]:
    """Return every tensor by its path, as in "boxes/scores"; places stand for names in lists.

    Example:
        >>> list(named({"kind": 1, "boxes": {"scores": 2, "corners": [3, 4]}}))
        ['kind', 'boxes/scores', 'boxes/corners/0', 'boxes/corners/1']
    """
    return {"/".join(path): leaf for path, leaf in _leaves(outputs)}


def choices(outputs: Any) -> str:
    """Word what `output=` may be: names, or the indices of a plain list.

    Example:
        >>> choices([1, 2]), choices({"kind": 1, "boxes": [2, 3]})
        ('0, 1', "'kind', 'boxes/0', 'boxes/1'")
    """
    names = list(named(outputs))
    plain = not isinstance(outputs, Mapping) and all("/" not in name for name in names)
    return ", ".join(names if plain else map(repr, names))


def output_of(outputs: Any, part: int | str) -> Any | None:
    """Return one of several outputs by its path or its place; None if there is none such."""
    tensors = named(outputs)
    if isinstance(part, str):
        return tensors.get(part)
    return list(tensors.values())[part] if 0 <= part < len(tensors) else None


def known(outputs: Any) -> str:
    """Word which outputs there are, for an error.

    Example:
        >>> known({"boxes": 1, "scores": 2}), known(3)
        ("one of: 'boxes', 'scores'", 'the model has one output')
    """
    several = isinstance(outputs, (Mapping, list, tuple))
    return f"one of: {choices(outputs)}" if several else "the model has one output"


def _leaves(nest: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(nest, Mapping):
        parts = [(str(name), part) for name, part in nest.items()]
    elif isinstance(nest, (list, tuple)):
        parts = [(str(place), part) for place, part in enumerate(nest)]
    else:
        yield (), nest
        return
    for name, part in parts:
        for path, leaf in _leaves(part):
            yield (name, *path), leaf
