"""One table of methods, filled by decorating the function that does the work."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal, TypeVar

from .errors import brief

F = TypeVar("F", bound=Callable[..., Any])
Kind = Literal["cam", "gradient"]
ReluRule = Literal["guided", "deconvnet"]


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
        kind: "cam" for `(activations, gradients) -> maps`; "gradient" for
            `(gradient, images, *, options) -> heatmaps`.
        function: The pure function.
        citation: The paper; None for a construction that no paper claims.
        signed: Whether its maps can be negative (evidence against the target).
        relu_rule: The backward rule that replaces every ReLU's own, if any.
        localizer: The "cam" method whose heatmaps the function takes as `localization`.
        fuse: How maps of several layers become one; None takes their mean.
        requires: A check `(activations, gradients) -> bool per image` with the condition that
            the method stands on; its docstring's first line is the error that the user reads.
        check: Raises where an option's value is wrong, before anything is computed.
    """

    name: str
    title: str
    class_name: str
    kind: Kind
    function: Callable[..., Any]
    citation: Citation | None
    signed: bool = False
    relu_rule: ReluRule | None = None
    localizer: str | None = None
    fuse: Callable[..., Any] | None = None
    requires: Callable[..., Any] | None = None
    check: Callable[..., None] | None = None

    @property
    def summary(self) -> str:
        """The first line of the function's docstring."""
        return (inspect.getdoc(self.function) or "").splitlines()[0]

    @property
    def looks_at_layers(self) -> bool:
        """Whether it draws its map from a layer, alone or beside the images."""
        return self.kind == "cam" or self.localizer is not None

    @property
    def options(self) -> dict[str, Any]:
        """The user's options and their defaults: the function's keyword-only arguments."""
        parameters = inspect.signature(self.function).parameters.values()
        return {
            parameter.name: parameter.default
            for parameter in parameters
            if parameter.kind is parameter.KEYWORD_ONLY and parameter.name != "localization"
        }


class UnknownNameError(ValueError, KeyError):
    """No such name: a wrong value to whoever asked for it, a missing key to a mapping."""

    __str__ = Exception.__str__  # KeyError would quote the message


class Registry(Mapping[str, Method]):
    """Maps a name to its method, in the order of registration.

    Args:
        noun: What its entries are called, for errors.
        filled_by: The module whose import enters them all; it is imported when the registry is
            first asked, so that what only prints names does not import TensorFlow to begin with.
    """

    def __init__(self, noun: str, filled_by: str | None = None) -> None:
        self._noun = noun
        self._filled_by = filled_by
        self._methods: dict[str, Method] = {}

    def register(self, **facts: Any) -> Callable[[F], F]:
        """Enter the decorated function under its own name, and return it unchanged.

        Args:
            **facts: The fields of `Method`, less `name` and `function`.

        Raises:
            ValueError: If a function of that name is registered already.
        """

        def add(function: F) -> F:
            name = function.__name__
            if name in self._methods:
                raise ValueError(f"a {self._noun} named {name!r} is registered already")
            self._methods[name] = Method(name=name, function=function, **facts)
            return function

        return add

    def __getitem__(self, name: str) -> Method:
        methods = self._filled()
        if isinstance(name, str) and name in methods:  # type: ignore[redundant-expr]  # users err
            return methods[name]
        near = get_close_matches(brief(name).strip("'\""), methods, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"one of: {', '.join(methods)}"
        raise UnknownNameError(f"{self._noun} must be a registered name, not {brief(name)}; {hint}")

    def __contains__(self, name: object) -> bool:
        return name in self._filled()

    def __iter__(self) -> Iterator[str]:
        return iter(self._filled())

    def __len__(self) -> int:
        return len(self._filled())

    def _filled(self) -> dict[str, Method]:
        if self._filled_by is not None:
            importlib.import_module(self._filled_by)  # a second import costs nothing
        return self._methods


METHODS = Registry("method", filled_by="kerascam.methods")
