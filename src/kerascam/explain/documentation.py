"""The documentation of the named classes, complete at run time and written once.

A class says what it is for, documents its options and shows an example; the formula and what
departs from the paper are said beside the function, the paper by the registry, and the arguments
that all classes share by `Explainer`. `help(GradCAM)` shows them as one text.
"""

import inspect
import re
import textwrap
from collections.abc import Iterable, Mapping

from ..registry import Method

SECTION = re.compile(r"^(Args|Attributes|Example|Raises|Returns):$", re.MULTILINE)
_WIDTH = 96  # of the lines of a docstring
_ORDER = ("Args", "Attributes", "Returns", "Raises", "Example")


def sections(text: str) -> dict[str, str]:
    """Split a docstring into its sections; what stands before them has the name ""."""
    parts = SECTION.split(inspect.cleandoc(text))
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def entries(section: str) -> dict[str, str]:
    """Split a section of parameters or errors into its entries, by their names."""
    found: dict[str, str] = {}
    name = ""
    for line in filter(str.strip, section.split("\n")):
        if start := re.match(r" {4}\*{0,2}(\w+):", line):
            name = start[1]
            found[name] = line
        elif name:
            found[name] += f"\n{line}"
    return found


def document(made: type, method: Method, shared: type) -> str:
    """Put the documentation of a named class together.

    Args:
        made: The class, with its own docstring.
        method: The method that it is bound to.
        shared: The class that it extends, whose arguments and errors it takes over.
    """
    own, theirs = sections(made.__doc__ or ""), sections(shared.__doc__ or "")
    lead, _, rest = own[""].strip().partition("\n\n")
    texts = [lead, _computation(method), rest, _paper(method)]
    known = {**entries(theirs["Args"]), **entries(own.get("Args", ""))}
    parameters = inspect.signature(made).parameters.values()
    own["Args"] = "\n" + "\n".join(
        _with_default(known[each.name], each) for each in parameters if each.name in known
    )
    own["Raises"] = own.get("Raises", theirs["Raises"])
    return _joined(texts, own)


def _joined(texts: Iterable[str], parts: Mapping[str, str]) -> str:
    """Write a docstring from its paragraphs and its sections, in the usual order."""
    written = [f"{name}:\n{parts[name].strip(chr(10))}" for name in _ORDER if name in parts]
    return "\n\n".join([*filter(None, texts), *written]) + "\n"


def _computation(method: Method) -> str:
    """Return what the function says of itself, without its first line and its examples."""
    text = inspect.getdoc(method.function) or ""
    _, _, body = text.partition("\n\n")
    return re.split(r"^>>> ", body, maxsplit=1, flags=re.MULTILINE)[0].strip()


def _paper(method: Method) -> str:
    if method.citation is None:
        return ""
    cited = method.citation
    text = f"Paper: {cited.authors} ({cited.year}), {cited.title}, {cited.venue}, {cited.url}."
    return textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def _with_default(entry: str, parameter: inspect.Parameter) -> str:
    if parameter.default in (parameter.empty, None):
        return entry
    *lines, last = entry.split("\n")
    indent = " " * 8
    wrapped = textwrap.wrap(
        f"{last.strip()} Default: {parameter.default!r}.",
        _WIDTH,
        initial_indent=indent if lines else " " * 4,
        subsequent_indent=indent,
        break_on_hyphens=False,
    )
    return "\n".join([*lines, *wrapped])


def with_attributes(made: type, shared: type) -> str:
    """Add to a class's documentation the attributes that it takes over from another.

    Args:
        made: The class, with its own docstring.
        shared: The class that it extends.
    """
    own, theirs = sections(made.__doc__ or ""), sections(shared.__doc__ or "")
    every = {**entries(theirs["Attributes"]), **entries(own["Attributes"])}
    own["Attributes"] = "\n".join(every.values())
    return _joined([own[""].strip()], own)
