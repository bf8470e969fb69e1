"""What the terminal shows: tables, progress, notes, failures and errors.

All text is made harmless here before it is printed: a file, a class or a layer may have any
name.
"""

import io
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from rich.text import Text

from .faults import encodable, harmless

# Stands for a space within a name while lines are broken; `harmless` leaves none in a text.
_GLUE = "\x1f"

#: What an error that stdout raises names as its file.
STDOUT = "standard output"


def print_table(
    titles: Sequence[str],
    rows: Iterable[Sequence[str]],
    right: str = "",
    wordy: Sequence[str] = (),
) -> None:
    """Print a table on stdout: for the terminal's width, or one row per line without a terminal.

    Args:
        titles: The columns' titles.
        rows: The cells' texts, taken literally.
        right: The title of the column that is aligned to the right.
        wordy: The titles of columns of prose, which may be broken between words.
    """
    console = _console(sys.stdout)
    cells = [[_fit(cell, console.file) for cell in row] for row in rows]
    width = console.width if console.is_terminal else None
    rule = "─" if _fit("─", console.file) == "─" else "-"
    head, body = lay_out(titles, cells, width=width, right=right, wordy=wordy, rule=rule)
    try:
        for line in head:
            _print(console, line, "bold")
        for line in body:
            _print(console, line)
        console.file.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OSError(error.errno, error.strerror, STDOUT) from None


def note(message: str) -> None:
    """Print a note on stderr."""
    _say(f"kerascam: note: {message}", style="dim")


def failures(listed: Sequence[tuple[str, str]], count: int, failed: int | None = None) -> None:
    """Print on stderr which of `count` images could not be explained, and why.

    Args:
        listed: Those that are named, with the reasons.
        count: How many images there are.
        failed: How many could not be explained, if not all of these are named.
    """
    if listed:
        failed = failed or len(listed)
        _say(f"kerascam: {failed} of {count} images could not be explained:", style="bold red")
        for image, reason in listed:
            _say(f"{image}:", reason, indent="  ", names=[image])
        if failed > len(listed):
            _say(f"and {failed - len(listed)} more", indent="  ")


def done(message: str, *names: str) -> None:
    """Print on stderr what was written; lines do not break within the names."""
    _say(f"kerascam: {message}", names=names)


def error(message: str, *names: str) -> None:
    """Print on stderr why a command cannot be run; lines do not break within the names."""
    _say(f"kerascam: error: {message}", names=names)


def plain(line: str) -> None:
    """Write one line on stderr as it is."""
    _say(line)


class Bar:
    """A progress bar on stderr, seen on a terminal only: a spinner until there is a total.

    Args:
        doing: What is being done.
    """

    def __init__(self, doing: str) -> None:
        console = _console(sys.stderr)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[counted]}", markup=False),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task(doing, total=None, counted="")
        self._done, self._total = 0, 0

    def __enter__(self) -> "Bar":
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def now(self, doing: str, total: int | None = None) -> None:
        """Say what is being done from here on, and in how many steps if that is known."""
        self._done, self._total = 0, total or 0
        self._progress.reset(self._task, description=doing, total=total, counted=self._counted())

    def advance(self) -> None:
        """Count a step that is done."""
        self._done += 1
        self._progress.update(self._task, completed=self._done, counted=self._counted())

    def reach(self, done: int, total: int) -> None:
        """Show how many steps are done, of how many."""
        self._done, self._total = done, total
        self._progress.update(self._task, completed=done, total=total, counted=self._counted())

    def within(self, steps: float, doing: str) -> None:
        """Show how far the next steps are.

        Args:
            steps: How many of them are made, with a fraction.
            doing: What is being done of them, after the count.
        """
        counted = f"{self._counted()}  {doing}"
        self._progress.update(self._task, completed=self._done + steps, counted=counted)

    def _counted(self) -> str:
        return f"{self._done}/{self._total}" if self._total else ""


def _say(*parts: str, style: str = "", indent: str = "", names: Sequence[str] = ()) -> None:
    """Print parts of a sentence on stderr.

    On a terminal that is too narrow each part begins a line, and lines break between words, but not
    at the spaces of a name; if stderr is no terminal, all is one line.
    """
    console = _console(sys.stderr)
    texts = [_fit(part, console.file) for part in parts]
    whole = indent + " ".join(texts)
    if not console.is_terminal or cell_len(whole) <= console.width:
        _print(console, whole, style)
        return
    names = [_fit(name, console.file) for name in names if " " in name]
    for number, text in enumerate(texts):
        for name in names:
            text = text.replace(name, name.replace(" ", _GLUE))
        for line in textwrap.wrap(
            text,
            console.width,
            initial_indent=indent + "    " * (number > 0),
            subsequent_indent=indent + "    ",
            break_long_words=False,
            break_on_hyphens=False,
        ):
            _print(console, line.replace(_GLUE, " "), style)


def _console(stream: Any) -> Console:
    # Python has no stdout or stderr at all if the caller closed it.
    file = io.StringIO() if stream is None else stream
    return Console(file=file, highlight=False, markup=False, emoji=False)


def _print(console: Console, line: str, style: str = "") -> None:
    # Without rich's own wrapping, which would break a long name by a line end of its own.
    line = encodable(line, getattr(console.file, "encoding", None))
    console.print(Text(line, style=style), soft_wrap=True)


def _fit(text: str, file: object) -> str:
    return encodable(harmless(text), getattr(file, "encoding", None))


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
        width: The width of a line, in columns of the terminal; None for any.
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
