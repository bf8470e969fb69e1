"""The public names of kerascam, and what their reference pages say beyond their docstrings."""

import importlib
import inspect
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from kerascam_docs.markdown import to_rst

SECTION = re.compile(r"^(Args|Attributes|Example|Raises|Returns):$", re.MULTILINE)
# What an example may use without saying so, as the modules' doctests do.
_IMPORTS = {
    "Path": "from pathlib import Path",
    "keras": "import keras",
    "np": "import numpy as np",
    "tf": "import tensorflow as tf",
}


@cache
def public_names() -> dict[str, Any]:
    """Map the full name of each public object to it, in the order of the reference."""
    named: dict[str, Any] = {}
    for module_name in ("kerascam", "kerascam.targets", "kerascam.serving"):
        module = importlib.import_module(module_name)
        for name in module.__all__:
            if not name.startswith("__") and not inspect.ismodule(getattr(module, name)):
                named[f"{module_name}.{name}"] = getattr(module, name)
    # What a public function returns, under the only name that it has.
    suggest = importlib.import_module("kerascam.model.suggest")
    for name in ("LayerSuggestions", "LayerSuggestion"):
        named[f"kerascam.model.suggest.{name}"] = getattr(suggest, name)
    return named


def refer(code: str, near: str) -> str | None:
    """Give the full name of what a docstring calls `code`.

    Args:
        code: As it stands between backticks, as "overlay" or "kerascam.targets".
        near: The full name of the object whose docstring it is: its own methods come first.

    Returns:
        None if it is no public name.

    Example:
        >>> refer("plot", near="kerascam.Explanation.save"), refer("targets", near="kerascam.x")
        ('kerascam.Explanation.plot', None)
    """
    if not re.fullmatch(r"[\w.]+", code):
        return None
    places = near.split(".")
    for length in range(len(places), 0, -1):
        full = ".".join([*places[:length], code])
        if _is_documented(full):
            return full
    return code if _is_documented(code) else None


def _is_documented(full: str) -> bool:
    owner, _, name = full.rpartition(".")
    named = public_names()
    return full in named or (
        inspect.isclass(named.get(owner)) and inspect.isroutine(getattr(named[owner], name, None))
    )


def documentation(full: str, lines: list[str]) -> list[str]:
    """Give the text of a reference page, as reStructuredText with Google's sections.

    Args:
        full: The object's full name, as "kerascam.GradCAM".
        lines: Its docstring.
    """
    text = "\n".join(lines)
    obj = public_names().get(full)
    if obj is not None:
        if inspect.isclass(obj):
            text = _with_inherited(obj, text)
        text = with_imports(full, text)
    return to_rst(text.split("\n"), lambda code: refer(code, full))


def sections(text: str) -> dict[str, str]:
    """Part a docstring into its sections; what stands before them has the name ""."""
    parts = SECTION.split(inspect.cleandoc(text))
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def entries(section: str) -> dict[str, str]:
    """Part a section of parameters or errors into its entries, by their names."""
    found: dict[str, str] = {}
    name = ""
    for line in filter(str.strip, section.split("\n")):
        if start := re.match(r" {4}\*{0,2}(\w+):", line):
            name = start[1]
            found[name] = line
        elif name:
            found[name] += f"\n{line}"
    return found


def _with_inherited(made: type, text: str) -> str:
    """Add what a named class leaves to the class that it extends: arguments, errors, fields."""
    parts = sections(text)
    for section in ("Args", "Attributes", "Raises"):
        own = entries(parts.get(section, ""))
        for base in made.__mro__[1:]:
            theirs = entries(sections(base.__doc__ or "").get(section, ""))
            if base.__module__.startswith("kerascam"):
                own.update({name: theirs[name] for name in theirs if name not in own})
        if section == "Args":
            own = {name: own[name] for name in _parameters(made) if name in own}
        if own:
            parts[section] = "\n" + "\n".join(own.values()) + "\n\n"
    order = ("Args", "Attributes", "Returns", "Raises", "Example")
    return (
        parts[""].rstrip()
        + "\n\n"
        + "".join(f"{name}:{parts[name]}" for name in order if name in parts)
    )


def _parameters(made: type) -> Iterator[str]:
    """List a class's parameters, and those that it hands on to the class that it extends."""
    owners = [owner for owner in made.__mro__ if "__init__" in vars(owner)]
    for owner in owners:
        # What a named class hands on to Explainer are its method's options, which it documents.
        if owner.__name__ == "Explainer" and owner is not made:
            return
        parameters = list(inspect.signature(owner).parameters.values())
        hands_on = bool(parameters) and parameters[-1].kind is inspect.Parameter.VAR_KEYWORD
        if hands_on and made.__name__ != "Explainer":
            parameters.pop()
        yield from (each.name for each in parameters)
        if not hands_on:
            return


def with_imports(full: str, text: str) -> str:
    """Begin an example with the imports that it needs, so that it runs as it is copied."""
    head, mark, example = text.partition("\nExample:\n")
    if not mark:
        return text
    module = full.rpartition(".")[0]
    code = "\n".join(re.findall(r"^\s*(?:>>>|\.\.\.) ?(.*)", example, re.MULTILINE))
    needed = [line for word, line in _IMPORTS.items() if _uses(code, word)]
    near = [
        name
        for owner, _, name in (each.rpartition(".") for each in public_names())
        if owner == module and _uses(code, name)
    ]
    if near:
        needed.append(f"from {module} import {', '.join(near)}")
    lead = "".join(f"    >>> {line}\n" for line in needed)
    words, prompt, rest = example.partition("    >>>")  # words may stand before the first line
    return f"{head}{mark}{words}{lead}{prompt}{rest}"


def _uses(code: str, word: str) -> bool:
    imported = re.search(rf"import (.*\b(as|,) )?{word}\b", code)
    return re.search(rf"(?<![\w.]){word}\b[.(]", code) is not None and imported is None
