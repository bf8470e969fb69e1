"""The public names of kerascam, and what their reference pages say beyond their docstrings."""

import importlib
import inspect
import re
from functools import cache
from typing import Any

from kerascam_docs.markdown import to_rst

# What an example may use without saying so, as the modules' doctests do.
_IMPORTS = {
    "Path": "from pathlib import Path",
    "keras": "import keras",
    "np": "import numpy as np",
    "tf": "import tensorflow as tf",
}

_MODULES = ("targets", "metrics", "interop", "serving")


@cache
def public_names() -> dict[str, Any]:
    """Map the full name of each public object to it, in the order of the reference."""
    named: dict[str, Any] = {}
    for module_name in ("kerascam", *(f"kerascam.{each}" for each in _MODULES)):
        module = importlib.import_module(module_name)
        for name in module.__all__:
            if not name.startswith("__") and callable(getattr(module, name)):  # no table, no module
                named[f"{module_name}.{name}"] = getattr(module, name)
    # What a public function returns, under the only name that it has.
    suggest = importlib.import_module("kerascam.model.suggest")
    for name in ("LayerSuggestions", "LayerSuggestion"):
        named[f"kerascam.model.suggest.{name}"] = getattr(suggest, name)
    bootstrap = importlib.import_module("kerascam.evaluating.bootstrap")
    named["kerascam.evaluating.bootstrap.Interval"] = bootstrap.Interval
    return named


def refer(code: str, near: str) -> str | None:
    """Return the full name of what a docstring calls `code`.

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
    """Return the text of a reference page, as reStructuredText with Google's sections.

    Args:
        full: The object's full name, as "kerascam.GradCAM".
        lines: Its docstring.
    """
    text = "\n".join(lines)
    obj = public_names().get(full)
    if obj is not None:
        text = with_imports(full, text)
    return to_rst(text.split("\n"), lambda code: refer(code, full))


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
