"""Inputs in nested dicts and lists: where each stands, and how they are put together again."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

#: The keys and places that lead to an input, from outside to inside.
Path: TypeAlias = tuple[str | int, ...]


def is_shape(value: Any) -> bool:
    """Tell whether a value is a shape, and no nest of shapes."""
    return isinstance(value, (list, tuple)) and all(
        length is None or isinstance(length, int) for length in value
    )


def is_no_nest(value: Any) -> bool:
    """Tell whether Keras does not look into a value."""
    return not isinstance(value, (Mapping, list, tuple))


def paths_of(nest: Any, is_leaf: Callable[[Any], bool] = is_no_nest) -> list[Path]:
    """Say where each leaf of a nest stands.

    >>> paths_of({"views": [0, 0], "row": 0})
    [('views', 0), ('views', 1), ('row',)]
    """
    return list(_paths(nest, is_leaf))


def _paths(nest: Any, is_leaf: Callable[[Any], bool]) -> Iterator[Path]:
    if is_leaf(nest):
        yield ()
        return
    for step, inner in nest.items() if isinstance(nest, Mapping) else enumerate(nest):
        for path in _paths(inner, is_leaf):
            yield step, *path


def is_nested(paths: Sequence[Path]) -> bool:
    """Tell whether leaves stand deeper than in one list or dict."""
    return any(len(path) > 1 for path in paths)


def nest_of(paths: Sequence[Path], leaves: Sequence[Any]) -> Any:
    """Put leaves where they stand.

    >>> nest_of([("views", 0), ("views", 1), ("row",)], [7, 8, 9])
    {'views': [7, 8], 'row': 9}
    """
    if not any(paths):
        return leaves[0]
    steps = list(dict.fromkeys(path[0] for path in paths))
    inner = [
        nest_of(
            [path[1:] for path in paths if path[0] == step],
            [leaf for path, leaf in zip(paths, leaves, strict=True) if path[0] == step],
        )
        for step in steps
    ]
    return inner if isinstance(steps[0], int) else dict(zip(steps, inner, strict=True))
