"""What an axis of a tensor runs along: its atoms, the first running slowest.

A reshape joins atoms into one axis or splits one into two; a transpose moves whole axes. So a grid
that was cut into windows and folded into the batch still says where each of its cells lies.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isclose, prod
from typing import TypeAlias

BATCH, IMAGE, OWN, FEATURE = "batch", "image", "own", "feature"
REPEAT, PREFIXED = "repeat", "prefixed"


@dataclass(frozen=True)
class Atom:
    """Steps of one kind along an axis.

    Attributes:
        kind: BATCH: the images. IMAGE: cells along an axis of the image. OWN: cells of a grid
            that the model made itself, such as the frequencies of a sound. FEATURE: anything
            else. REPEAT: copies of the same value. PREFIXED: the cells of `inner` after others
            that have no place, such as a class token.
        length: How many; None if the graph leaves it open.
        axis: Of IMAGE: which axis of the image, the batch axis not counted.
        step: Of IMAGE: how far two cells lie from each other, in pixels of the image.
        first: Of IMAGE: where the first lies. The places of several atoms of one image axis add.
        lent: Of IMAGE: how much of `first` is there because each cell stands for those that a
            slice left out after it.
        pad: Of IMAGE: how many of the first and of the last cells are padding.
        prefix: Of PREFIXED: how many cells stand before those of `inner`.
        inner: Of PREFIXED: the atoms of the others.
    """

    kind: str
    length: int | None
    axis: int = -1
    step: float = 0.0
    first: float = 0.0
    lent: float = 0.0
    pad: tuple[float, float] = (0.0, 0.0)
    prefix: int = 0
    inner: "tuple[Atom, ...]" = ()


Axis: TypeAlias = tuple[Atom, ...]
#: Axes of the image of which a tensor holds one place: that place, or, inside a loop that goes
#: along the axis, the whole of it.
Places: TypeAlias = tuple[tuple[int, float | Atom], ...]


@dataclass(frozen=True)
class Layout:
    """What the axes of a tensor run along.

    Attributes:
        axes: For each axis its atoms; an axis of length 1 may have none.
        fixed: Where the tensor lies on axes of the image that it does not run along.
    """

    axes: tuple[Axis, ...]
    fixed: Places = ()

    @property
    def image_axes(self) -> set[int]:
        """The axes of the image that its axes run along."""
        return {atom.axis for axis in self.axes for atom in spread(axis) if atom.kind == IMAGE}


def spread(axis: Axis) -> Axis:
    """Return an axis's atoms, with those inside a prefixed one."""
    return tuple(
        inner for atom in axis for inner in (atom.inner if atom.kind == PREFIXED else (atom,))
    )


def has_places(axis: Axis) -> bool:
    """Tell whether an axis runs along the image or the batch: it must not be lost unnoticed."""
    return any(atom.kind in (IMAGE, PREFIXED, BATCH) for atom in axis)


def feature(length: int | None) -> Axis:
    """Return an axis that runs along no axis of the image."""
    return () if length == 1 else (Atom(FEATURE, length),)


def length_of(axis: Sequence[Atom]) -> int | None:
    """Return how long an axis is; None if that is open."""
    lengths = [atom.length for atom in axis]
    known = [length for length in lengths if length is not None]
    return prod(known) if len(known) == len(lengths) else None


def moved(atom: Atom, begin: float, step: float, length: int | None) -> Atom:
    """Return each `step`-th cell of an atom from place `begin` on; padding counts as cells."""
    return replace(
        atom,
        first=atom.first + atom.step * begin,
        step=atom.step * step,
        length=length,
        lent=0.0,
        pad=(0.0, 0.0),
    )


