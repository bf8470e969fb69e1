"""What the terminal shows: tables, progress, notes and failures."""

import io
import sys
from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table
from rich.text import Text

# Wide enough for any row: where nobody looks at columns, nothing may be cut or wrapped.
_UNBOUND = 10_000


def print_table(titles: Sequence[str], rows: Iterable[Sequence[str]], right: str = "") -> None:
    """Print a table on stdout, as wide as it needs to be where stdout is not a terminal.

    Args:
        titles: The columns' titles.
        rows: The cells' texts, taken literally.
        right: The title of the column that is aligned to the right.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for title in titles:
        table.add_column(
            Text(title), overflow="fold", justify="right" if title == right else "left"
        )
    for row in rows:
        table.add_row(*map(Text, row))
    console = Console(file=sys.stdout)
    if console.is_terminal:
        console.print(table)
        return
    plain = Console(file=io.StringIO(), width=_UNBOUND, color_system=None)
    with plain.capture() as captured:
        plain.print(table)
    for line in captured.get().splitlines():
        print(line.rstrip())


def note(message: str) -> None:
    """Say on stderr what the user should know."""
    _say(f"kerascam: note: {message}", "dim")


def failures(listed: Sequence[tuple[str, str]], count: int) -> None:
    """Say on stderr which of `count` images could not be explained, and why."""
    if listed:
        _say(f"kerascam: {len(listed)} of {count} images could not be explained:", "bold red")
        for image, reason in listed:
            _say(f"  {image}: {reason}")


def done(message: str) -> None:
    """Say on stderr what was written."""
    _say(f"kerascam: {message}")


class Bar:
    """A progress bar on stderr, seen on a terminal only.

    Args:
        doing: What is being done.
        total: How many steps there are.
    """

    def __init__(self, doing: str, total: int | None = None) -> None:
        console = Console(file=sys.stderr)
        columns = [SpinnerColumn(), TextColumn("{task.description}"), BarColumn()]
        columns += [MofNCompleteColumn()] if total is not None else []
        self._progress = Progress(
            *columns, console=console, transient=True, disable=not console.is_terminal
        )
        self._task = self._progress.add_task(doing, total=total)

    def __enter__(self) -> "Bar":
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def now(self, doing: str) -> None:
        """Say what is being done from here on."""
        self._progress.update(self._task, description=doing)

    def advance(self, steps: int = 1) -> None:
        """Count steps that are done."""
        self._progress.advance(self._task, steps)


def _say(text: str, style: str = "") -> None:
    console = Console(file=sys.stderr, highlight=False, markup=False, emoji=False)
    console.print(Text(text, style=style), soft_wrap=True)
