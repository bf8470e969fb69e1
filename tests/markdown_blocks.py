"""Code in Markdown: find the blocks that must run, run them, and compare what they print."""

import contextlib
import doctest
import io
import re
from typing import NamedTuple

BLOCK = re.compile(
    r"^```python[^\S\n]*\n(?P<code>.*?)^```[^\S\n]*$"
    r"(?:\s*?^```text[^\S\n]*\n(?P<printed>.*?)^```[^\S\n]*$)?",
    re.DOTALL | re.MULTILINE,
)
_ROUGHLY = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


class Block(NamedTuple):
    """A ```python block of a page.

    Attributes:
        line: The number of its first line of code.
        code: The code.
        printed: What the page says that it prints: the ```text block right after it; None
            if there is none.
    """

    line: int
    code: str
    printed: str | None = None


def python_blocks(markdown: str) -> list[Block]:
    """List the ```python blocks of a page in order."""
    return [
        Block(markdown.count("\n", 0, match.start("code")) + 1, match["code"], match["printed"])
        for match in BLOCK.finditer(markdown)
    ]


def run_blocks(blocks: list[Block], filename: str) -> None:
    """Run them in order in one namespace; a failure names the line of its block.

    What a block prints must be what the page says: white space apart, and "..." stands for
    anything.
    """
    namespace: dict[str, object] = {"__name__": "page"}
    for line, code, wanted in blocks:
        printed = io.StringIO()
        try:
            # The empty lines before it give each line the number that it has in the file.
            compiled = compile("\n" * (line - 1) + code, filename, "exec")
            with contextlib.redirect_stdout(printed):
                exec(compiled, namespace)
        except Exception as error:
            raise AssertionError(
                f"the code block at {filename}:{line} failed: {type(error).__name__}: {error}"
            ) from error
        same = doctest.OutputChecker().check_output
        if wanted is not None and not same(wanted, printed.getvalue(), _ROUGHLY):
            raise AssertionError(
                f"the code block at {filename}:{line} printed\n{printed.getvalue()}\nnot\n{wanted}"
            )
