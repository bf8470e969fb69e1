"""An evaluation as a table: Markdown, HTML, for the terminal, or pandas."""

import html
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..errors import brief
from ..metrics import METRICS
from ..optional import pandas_for
from .bootstrap import Interval

STYLES = ("markdown", "rich")
_NOTHING = 1e-12  # the rounding of sums


class Cell(NamedTuple):
    """One mean.

    Attributes:
        text: With its interval.
        leads: Whether the method is the best, or not shown to be worse than the best.
    """

    text: str
    leads: bool


def number(value: float) -> str:
    """Write a figure with three significant digits.

    Example:
        >>> number(0.12345), number(12345.6), number(0.0), number(float("nan"))
        ('0.123', '12300', '0', '–')
    """
    if not np.isfinite(value):
        return "–"
    if abs(value) < _NOTHING:
        return "0"
    return np.format_float_positional(value, 3, unique=False, fractional=False, trim="-")


def words(found: Interval) -> str:
    """Write a mean with its interval.

    Example:
        >>> words(Interval(0.5, 0.4, 0.6, 3))
        '0.5 [0.4, 0.6]'
    """
    if not np.isfinite(found.value):
        return "–"
    return f"{number(found.value)} [{number(found.low)}, {number(found.high)}]"


def heads_of(evaluation: Any) -> list[str]:
    """Return the titles of the metrics, each with an arrow to where better is."""
    known = (METRICS[name] for name in evaluation.metrics)
    return [f"{each.title} {'↑' if each.higher_is_better else '↓'}" for each in known]


def rows_of(evaluation: Any) -> list[tuple[str, list[Cell]]]:
    """Return a title and cells for each method and baseline."""
    leads = {metric: _leading(evaluation, metric) for metric in evaluation.metrics}
    return [
        (
            evaluation.titles[name],
            [
                Cell(words(evaluation.mean(name, metric)), name in leads[metric])
                for metric in evaluation.metrics
            ],
        )
        for name in evaluation.subjects
    ]


def _leading(evaluation: Any, metric: str) -> set[str]:
    best = evaluation.best(metric)
    if best is None:
        return set()
    others = [name for name in evaluation.methods if name != best]
    apart = {name: evaluation.difference(name, best, metric) for name in others}
    return {best} | {
        name for name, found in apart.items() if found.count and not found.away_from_zero
    }


def missing_of(evaluation: Any) -> list[str]:
    """Say which means are of fewer images than there are, and why."""
    found: dict[tuple[str, int, str], list[str]] = {}
    for row, name in enumerate(evaluation.subjects):
        for column, metric in enumerate(evaluation.metrics):
            reasons = [why.rstrip(".") for why in evaluation.reasons[row, column] if why]
            if reasons:
                key = name, len(reasons), "; ".join(dict.fromkeys(reasons))
                found.setdefault(key, []).append(METRICS[metric].title)
    alike: dict[tuple[int, str, str], list[str]] = {}
    for (name, count, why), metrics in found.items():
        alike.setdefault((count, why, ", ".join(metrics)), []).append(evaluation.titles[name])
    return [
        f"{_names(titles, evaluation)}, {metrics}: not defined for {count} of {len(evaluation)} "
        f"images: {why[0].lower()}{why[1:]}."
        for (count, why, metrics), titles in alike.items()
    ]


def _names(titles: Sequence[str], evaluation: Any) -> str:
    if len(titles) == len(evaluation.subjects):
        return "All methods and baselines"
    return ", ".join(titles)


def caption_of(evaluation: Any) -> str:
    """Say what a table's cells are."""
    return (
        f"Means over {len(evaluation)} images with 95 % intervals of the bootstrap. ↑ more is "
        f"better, ↓ less is. Bold: the best method, and those not shown to differ from it on the "
        f"same images."
    )


def table_of(evaluation: Any, style: str) -> Any:
    """Make a table; see `Evaluation.table`."""
    if style not in STYLES:
        raise ValueError(f"style must be 'markdown' or 'rich', not {brief(style)}")
    return _rich(evaluation) if style == "rich" else markdown_table(evaluation)


def markdown_table(evaluation: Any) -> str:
    """Make a table in Markdown, with its caption and what is missing below."""
    lines = [_line(["", *heads_of(evaluation)])]
    lines.append(_line(["---", *["---:"] * len(evaluation.metrics)]))
    for title, cells in rows_of(evaluation):
        lines.append(_line([title, *(_strong(cell) for cell in cells)]))
    lines += ["", caption_of(evaluation), *(f"\n- {each}" for each in missing_of(evaluation))]
    return "\n".join(lines) + "\n"


def html_table(evaluation: Any) -> str:
    """Make a table in HTML; baselines have a class of their own."""
    heads = "".join(f"<th>{html.escape(head)}</th>" for head in ["", *heads_of(evaluation)])
    lines = []
    for name, (title, cells) in zip(evaluation.subjects, rows_of(evaluation), strict=True):
        kind = ' class="baseline"' if name in evaluation.baselines else ""
        texts = "".join(
            f"<td><b>{cell.text}</b></td>" if cell.leads else f"<td>{cell.text}</td>"
            for cell in cells
        )
        lines.append(f"<tr{kind}><th>{html.escape(title)}</th>{texts}</tr>")
    return (
        f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
        f"<p>{html.escape(caption_of(evaluation))}</p>"
    )


def frame_of(evaluation: Any) -> Any:
    """Return a pandas DataFrame; see `Evaluation.to_dataframe`."""
    pandas = pandas_for("to_dataframe")
    subjects, metrics, images = evaluation.figures.shape
    return pandas.DataFrame(
        {
            "method": np.repeat(evaluation.subjects, metrics * images),
            "metric": np.tile(np.repeat(evaluation.metrics, images), subjects),
            "image": np.tile(np.arange(images), subjects * metrics),
            "class": np.tile(evaluation.classes, subjects * metrics),
            "figure": evaluation.figures.ravel(),
            "reason": evaluation.reasons.ravel(),
        }
    )


def _rich(evaluation: Any) -> Any:
    from rich.table import Table

    table = Table(title="", caption=caption_of(evaluation), caption_justify="left")
    table.add_column("")
    for head in heads_of(evaluation):
        table.add_column(head, justify="right")
    for title, cells in rows_of(evaluation):
        marked = [f"[bold]{_plain(cell.text)}[/]" if cell.leads else _plain(cell.text)
                  for cell in cells]  # fmt: skip
        table.add_row(_plain(title), *marked)
    return table


def _plain(text: str) -> str:
    return text.replace("[", r"\[")


def _strong(cell: Cell) -> str:
    return f"**{cell.text}**" if cell.leads else cell.text


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
