"""One table of methods, filled by decorating the function that does the work."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar

from .errors import brief

F = TypeVar("F", bound=Callable[..., Any])
ReluRule = Literal["guided", "deconvnet"]

SUPPLIES = {
    "images": "the images, (batch, *size, channels)",
    "activations": "a layer's output, (batch, *grid, features)",
    "gradients": "the score's gradient by it, of the same shape",
    "layers": "`activations` and `gradients` of all layers at once, a tuple of pairs",
    "gradient": "a function: images, or copies of them, to the score's gradient by them",
    "score": "a function: images, or copies of them, to scores, (batch,) or (copies, batch)",
    "rest": "a function: a layer's output, or copies of it, to scores; runs what follows the layer",
    "attentions": "every attention matrix, a tuple of (batch, heads, queries, keys)",
    "attention_gradients": "the score's gradient by each of them",
    "enlarge": "a function: maps on the layer's grid, or copies of them, to the images' grid",
    "localization": "the heatmap of the method that the option `localizer` names, (batch, *size)",
}
_OF_EACH_LAYER = {"activations", "gradients", "rest", "enlarge"}
_OF_LAYERS = {*_OF_EACH_LAYER, "layers", "localization"}


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


@dataclass(frozen=True)
class Method:
    """A registered function and the facts that the docs, the command line and the tests read.

    Attributes:
        name: The function's name, as in "grad_cam".
        title: The field's name for it, as in "Grad-CAM".
        class_name: The named class bound to it, as in "GradCAM".
        function: The pure function. Its positional parameters name what it is handed (see
            `SUPPLIES`), its keyword-only parameters are the user's options.
        citation: The paper; None for a construction that no paper claims.
        signed: Whether its maps can be negative (evidence against the target).
        relu_rule: The backward rule that replaces every ReLU's own, if any.
        fuse: How maps of several layers become one; None takes their mean.
        requires: A check `(activations, gradients) -> bool per image` with the condition that
            the method stands on; its docstring's first line is the error that the user reads.
        check: Raises if an option's value is wrong, before anything is computed.
        passes: How often it runs the model, in words, with options in braces, as in
            "1 + {samples} forward"; None if once, and once back.
        normalize: How its heatmaps are scaled if the user does not say.
    """

    name: str
    title: str
    class_name: str
    function: Callable[..., Any]
    citation: Citation | None
    signed: bool = False
    relu_rule: ReluRule | None = None
    fuse: Callable[..., Any] | None = None
    requires: Callable[..., Any] | None = None
    check: Callable[..., None] | None = None
    passes: str | None = None
    normalize: str = "max"

    @property
    def summary(self) -> str:
        """The first line of the function's docstring."""
        return (inspect.getdoc(self.function) or "").splitlines()[0]

    @cached_property
    def needs(self) -> tuple[str, ...]:
        """What the function is handed: the names of its positional parameters."""
        return needs_of(self.function)

    @cached_property
    def options(self) -> dict[str, Any]:
        """The user's options and their defaults: the function's keyword-only parameters."""
        parameters = inspect.signature(self.function).parameters.values()
        return {each.name: each.default for each in parameters if each.kind is each.KEYWORD_ONLY}

    @property
    def of_layers(self) -> bool:
        """Whether it looks at layers, alone or beside the images."""
        return bool(_OF_LAYERS & set(self.needs))

    @property
    def of_each_layer(self) -> bool:
        """Whether it draws one map per layer, on the layer's grid."""
        return bool(_OF_EACH_LAYER & set(self.needs))

    @property
    def of_pixels(self) -> bool:
        """Whether each pixel has a value of its own, so that a few stand out from their like."""
        return "gradient" in self.needs


def needs_of(function: Callable[..., Any]) -> tuple[str, ...]:
    """List the positional parameters of a function."""
    parameters = inspect.signature(function).parameters.values()
    return tuple(each.name for each in parameters if each.kind is not each.KEYWORD_ONLY)


