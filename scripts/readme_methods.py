#!/usr/bin/env python
"""The README's table of methods, as the registry has it: `--check` compares, `--write` mends."""

import argparse
import difflib
import os
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kerascam.metrics import Metric
    from kerascam.registry import Method

README = Path(__file__).resolve().parents[1] / "README.md"
START, END = "<!-- methods:start -->", "<!-- methods:end -->"


def methods_table() -> str:
    """One row per method, in the order of registration: its class, what it computes, its paper."""
    from kerascam.registry import METHODS

    rows = [("Class", "What it computes", "Paper"), ("---", "---", "---")]
    for method in METHODS.values():
        rows.append((f"`{method.class_name}`", method.summary, paper(method)))
    return table(rows)


def paper(method: "Method | Metric") -> str:
    """Link the paper of a method or metric; a dash if there is none."""
    cited = method.citation
    return f"[{cited.short}]({cited.url})" if cited else "—"


def table(rows: Iterable[Sequence[str]]) -> str:
    """Write rows as a Markdown table; the second one is the rule under the heading."""
    return "\n".join(f"| {' | '.join(_cell(text) for text in row)} |" for row in rows)


def with_table(readme: str, table: str) -> str:
    """Return the README's text with `table` between the two markers.

    Raises:
        ValueError: If `readme` does not have each marker once, the start before the end.
    """
    marks = re.findall(f"{START}|{END}", readme)
    if marks != [START, END]:
        raise ValueError(f"README.md must have one {START} and then one {END}, not {marks}")
    before, after = readme.split(START)[0], readme.split(END)[1]
    return f"{before}{START}\n\n{table}\n\n{END}{after}"


def _cell(text: str) -> str:
    """Markdown for one cell: a bar inside it would end it, and code has one backtick, not two."""
    return re.sub("`{2,}", "`", text).replace("|", r"\|")


def main() -> int:
    """Compare or write; 1 if the comparison found a difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--check", action="store_true", help="fail if the table is out of date")
    mode.add_argument("--write", action="store_true", help="write the table again")
    args = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

    old = README.read_text(encoding="utf-8")
    new = with_table(old, methods_table())
    if args.write:
        README.write_text(new, encoding="utf-8")
        return 0
    difference = difflib.unified_diff(
        old.splitlines(), new.splitlines(), "README.md", "the registry", n=0, lineterm=""
    )
    if report := "\n".join(difference):
        print(f"{report}\n\nREADME.md's table of methods is out of date; run: make readme")
        return 1
    print("README.md's table of methods is up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
