"""From explained batches to the rows of a shard."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..explain import Columns, class_name_of
from .halves import to_halves
from .heat import Heat, heat_of
from .items import Item

#: The status of an image that could not be read.
UNREADABLE = "unreadable"


@dataclass
class Rows:
    """The rows of one shard, in the order of positions.

    Attributes:
        layers: How many layers there are maps of.
        relevance: Whether there is a relevance of each feature.
        class_names: The class names in order, if there are any.
    """

    layers: int
    relevance: bool
    class_names: Sequence[str] | None
    _items: list[Item] = field(default_factory=list)
    _found: dict[int, tuple[Columns, int]] = field(default_factory=dict)

    def add(self, item: Item) -> None:
        """Add an image, which may be explained later."""
        self._items.append(item)

    def explained(self, items: Sequence[Item], columns: Columns) -> None:
        """Add what was found of some images, in their order; what comes after them is filling."""
        self._found |= {item.position: (columns, place) for place, item in enumerate(items)}

    def table(self) -> Any:
        """Make the rows into a `pyarrow.Table`."""
        import pyarrow as pa

        items = sorted(self._items, key=lambda item: item.position)
        found = [self._found.get(item.position) for item in items]
        good = [each for each in found if each is not None]
        columns: dict[str, Any] = {
            "position": pa.array([item.position for item in items], pa.int64()),
            "key": pa.array([item.key for item in items], pa.string()),
            "label": pa.array([item.label for item in items], pa.string()),
            "label_class": pa.array(
                [class_of(item, self.class_names) for item in items], pa.int32()
            ),
        }
        classes = _spread(found, [int(part.classes[place]) for part, place in good])
        columns["class"] = pa.array(classes, pa.int32())
        names = [
            None if each is None else class_name_of(each, self.class_names) for each in classes
        ]
        columns["class_name"] = pa.array(names, pa.string())
        for name in ("probability", "score"):
            values = [float(_named(part, name)[place]) for part, place in good]
            columns[name] = pa.array(_spread(found, values), pa.float64())
        statuses = _spread(found, [part.statuses[place] for part, place in good], UNREADABLE)
        columns["status"] = pa.array(statuses, pa.string())
        for number in range(self.layers):
            maps = [part.maps[number][place] for part, place in good]
            columns |= _halves(found, f"map{_suffix(number, self.layers)}", maps)
            if not number:
                heat = heat_of(np.stack(maps)) if maps else Heat(*[np.zeros(0)] * 4)
                for name, figures in zip(Heat._fields, heat, strict=True):
                    known = [None if np.isnan(each) else float(each) for each in figures]
                    columns[f"heat_{name}"] = pa.array(_spread(found, known), pa.float32())
            if self.relevance:
                features = [(part.relevance or ())[number][place] for part, place in good]
                columns |= _halves(found, f"relevance{_suffix(number, self.layers)}", features)
        columns["error"] = pa.array([item.error for item in items], pa.string())
        return pa.table(columns)


def _named(columns: Columns, name: str) -> np.ndarray:
    return columns.scores if name == "score" else columns.probabilities


def _suffix(number: int, layers: int) -> str:
    return "" if layers == 1 else f"_{number}"


def _spread(found: Sequence[Any], values: Sequence[Any], other: Any = None) -> list[Any]:
    """Put values in the places of images that were explained, and another one in all others."""
    left: Iterator[Any] = iter(values)
    return [other if each is None else next(left) for each in found]


def _halves(found: Sequence[Any], name: str, arrays: Sequence[np.ndarray]) -> dict[str, Any]:
    """Store arrays as lists of half floats, each with its scale."""
    import pyarrow as pa

    if arrays:
        halves, scales = to_halves(np.stack([each.ravel() for each in arrays]))
    else:
        halves, scales = np.zeros((0, 0), np.float16), np.zeros(0)
    return {
        name: pa.array(_spread(found, list(halves)), pa.list_(pa.float16())),
        f"{name}_scale": pa.array(_spread(found, scales.tolist()), pa.float64()),
    }


def class_of(item: Item, class_names: Sequence[str] | None) -> int | None:
    """Find an image's true class: by its index, or as one of the class names."""
    if item.index is not None or item.label is None or class_names is None:
        return item.index
    return list(class_names).index(item.label) if item.label in class_names else None