def split(atom: Atom, inner: int) -> tuple[Atom, Atom] | None:
    """Split an atom into a slow one and a fast one of `inner` steps; None if that leaves a rest."""
    if atom.length is None or atom.length % inner or atom.kind == PREFIXED:
        return None
    middle = (inner - 1) / 2
    slow = moved(atom, middle, inner, atom.length // inner)
    return slow, moved(replace(atom, first=0.0), -middle, 1, inner)


def merged(atoms: Sequence[Atom]) -> Axis:
    """Join neighbours: features, and cells of one axis of the image that lie inside each other."""
    found: list[Atom] = []
    for atom in atoms:
        joined = _joined(found[-1], atom) if found else None
        if joined is None:
            found.append(atom)
        else:
            found[-1] = joined
    return tuple(found)


def _joined(outer: Atom, inner: Atom) -> Atom | None:
    if inner.length is None or outer.kind not in (IMAGE, FEATURE):
        return None
    length = None if outer.length is None else outer.length * inner.length
    if outer.kind == FEATURE:
        return replace(outer, length=length) if inner.kind == FEATURE else None
    if inner.kind == REPEAT:  # upsampling to the nearest
        step = outer.step / inner.length
        first = outer.first - step * (inner.length - 1) / 2
        return replace(outer, length=length, step=step, first=first, pad=(0.0, 0.0))
    if inner.kind != IMAGE or inner.axis != outer.axis:
        return None
    if not isclose(outer.step, inner.step * inner.length):
        return None
    return replace(
        outer, length=length, step=inner.step, first=outer.first + inner.first, pad=(0.0, 0.0)
    )


def fine(axis: Axis) -> Axis:
    """Cut cells of the image into finer ones where features lie between them.

    So lie features that are dealt out to a grid, as by a pixel shuffle.
    """
    found: list[Atom] = []
    for atom in merged(axis):
        if atom.kind != FEATURE or atom.length is None or not found or found[-1].kind != IMAGE:
            found.append(atom)
            continue
        outer = found.pop()
        step = outer.step / atom.length
        found.append(
            replace(
                outer,
                length=None if outer.length is None else outer.length * atom.length,
                step=step,
                first=outer.first - step * (atom.length - 1) / 2,
                pad=(0.0, 0.0),
            )
        )
    return merged(found)


def regrouped(axes: Sequence[Axis], shape: Sequence[int | None]) -> tuple[Axis, ...] | None:
    """Deal the atoms of some axes out to axes of other lengths, as a reshape does.

    Args:
        axes: Before.
        shape: The lengths afterwards; None for one that is open.

    Returns:
        The axes afterwards; None if an axis would hold parts of atoms that do not divide.
    """
    waiting = [atom for axis in axes for atom in axis if atom.length != 1]
    right: list[Axis] = []
    wanted = list(shape)
    while wanted and wanted[-1] is not None:
        taken = _take(waiting, wanted[-1], from_end=True)
        if taken is None:
            break
        right.insert(0, taken)
        wanted.pop()
    left: list[Axis] = []
    while wanted and wanted[0] is not None:
        taken = _take(waiting, wanted[0], from_end=False)
        if taken is None:
            return None
        left.append(taken)
        wanted.pop(0)
    if not wanted:
        return None if waiting else (*left, *right)
    if any(length is not None for length in wanted):
        return None
    middle = _open_axes(waiting, len(wanted))
    return None if middle is None else (*left, *middle, *right)


def _open_axes(atoms: list[Atom], count: int) -> list[Axis] | None:
    """Deal atoms out to axes of open lengths: one takes all, as many take one each."""
    if count == 1:
        return [merged(atoms)]
    if len(atoms) == count:
        return [(atom,) for atom in atoms]
    if count == 2 and len(atoms) > 2 and atoms[0].kind == BATCH:
        return [(atoms[0],), merged(atoms[1:])]
    return None


def _take(waiting: list[Atom], length: int, *, from_end: bool) -> Axis | None:
    """Take atoms of a length together off one end of a list, splitting the last if need be."""
    taken: list[Atom] = []
    rest = length
    while rest != 1:
        if not waiting:
            return None
        atom = waiting[-1 if from_end else 0]
        if atom.length is None:
            return None
        if rest % atom.length == 0:
            waiting.pop(-1 if from_end else 0)
            rest //= atom.length
        elif atom.length % rest == 0:
            parts = split(atom, rest if from_end else atom.length // rest)
            if parts is None:
                return None
            keep, atom = parts if from_end else parts[::-1]
            waiting[-1 if from_end else 0] = keep
            rest = 1
        else:
            return None
        taken.append(atom)
    return merged(taken[::-1] if from_end else taken)
