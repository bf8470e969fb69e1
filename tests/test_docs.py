"""The documentation's reference is whole: every public name, with all that a page promises."""

import ast
import builtins
import doctest
import inspect
import json
import re
from pathlib import Path

import pytest

import kerascam
from kerascam.metrics import METRICS
from kerascam.registry import METHODS
from kerascam_docs import figures, pages
from kerascam_docs.anchors import dead_links
from kerascam_docs.reference import documentation as page_of
from kerascam_docs.reference import public_names, refer

DOCS = Path(__file__).parents[1] / "docs"
EXAMPLE = DOCS.parent / "examples" / "scene_classification"
NAMES = public_names()
TEXTS = {
    full: "\n".join(page_of(full, (inspect.getdoc(obj) or "").split("\n")))
    for full, obj in NAMES.items()
}


@pytest.mark.parametrize("name", [name for name in kerascam.__all__ if not name.startswith("__")])
def test_public_name_is_in_the_reference(name: str) -> None:
    page = pages.api_lists()
    assert f"~kerascam.{name}" in page  # as it is, or a module's own names


@pytest.mark.parametrize("full", NAMES)
def test_the_page_has_an_example_that_imports_what_it_shows(full: str) -> None:
    """That it runs is checked where it is written; the page adds the imports of its module."""
    code = "".join(each.source for each in doctest.DocTestParser().get_examples(TEXTS[full]))
    assert re.search(r"^from kerascam\S* import ", code, re.MULTILINE)
    assert unknown(code) == set()


def unknown(code: str) -> set[str]:
    """The names that code reads, and neither makes nor imports."""
    nodes = list(ast.walk(ast.parse(code)))
    names = [node for node in nodes if isinstance(node, ast.Name)]
    read = {name.id for name in names if isinstance(name.ctx, ast.Load)}
    made = {name.id for name in names if not isinstance(name.ctx, ast.Load)}
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            made |= {(each.asname or each.name).partition(".")[0] for each in node.names}
        elif (isinstance(node, ast.ExceptHandler) and node.name) or isinstance(
            node, ast.FunctionDef | ast.ClassDef
        ):
            made.add(node.name)
        elif isinstance(node, ast.arg):
            made.add(node.arg)
    return read - made - set(dir(builtins))


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
    known = [*METHODS.values(), *METRICS.values()]
    papers = {each.citation.title.casefold() for each in known if each.citation}
    assert len(keys) == len(set(keys)) == len(papers)
    assert "author = {Draelos and Carin}" in made
    assert all(made.casefold().count(f"{{{{{title}}}}}") == 1 for title in papers)


def test_passes_are_counted_from_the_options() -> None:
    assert pages.passes("grad_cam") == "1 forward, back to the layer"
    assert pages.passes("guided_grad_cam") == "1 forward, 1 backward"
    assert pages.passes("integrated_gradients") == "2 + 32 forward, 32 backward"
    assert pages.passes("rise") == "1 + 2000 forward"


def test_figures_that_pages_show_are_drawn() -> None:
    shown = {
        match
        for page in DOCS.rglob("*.md")
        if "_build" not in page.parts
        for match in re.findall(r"_generated/([\w.]+\.(?:png|jpg|svg))", page.read_text("utf-8"))
    }
    assert shown <= set(figures.FIGURES)


def test_what_is_advised_can_be_installed() -> None:
    """Nothing is published yet: an extra comes from a clone, and a message names the packages."""
    root = DOCS.parent
    texts = [root / "README.md", DOCS / "index.md", *DOCS.glob("guide/*.md")]
    texts += [path for name in ("src", "examples") for path in (root / name).rglob("*.py")]
    advised = re.compile(r"pip install (?:-e )?'?kerascam\b")
    assert [path.name for path in texts if advised.search(path.read_text(encoding="utf-8"))] == []


def test_the_help_says_which_colormap_is_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    from kerascam.cli.parser import parse
    from kerascam.pictures.colormaps import choose_colormap

    assert parse(["explain", "m.keras", "a.png"]).colormap == "auto"
    with pytest.raises(SystemExit):
        parse(["explain", "--help"])
    name = choose_colormap("auto", signed=False).name
    said = " ".join(capsys.readouterr().out.split())
    assert f'--colormap NAME a matplotlib name, or "auto": {name} (default: auto)' in said


def test_the_figures_of_the_photograph_of_the_temple() -> None:
    """Two, as the server squeezes the whole of it and the pages show its square middle."""
    import numpy as np
    import tensorflow as tf
    from sklearn.datasets import load_sample_image

    whole = load_sample_image("china.jpg")
    served = tf.round(tf.image.resize(whole, (128, 128), antialias=True))[None]
    model, classes = figures.network()
    text = " ".join((EXAMPLE / "README.md").read_text(encoding="utf-8").split())
    for images, words in (
        (served, "china.jpg: buildings, {:.1%}"),
        (figures.inputs()[:1], "network says buildings, {:.1%}"),
    ):
        probabilities = model.predict(np.asarray(images), verbose=0)[0]
        assert classes[int(probabilities.argmax())] == "buildings"
        assert words.format(probabilities.max()) in text.replace(" %", "%")


def test_links_of_a_site_are_followed(tmp_path: Path) -> None:
    (tmp_path / "guide").mkdir()
    (tmp_path / "picture one.png").touch()
    (tmp_path / "index.html").write_text(
        '<h1 id="top"></h1> <a href="guide/a.html#here">1</a> <a href="#top">2</a>'
        '<a href="https://example.org/x#y">3</a> <a href="picture%20one.png?v=1">4</a>'
        '<a href="guide/b.html">5</a> <a href="#bottom">6</a>'
    )
    (tmp_path / "guide" / "a.html").write_text(
        '<p id="here"></p> <a name="old"></a> <a href="../index.html#top">1</a>'
        '<a href="../index.html#here">2</a> <a href="#old">3</a> <a href="mailto:a@b.c">4</a>'
    )
    assert dead_links(tmp_path) == [
        "guide/a.html: ../index.html#here",
        "index.html: #bottom",
        "index.html: guide/b.html",
    ]


@pytest.mark.parametrize("path", sorted(DOCS.glob("notebooks/*.ipynb")), ids=lambda path: path.stem)
def test_notebook_holds_no_outputs(path: Path) -> None:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    codes = [cell for cell in cells if cell["cell_type"] == "code"]
    assert codes
    kept = [cell["id"] for cell in codes if cell["outputs"] or cell["execution_count"] is not None]
    assert not kept, f"{path.name} keeps outputs in {', '.join(kept)}; clear them before a commit"
