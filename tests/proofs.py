"""How wide a test looks: at a few telling rows in every run, at all of them with `--proofs`.

Some laws hold for a whole matrix: every method pixel for pixel in a server, every kind of model
exported, ten thousand wrong bodies. A change that breaks one breaks nearly all of its rows, so the
checks run a few; `make proofs` runs them all.
"""

import itertools
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import pytest

Row = TypeVar("Row")

#: Set by conftest.py before any test module is imported.
ALL = False

#: One method of each family: one weight per feature, pixelwise, eigen, guided, along a path, noisy.
FAMILIES = (
    "grad_cam", "layer_cam", "eigen_cam", "guided_grad_cam", "integrated_gradients", "smooth_grad",
)  # fmt: skip

#: Marks a test that runs with `--proofs` alone, because it takes long as a whole.
proof = pytest.mark.proof


def wide(few: Row, every: Row) -> Row:
    """Return what a test looks at: `every` with `--proofs`, else `few`."""
    return every if ALL else few


def pairs(first: Sequence[Any], second: Sequence[Any]) -> tuple[tuple[Any, Any], ...]:
    """Return rows of one matrix with rows of another: all with all, or each at least once."""
    if ALL:
        return tuple(itertools.product(first, second))
    turns = range(max(len(first), len(second)))
    return tuple((first[turn % len(first)], second[turn % len(second)]) for turn in turns)


def rows(few: Iterable[str], every: Iterable[str]) -> tuple[str, ...]:
    """Return the rows of a matrix, in the order of the whole; an unknown name is an error."""
    every, few = tuple(every), tuple(few)
    if lost := set(few) - set(every):
        raise ValueError(f"no such rows: {sorted(lost)}")
    return every if ALL else tuple(name for name in every if name in few)