def check_needs(function: Callable[..., Any]) -> None:
    """Raise a TypeError if a function asks for what no method is handed.

    Raises:
        TypeError: With the list of what there is.
    """
    needs = needs_of(function)
    unknown = [name for name in needs if name not in SUPPLIES]
    if unknown:
        known = "".join(f"\n  {name}: {what}" for name, what in SUPPLIES.items())
        raise TypeError(
            f"method {function.__name__!r} has a positional parameter {unknown[0]!r}, which "
            f"nothing supplies; options are keyword-only (after a *), and these are supplied:"
            f"{known}"
        )
    localizer = inspect.signature(function).parameters.get("localizer")
    if "localization" in needs and (localizer is None or localizer.kind.name != "KEYWORD_ONLY"):
        raise TypeError(
            f"method {function.__name__!r} takes a localization, so it needs a keyword-only "
            f"option localizer with the name of a method as its default, as in "
            f'localizer="grad_cam"'
        )
    if "localization" in needs and set(needs) & _OF_EACH_LAYER:
        raise TypeError(
            f"method {function.__name__!r} cannot take a localization, on the image's grid, "
            f"and {min(set(needs) & _OF_EACH_LAYER)}, on a layer's; take layers for all of them"
        )


class UnknownNameError(ValueError, KeyError):
    """No such name: a ValueError for the user, and a KeyError as mappings raise it."""

    __str__ = Exception.__str__  # KeyError would quote the message


class Registry(Mapping[str, Method]):
    """Maps a name to its method, in the order in which the package lists them.

    A name is taken as people write it: the function's, the class's or the field's, whatever the
    case, hyphens and spaces.

    Args:
        noun: What its entries are called, for errors.
        filled_by: A package and a room of it. The modules of that room that the package's stub
            names are imported when the registry is first asked, so that what never asks does not
            import TensorFlow. Entries have the stub's order; others follow in the order in which
            they are registered.
    """

    def __init__(self, noun: str, filled_by: tuple[str, str] | None = None) -> None:
        self._noun = noun
        self._filled_by = filled_by
        self._methods: dict[str, Method] = {}
        self._lock = threading.RLock()  # two threads that ask first fill it once

    def register(self, **facts: Any) -> Callable[[F], F]:
        """Enter the decorated function under its own name, and return it unchanged.

        Args:
            **facts: The fields of `Method`, less `name` and `function`.

        Raises:
            TypeError: If the function has a positional parameter that nothing supplies.
            ValueError: If a function of that name is registered already.
        """

        def add(function: F) -> F:
            name = function.__name__
            if name in self._methods:
                raise ValueError(f"a {self._noun} named {name!r} is registered already")
            check_needs(function)
            self._methods[name] = Method(name=name, function=function, **facts)
            return function

        return add

    def __getitem__(self, name: Any) -> Method:
        methods = self._filled()
        if not isinstance(name, str):
            raise self._unknown(name, methods)
        if name in methods:
            return methods[name]
        spellings = {
            plain_form(spelling): method
            for method in methods.values()
            for spelling in (method.title, method.class_name, method.name)
        }
        wanted = plain_form(name)
        if wanted in spellings:
            return spellings[wanted]
        near = get_close_matches(wanted, spellings, n=1)
        raise self._unknown(name, methods, *(spellings[each].name for each in near))

    def registered(self, name: str) -> Method:
        """Return what is registered under a function's name by now, and load nothing."""
        return self._methods[name]

    def _unknown(self, name: Any, methods: Mapping[str, Any], near: str = "") -> UnknownNameError:
        hint = f"did you mean {near!r}?" if near else f"one of: {', '.join(methods)}"
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

    def _filled(self) -> dict[str, Method]:
        if self._filled_by is not None:
            with self._lock:
                if self._filled_by is not None:
                    rank = {name: place for place, name in enumerate(_load(*self._filled_by))}
                    entries = sorted(
                        self._methods.items(),
                        key=lambda entry: rank.get(entry[1].class_name, len(rank)),
                    )
                    self._methods = dict(entries)
                    self._filled_by = None
        return self._methods


def plain_form(name: str) -> str:
    """Reduce a name to what all its spellings share.

    Example:
        >>> plain_form("Grad-CAM++"), plain_form("GradCAMPlusPlus")
        ('gradcamplusplus', 'gradcamplusplus')
    """
    plain = name.casefold().replace("+", "plus").replace("×", "times")
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


METHODS = Registry("method", filled_by=("kerascam", "methods"))
