"""The documentation's reference is whole: every public name, with all that a page promises."""

import doctest
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import kerascam
from kerascam.registry import METHODS
from kerascam_docs import figures, pages
from kerascam_docs.reference import documentation as page_of
from kerascam_docs.reference import entries, public_names, refer, sections

DOCS = Path(__file__).parents[1] / "docs"
NAMES = public_names()
TEXTS = {
    full: "\n".join(page_of(full, (inspect.getdoc(obj) or "").split("\n")))
    for full, obj in NAMES.items()
}


def users_functions() -> Iterator[Any]:
    """Each public function, and each public method of a public class, under its full name."""
    for full, obj in NAMES.items():
        if inspect.isfunction(obj):
            yield pytest.param(obj, id=full)
        for name, member in vars(obj).items() if inspect.isclass(obj) else ():
            ours = not name.startswith("_") or name == "__call__"
            # Keras calls a callback's methods; the user does not.
            if inspect.isfunction(member) and ours and not name.startswith("on_"):
                yield pytest.param(member, id=f"{full}.{name}")


@pytest.mark.parametrize("name", [name for name in kerascam.__all__ if not name.startswith("__")])
def test_public_name_is_in_the_reference(name: str) -> None:
    page = pages.api_lists()
    assert f"~kerascam.{name}" in page  # as it is, or a module's own names


@pytest.mark.parametrize("full", NAMES)
def test_a_class_says_what_it_takes_or_holds(full: str) -> None:
    obj, parts = NAMES[full], sections(TEXTS[full])
    if not inspect.isclass(obj) or issubclass(obj, tuple | Exception):
        return
    said = entries(parts.get("Args", "") + parts.get("Attributes", ""))
    assert [name for name in inspect.signature(obj).parameters if name not in said] in (
        [],
        ["arguments"],  # of a named class: those of the class that it extends are listed in place
        ["options"],
    )


@pytest.mark.parametrize("function", list(users_functions()))
def test_a_function_says_what_it_takes_and_gives(function: Any) -> None:
    parts, signature = sections(inspect.getdoc(function) or ""), inspect.signature(function)
    names = [name for name in signature.parameters if name != "self"]
    one_line = function.__qualname__ in ("Explanation.class_name",)  # its line names its argument
    assert one_line or list(entries(parts.get("Args", ""))) == names
    says_nothing = signature.return_annotation is None or not names
    assert says_nothing or one_line or "Returns" in parts


@pytest.mark.parametrize("full", NAMES)
def test_the_page_has_an_example_that_imports_what_it_shows(full: str) -> None:
    """That it runs is checked where the documentation is built, as it is printed there."""
    code = "\n".join(each.source for each in doctest.DocTestParser().get_examples(TEXTS[full]))
    assert re.search(r"^from kerascam\S* import ", code, re.MULTILINE)


def test_what_a_docstring_names_is_linked() -> None:
    assert refer("GradCAM", near="kerascam.LayerCAM") == "kerascam.GradCAM"
    assert refer("explain", near="kerascam.serving.Client.predict") == (
        "kerascam.serving.Client.explain"
    )
    assert refer("images", near="kerascam.GradCAM") is None
    assert refer("suggest_layers(model)", near="kerascam.GradCAM") is None


def test_every_paper_is_cited_once() -> None:
    made = pages.bibtex()
    keys = re.findall(r"^@misc\{(.+),$", made, re.MULTILINE)
    papers = {method.citation.title for method in METHODS.values() if method.citation}
    assert len(keys) == len(set(keys)) == len(papers)
    assert "author = {Draelos and Carin}" in made
    assert all(made.count(f"{{{{{title}}}}}") == 1 for title in papers)


def test_passes_are_counted_from_the_options() -> None:
    assert pages.passes("grad_cam") == "1 forward, back to the layer"
    assert pages.passes("guided_grad_cam") == "1 forward, 1 backward"
    assert pages.passes("integrated_gradients") == "1 + 32 forward, 32 backward"


def test_figures_that_pages_show_are_drawn() -> None:
    shown = {
        match
        for page in DOCS.rglob("*.md")
        if "_build" not in page.parts
        for match in re.findall(r"_generated/([\w.]+\.(?:png|jpg|svg))", page.read_text("utf-8"))
    }
    assert shown <= set(figures.FIGURES)


@pytest.mark.parametrize("path", sorted(DOCS.glob("notebooks/*.ipynb")), ids=lambda path: path.stem)
def test_notebook_holds_no_outputs(path: Path) -> None:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    codes = [cell for cell in cells if cell["cell_type"] == "code"]
    assert codes
    kept = [cell["id"] for cell in codes if cell["outputs"] or cell["execution_count"] is not None]
    assert not kept, f"{path.name} keeps outputs in {', '.join(kept)}; clear them before a commit"
