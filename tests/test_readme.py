"""The README keeps its word: its code runs, and its table of methods is the registry's."""

import re
from pathlib import Path

import pytest

import readme_methods

README = readme_methods.README
BLOCK = re.compile(r"^```python[^\S\n]*\n(?P<code>.*?)^```[^\S\n]*$", re.DOTALL | re.MULTILINE)


def python_blocks(markdown: str) -> list[tuple[int, str]]:
    """Each ```python block, with the number of its first line of code."""
    return [
        (markdown.count("\n", 0, match.start("code")) + 1, match["code"])
        for match in BLOCK.finditer(markdown)
    ]


def run_blocks(blocks: list[tuple[int, str]], filename: str) -> None:
    """Run them in order in one namespace; a failure names the line of its block."""
    namespace: dict[str, object] = {"__name__": "readme"}
    for line, code in blocks:
        try:
            # The empty lines before it give each line the number that it has in the file.
            exec(compile("\n" * (line - 1) + code, filename, "exec"), namespace)
        except Exception as error:
            raise AssertionError(
                f"the code block at {filename}:{line} failed: {type(error).__name__}: {error}"
            ) from error


def test_blocks_run_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = python_blocks(README.read_text(encoding="utf-8"))
    assert blocks, "README.md shows no code"
    monkeypatch.chdir(tmp_path)
    run_blocks(blocks, "README.md")


def test_a_failing_block_is_named_by_its_line() -> None:
    markdown = "# Title\n\n```python\nx = 1\n```\n\n```\nnot python\n```\n\n```python\nx / 0\n```\n"
    blocks = python_blocks(markdown)
    assert blocks == [(4, "x = 1\n"), (12, "x / 0\n")]
    with pytest.raises(AssertionError, match=r"block at a\.md:12 failed: ZeroDivisionError"):
        run_blocks(blocks, "a.md")


def test_table_of_methods_is_the_registry() -> None:
    readme = README.read_text(encoding="utf-8")
    expected = readme_methods.with_table(readme, readme_methods.methods_table())
    assert readme == expected, "the table of methods is out of date; run: make readme"


def test_table_goes_between_the_markers() -> None:
    start, end = readme_methods.START, readme_methods.END
    readme = f"before\n{start}\nold\n{end}\nafter\n"
    written = readme_methods.with_table(readme, "new")
    assert written == f"before\n{start}\n\nnew\n\n{end}\nafter\n"
    assert readme_methods.with_table(written, "new") == written


@pytest.mark.parametrize("readme", ["", "{start}", "{end}{start}", "{start}{end}{end}"])
def test_markers_must_be_there_once(readme: str) -> None:
    readme = readme.format(start=readme_methods.START, end=readme_methods.END)
    with pytest.raises(ValueError, match=r"README\.md must have one <!-- methods:start -->"):
        readme_methods.with_table(readme, "table")
