"""The README keeps its word: its code runs, and its table of methods is the registry's."""

import re
from pathlib import Path

import pytest
from markdown_blocks import python_blocks, run_blocks

import readme_methods

README = readme_methods.README
COMPARISON = README.parent / "docs" / "benchmarks.md"


def test_blocks_run_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = python_blocks(README.read_text(encoding="utf-8"))
    assert blocks, "README.md shows no code"
    monkeypatch.chdir(tmp_path)
    run_blocks(blocks, "README.md")


def test_table_of_methods_is_the_registry() -> None:
    readme = README.read_text(encoding="utf-8")
    expected = readme_methods.with_table(readme, readme_methods.methods_table())
    assert readme == expected, "the table of methods is out of date; run: make readme"


def test_figures_beside_other_libraries_are_those_of_their_page() -> None:
    text = " ".join(README.read_text(encoding="utf-8").split())
    page = COMPARISON.read_text(encoding="utf-8")
    low, high = re.search(
        r"as fast as tf-keras-vis in every row \| ([\d.]+) .* to ([\d.]+) ", page
    ).groups()
    assert f"{float(low):.1f} to {float(high):.0f} times as fast as tf-keras-vis" in text
    (kinds,) = re.findall(r"Grad-CAM of the (\d+) kinds of model", page)
    assert f"Grad-CAM on all {kinds} kinds of model" in text
    right = dict(re.findall(r"^\| (\S+) \| (\d+) \| \d+ \| \d+ \|$", page, re.MULTILINE))
    assert right.pop("kerascam") == kinds
    said = {name: re.search(rf"{name} (?:gets )?(\d+)", text)[1] for name in right}
    assert said == right


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
