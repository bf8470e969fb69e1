"""The README keeps its word: its code runs, and its table of methods is the registry's."""

from pathlib import Path

import keras
import pytest
from markdown_blocks import python_blocks, run_blocks

import readme_methods

README = readme_methods.README
COMPARISON = README.parent / "docs" / "benchmarks.md"


def test_blocks_run_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of its training, one epoch: nothing that is shown depends on how well the model learned."""
    fit = keras.Model.fit
    monkeypatch.setattr(
        keras.Model, "fit", lambda model, *data, **how: fit(model, *data, **how | {"epochs": 1})
    )
    blocks = python_blocks(README.read_text(encoding="utf-8"))
    assert blocks, "README.md shows no code"
    monkeypatch.chdir(tmp_path)
    run_blocks(blocks, "README.md")


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
