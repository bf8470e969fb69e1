"""The README keeps its word: its code runs, and its table of methods is the registry's."""

import re
from pathlib import Path

import keras
import pytest
from markdown_blocks import python_blocks, run_blocks

import readme_methods
import readme_picture

README = readme_methods.README
COMPARISON = README.parent / "docs" / "benchmarks.md"


def test_blocks_run_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the example, which writes the model and the photograph of the blocks before it.

    Of its training, one epoch: nothing that is shown depends on how well the model learned.
    """
    fit = keras.Model.fit
    monkeypatch.setattr(
        keras.Model, "fit", lambda model, *data, **how: fit(model, *data, **how | {"epochs": 1})
    )
    readme = README.read_text(encoding="utf-8")
    blocks, made = python_blocks(readme), readme_picture.example(readme)
    monkeypatch.chdir(tmp_path)
    run_blocks(sorted(blocks, key=lambda block: block.code != made), "README.md")
    written = {"cam.png", "explained.png", "model.keras", "models", "out", "photo.png"}
    assert {path.name for path in tmp_path.iterdir()} == written


def test_only_blocks_that_say_so_need_an_extra() -> None:
    """What only an extra brings is imported or called below a line that names the extra."""
    readme = README.read_text(encoding="utf-8")
    needs = {
        "import export": "serving",
        "kerascam serve": "serving",
        "scene_classification import": "examples",
    }
    for code, extra in needs.items():
        before = (
            readme[: readme.index(f"{code}")].rsplit("```", 1)[0].rstrip().rsplit("\n\n", 1)[-1]
        )
        assert f"extra `{extra}`" in " ".join(before.split()), code


def test_the_speed_stands_on_the_page_of_benchmarks() -> None:
    speed = README.read_text(encoding="utf-8").split("## Speed\n")[1].split("\n## ")[0]
    measured = COMPARISON.read_text(encoding="utf-8").split("<!-- peers:start -->")[1]
    row = re.compile(r"^\| Grad-CAM \|.*?\(([\d.]+)\s×\)", re.MULTILINE)
    ratios = []
    for batch in (8, 1):
        parts = [part for part in measured.split("\n## ") if f", batch {batch}\n" in part]
        ratios += sorted(found[1] for part in parts if (found := row.search(part)))
    assert re.findall(r"\d\.\d\d", speed) == ratios and len(ratios) == 4


@pytest.mark.parametrize("count", [0, 2])
def test_one_block_writes_the_picture(count: int) -> None:
    block = '```python\ncv2.imwrite("cam.png", picture)\n```\n'
    assert readme_picture.example(f"```python\nx = 1\n```\n{block}").startswith("cv2.imwrite")
    with pytest.raises(ValueError, match=f"must write cam.png, not {count}"):
        readme_picture.example(block * count)


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
