"""Docstrings are written in Markdown; Sphinx's autodoc reads reStructuredText."""

import re
from collections.abc import Callable, Iterable, Iterator

_MATH = re.compile(r"\$\$(?P<formula>.+?)\$\$[^\S\n]*(?P<rest>[^\n]*)", re.DOTALL)
_INLINE = re.compile(r"`(?P<code>[^`\n]+)`|\$(?P<formula>[^$\n]+)\$|(?P<special>[*|])")
# A parameter's own line keeps its stars: napoleon reads them.
_PARAMETER = re.compile(r"\s*\*{1,2}\w+:")
_RULE = re.compile(r"\|(\s*:?-+:?\s*\|)+")


def to_rst(lines: Iterable[str], refer: Callable[[str], str | None]) -> list[str]:
    r"""Turn a docstring's Markdown into reStructuredText.

    Args:
        lines: The docstring's, without their common indent.
        refer: Gives the full name of the public object that code such as "GradCAM" stands for;
            None where it stands for none.

    Returns:
        Lines; doctests are as they were.

    Example:
        >>> to_rst(["`GradCAM` of $x$:", "$$a$$ at `x`", ">>> `"], {"GradCAM": "k.GradCAM"}.get)
        [':py:obj:`GradCAM <k.GradCAM>` of :math:`x`:', '', '.. math:: a', '', 'at ``x``', '>>> `']
    """
    made: list[str] = []
    for kind, block in _blocks(lines):
        if kind == "doctest":
            made += block
        elif kind == "table":
            made += _table(block, refer)
        else:
            made += _text("\n".join(block), refer).split("\n")
    return made


def _blocks(lines: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """Part doctests and tables from text; a doctest ends with an empty line."""
    kind, block = "text", list[str]()
    for line in lines:
        start = line.lstrip()
        if start.startswith(">>>") or (kind == "doctest" and start):
            now = "doctest"
        else:
            now = "table" if start.startswith("| ") else "text"
        if now != kind:
            yield kind, block
            kind, block = now, []
        block.append(line)
    yield kind, block


def _text(text: str, refer: Callable[[str], str | None]) -> str:
    parts, end = list[str](), 0
    for match in _MATH.finditer(text):
        parts.append(_inline(text[end : match.start()], refer))
        formula = " ".join(match["formula"].split())
        indent = re.search(r"[^\n]*\Z", text[: match.start()])
        blank = " " * len(indent[0]) if indent and not indent[0].strip() else ""
        parts.append(f"\n{blank}.. math:: {formula}\n\n{blank}{_inline(match['rest'], refer)}")
        end = match.end()
    parts.append(_inline(text[end:], refer))
    return "".join(parts)


def _inline(text: str, refer: Callable[[str], str | None]) -> str:
    return "\n".join(_inline_of_line(line, refer) for line in text.split("\n"))


def _inline_of_line(line: str, refer: Callable[[str], str | None]) -> str:
    name = _PARAMETER.match(line)
    start = name.end() if name else 0

    def turn(match: re.Match[str]) -> str:
        if match["special"]:
            return "\\" + match["special"]
        if match["formula"]:
            return f":math:`{match['formula']}`"
        full = refer(match["code"])
        return f":py:obj:`{match['code']} <{full}>`" if full else f"``{match['code']}``"

    return line[:start] + _INLINE.sub(turn, line[start:])


def _table(rows: list[str], refer: Callable[[str], str | None]) -> list[str]:
    indent = " " * (len(rows[0]) - len(rows[0].lstrip()))
    made = ["", f"{indent}.. list-table::", f"{indent}   :header-rows: 1", ""]
    for row in rows:
        if _RULE.fullmatch(row.strip()):
            continue
        for place, cell in enumerate(row.strip().strip("|").split("|")):
            mark = "* -" if place == 0 else "  -"
            made.append(f"{indent}   {mark} {_inline(cell.strip(), refer)}")
    return [*made, ""]
