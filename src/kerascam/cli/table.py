"""Lay a table out for a width, without ever breaking a name."""

import textwrap
from collections.abc import Iterator, Sequence
from itertools import chain

from rich.cells import cell_len

_GAP = "  "
_INDENT = "    "


def lay_out(
    titles: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    width: int | None = None,
    right: str = "",
    wordy: Sequence[str] = (),
    rule: str = "─",
) -> tuple[list[str], list[str]]:
    """Return the lines of the head, the last of which is a rule, and those of the rows.

    A row that is too wide goes on over several lines, each with as many whole columns as fit. A
    cell that is wider than a line stays in one piece: the terminal wraps it, and copies it whole.

    Args:
        titles: The columns' titles.
        rows: The cells' texts.
        width: Of a line, in columns of the terminal; None for any.
        right: The title of the column that is aligned to the right.
        wordy: The titles of columns of prose, which may be broken between words.
        rule: What the line below the head is made of.
    """
    widths = [max(map(cell_len, column)) for column in zip(titles, *rows, strict=True)]
    groups = list(_groups(widths, width))

    def lines(cells: Sequence[str]) -> Iterator[str]:
        for number, group in enumerate(groups):
            indent = _INDENT if number else ""
            text = _GAP.join(
                _padded(cells[place], widths[place], titles[place] == right) for place in group
            ).rstrip()
            prose = len(group) == 1 and titles[group[0]] in wordy
            if text and prose and width is not None:
                yield from textwrap.wrap(
                    text, width, initial_indent=indent, subsequent_indent=indent,
                    break_long_words=False, break_on_hyphens=False,
                )  # fmt: skip
            elif text:
                yield indent + text

    head, body = list(lines(titles)), [list(lines(row)) for row in rows]
    longest = max(map(cell_len, chain(head, *body)))
    return [*head, rule * (longest if width is None else min(longest, width))], list(chain(*body))


def _groups(widths: Sequence[int], width: int | None) -> Iterator[list[int]]:
    """Return the places of the columns that stand on one line, line by line."""
    group: list[int] = []
    used = 0
    for place, needed in enumerate(widths):
        if group and width is not None and used + len(_GAP) + needed > width:
            yield group
            group, used = [], len(_INDENT)
        used += needed + (len(_GAP) if group else 0)
        group.append(place)
    yield group


def _padded(text: str, width: int, right: bool) -> str:
    space = " " * (width - cell_len(text))
    return space + text if right else text + space
