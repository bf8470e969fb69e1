"""A table of functions under their names: methods, metrics; and what their entries share."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

from .errors import brief


@runtime_checkable
class Entry(Protocol):
    """What a table holds."""

    @property
    def name(self) -> str:
        """The function's name, as in "grad_cam"."""

    @property
    def title(self) -> str:
        """The field's name for it, as in "Grad-CAM"."""

    @property
    def public_name(self) -> str:
        """The name under which the package offers it, as in "GradCAM"."""


E = TypeVar("E", bound=Entry)


@dataclass(frozen=True)
class Citation:
    """The paper that a method comes from."""

    authors: str
    year: int
    title: str
    venue: str
    url: str

    @property
    def short(self) -> str:
        """Authors and year, as in "Selvaraju et al., 2017"."""
        names = re.split(r", | and ", self.authors)
        authors = self.authors if len(names) < 3 else f"{names[0]} et al."
        return f"{authors}, {self.year}"


def needs_of(function: Callable[..., Any]) -> tuple[str, ...]:
    """List the positional parameters of a function."""
    parameters = inspect.signature(function).parameters.values()
    return tuple(each.name for each in parameters if each.kind is not each.KEYWORD_ONLY)


def options_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the keyword-only parameters of a function with their defaults: the user's options."""
    parameters = inspect.signature(function).parameters.values()
    return {each.name: each.default for each in parameters if each.kind is each.KEYWORD_ONLY}


def summary_of(function: Callable[..., Any]) -> str:
    """Return the first line of a function's docstring."""
    return (inspect.getdoc(function) or "").splitlines()[0]


def check_supplied(noun: str, function: Callable[..., Any], supplies: Mapping[str, str]) -> None:
    """Raise a TypeError if a function asks for what nothing of its kind is handed.

    Args:
        noun: What such a function is called.
        function: The function.
        supplies: What there is, by name.

    Raises:
        TypeError: With the list of what there is.
    """
    unknown = [name for name in needs_of(function) if name not in supplies]
    if unknown:
        known = "".join(f"\n  {name}: {what}" for name, what in supplies.items())
        raise TypeError(
            f"{noun} {function.__name__!r} has a positional parameter {unknown[0]!r}, which "
            f"nothing supplies; options are keyword-only (after a *), and these are supplied:"
            f"{known}"
        )


class UnknownNameError(ValueError, KeyError):
    """No such name: a ValueError for the user, and a KeyError as mappings raise it."""

    __str__ = Exception.__str__  # KeyError would quote the message


class Table(Mapping[str, E]):
    """Maps a name to its entry, in the order in which the package lists them.

    A name is taken as people write it: the function's, the public one, the field's or an alias,
    whatever the case, hyphens and spaces.

    Args:
        noun: What its entries are called, for errors.
        filled_by: A package and a room of it. The modules of that room that the package's stub
            names are imported when the table is first asked, so that what never asks does not
            import TensorFlow. Entries have the stub's order; others follow in the order in which
            they are registered.
    """

    def __init__(self, noun: str, filled_by: tuple[str, str] | None = None) -> None:
        self._noun = noun
        self._filled_by = filled_by
        self._entries: dict[str, E] = {}
        self._lock = threading.RLock()  # two threads that ask first fill it once

    def enter(self, entry: E) -> None:
        """Enter one more.

        Raises:
            ValueError: If one of its name is registered already.
        """
        if entry.name in self._entries:
            raise ValueError(f"a {self._noun} named {entry.name!r} is registered already")
        self._entries[entry.name] = entry

    def __getitem__(self, name: Any) -> E:
        entries = self._filled()
        if not isinstance(name, str):
            raise self._unknown(name, entries)
        if name in entries:
            return entries[name]
        spellings = {
            plain_form(spelling): entry
            for entry in entries.values()
            for spelling in (
                *getattr(entry, "aliases", ()),
                entry.title,
                entry.public_name,
                entry.name,
            )
        }
        wanted = plain_form(name)
        if wanted in spellings:
            return spellings[wanted]
        near = get_close_matches(wanted, spellings, n=1)
        if not near and len(wanted) > 2:  # a part of a name, as "SHAP" of "KernelSHAP"
            near = [spelling for spelling in spellings if wanted in spelling][:1]
        raise self._unknown(name, entries, *(spellings[each].name for each in near))

    def registered(self, name: str) -> E:
        """Return what is registered under a function's name by now, and load nothing."""
        return self._entries[name]

    def _unknown(self, name: Any, entries: Mapping[str, Any], near: str = "") -> UnknownNameError:
        hint = f"did you mean {near!r}?" if near else f"one of: {', '.join(entries)}"
        return UnknownNameError(
            f"{self._noun} must be a registered name, not {brief(name)}; {hint}"
        )

    def __contains__(self, name: object) -> bool:
        try:
            return bool(self[name])
        except UnknownNameError:
            return False

    def __iter__(self) -> Iterator[str]:
        return iter(self._filled())

    def __len__(self) -> int:
        return len(self._filled())

    def _filled(self) -> dict[str, E]:
        if self._filled_by is not None:
            with self._lock:
                if self._filled_by is not None:
                    rank = {name: place for place, name in enumerate(_load(*self._filled_by))}
                    entries = sorted(
                        self._entries.items(),
                        key=lambda entry: rank.get(entry[1].public_name, len(rank)),
                    )
                    self._entries = dict(entries)
                    self._filled_by = None
        return self._entries


def plain_form(name: str) -> str:
    """Reduce a name to what all its spellings share.

    Example:
        >>> plain_form("Grad-CAM++"), plain_form("GradCAMPlusPlus")
        ('gradcamplusplus', 'gradcamplusplus')
    """
    plain = name.casefold().replace("+", "plus").replace("×", "times").replace("*", "times")
    return re.sub(r"[\W_]", "", plain)


def _load(package: str, room: str) -> list[str]:
    """Import the modules of one room that a package's stub names; return the names in order."""
    stub = Path(importlib.import_module(package).__file__ or "").with_suffix(".pyi")
    names = []
    for node in ast.parse(stub.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{room}."):
            importlib.import_module(f"{package}.{node.module}")
            names += [each.name for each in node.names]
    return names
