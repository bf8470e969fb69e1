"""What the rules of operations share: what an operation is given, and how layouts are joined."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
import tensorflow as tf

from .atoms import FEATURE, IMAGE, PREFIXED, REPEAT, Atom, Axis, Layout, Places, feature
from .constants import number

#: Of a tensor that depends on the image in a way that the rules do not know.
UNKNOWN: Literal["unknown"] = "unknown"
Known: TypeAlias = Layout | Literal["unknown"]
Lengths: TypeAlias = tuple[int | None, ...]

Rule: TypeAlias = Callable[["Step"], Sequence[Known]]

#: By the type of an operation, what becomes of the axes of what it is given.
RULES: dict[str, Rule] = {}


def rule(*kinds: str) -> Callable[[Rule], Rule]:
    """Register a function as the rule of some types of operations."""

    def register(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(kinds, function))
        return function

    return register


class LostError(Exception):
    """Raised if an axis of the image goes through a step that the rules do not follow."""


@dataclass(frozen=True)
class Step:
    """One operation of a graph.

    Attributes:
        operation: The operation.
        given: What is known of each of its inputs; None of one that is the same for all images.
    """

    operation: tf.Operation
    given: Sequence[Known | None]

    def axes(self, index: int = 0) -> tuple[Axis, ...]:
        """Return the axes of an input; features alone if it is the same for all images."""
        layout, tensor = self.given[index], self.operation.inputs[index]
        if isinstance(layout, Layout):
            return layout.axes
        return tuple(feature(length) for length in _filled(tensor))

    @property
    def fixed(self) -> Places:
        """What its inputs fix of the image."""
        return shared_places([each for each in self.given if isinstance(each, Layout)])

    def told(self, index: int) -> np.ndarray | None:
        """Return the whole numbers of an input; None if the graph does not tell all of them."""
        value = number(self.operation.inputs[index])
        return None if value is None or np.isnan(value).any() else value.astype(int)

    def constant(self, index: int) -> Any:
        """Return the whole numbers of an input as one, or as nested lists.

        Raises:
            LostError: If the graph does not tell all of them.
        """
        value = self.told(index)
        if value is None:
            raise LostError
        return value.tolist()

    def numbers(self, index: int) -> list[int | None] | None:
        """Return the whole numbers of an input; None in place of one that only the run tells."""
        value = number(self.operation.inputs[index])
        if value is None:
            return None
        return [None if np.isnan(each) else int(each) for each in value.ravel()]

    def attribute(self, name: str) -> Any:
        """Return an attribute of the operation."""
        return self.operation.get_attr(name)

    def output(self) -> Lengths:
        """Return the lengths of the first output's axes.

        Raises:
            LostError: If even their number is open.
        """
        found = lengths(self.operation.outputs[0])
        if found is None:
            raise LostError
        return found

    def result(self, axes: Sequence[Axis] | None) -> list[Known]:
        """Return a layout for the only output; unknown without axes."""
        if axes is None:
            return [UNKNOWN]
        return [Layout(tuple(axes), self.fixed)]


def lengths(tensor: tf.Tensor) -> Lengths | None:
    """Return the lengths of a tensor's axes; None if even their number is open."""
    return None if tensor.shape.rank is None else tuple(tensor.shape)


def _filled(tensor: tf.Tensor) -> Lengths:
    """Return the lengths of a tensor of equal numbers, such as padding, as far as they follow."""
    own = lengths(tensor) or ()
    if None not in own:
        return own
    if tensor.op.type == "Fill":
        told = number(tensor.op.inputs[0])
        return own if told is None else tuple(None if np.isnan(n) else int(n) for n in told)
    if tensor.op.type in ("Mul", "Cast", "Identity"):
        factors = map(_filled, tensor.op.inputs)
        alike = next((each for each in factors if len(each) == len(own)), own)
        # A length of one may be repeated to that of the other factor.
        known = (None if length == 1 else length for length in alike)
        return tuple(
            told if length is None else length for length, told in zip(own, known, strict=True)
        )
    return own


def shared_places(layouts: Sequence[Layout]) -> Places:
    """Return the places of the image that all layouts hold, if they hold any."""
    found = {layout.fixed for layout in layouts}
    return found.pop() if len(found) == 1 else ()


def joined(given: Sequence[Known | None], shape: Lengths | None) -> Known:
    """Join layouts of tensors that are combined number by number, as in a sum.

    An axis that runs along the image in one of them does so in the sum, unless two disagree.
    """
    layouts = [layout for layout in given if isinstance(layout, Layout)]
    if not layouts or shape is None:
        return UNKNOWN
    rank = len(shape)
    if any(len(layout.axes) > rank for layout in layouts):
        return UNKNOWN
    filled = [((),) * (rank - len(layout.axes)) + layout.axes for layout in layouts]
    try:
        axes = [
            joined_axis([each[place] for each in filled], shape[place]) for place in range(rank)
        ]
    except LostError:
        return UNKNOWN
    return Layout(tuple(axes), shared_places(layouts))


def joined_axis(axes: Sequence[Axis], length: int | None) -> Axis:
    """Join what axes of equal length run along.

    Copies of one value lie nowhere, and so do features.

    Raises:
        LostError: If two run along different axes of the image, or along one at other places.
    """
    placed = [axis for axis in axes if any(atom.kind not in (FEATURE, REPEAT) for atom in axis)]
    placed = placed or [axis for axis in axes if any(atom.kind == REPEAT for atom in axis)]
    if not placed:
        return next((axis for axis in axes if axis), feature(length))
    return _agreed(placed)


def _agreed(axes: Sequence[Axis]) -> Axis:
    """Return what axes have in common if they run along the same; the mean of their places."""
    if len({len(axis) for axis in axes}) > 1:
        raise LostError
    return tuple(_agreed_atom(atoms) for atoms in zip(*axes, strict=True))


def _agreed_atom(atoms: Sequence[Atom]) -> Atom:
    atom = atoms[0]
    if len({(each.kind, each.axis, each.prefix) for each in atoms}) > 1:
        raise LostError
    if atom.kind == PREFIXED:
        atom = replace(atom, inner=_agreed([each.inner for each in atoms]))
    if atom.kind == IMAGE:
        first = atom.first
        if any(abs(each.first - first) > 1e-6 for each in atoms):
            # What one leaves out another may take: none of them stands for it.
            first = sum(each.first - each.lent for each in atoms) / len(atoms)
            atom = replace(atom, first=first, lent=0.0)
        if any(
            abs(each.step - atom.step) > 1e-6
            or abs(each.first - each.lent - (first - atom.lent)) > abs(atom.step) / 2 + 1e-6
            for each in atoms
        ):
            raise LostError
    known = (each.length for each in atoms if each.length is not None)
    return replace(atom, length=next(known, None))
