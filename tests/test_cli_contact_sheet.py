"""The contact sheet of `kerascam explain`: a page that shows what the manifest says."""

import base64
import json
import os
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import cv2
import keras
import numpy as np
import pytest

from kerascam import Saliency, overlay
from kerascam.cli import contact_sheet, main
from kerascam.cli.contact_sheet import ContactSheet
from kerascam.cli.result import Result
from kerascam.explain import ResultFolder
from kerascam.pictures import Look

VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """Checks that tags are balanced, and keeps elements and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.open):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def sources(self, start: str = "") -> list[str]:
        found = [own["src"] or "" for tag, own in self.elements if tag == "img"]
        return [source for source in found if source.startswith(start)]

    def files(self) -> list[str]:
        """The pictures that the page refers to, as the file system calls them."""
        return [unquote(source) for source in self.sources() if not source.startswith("data:")]


@pytest.fixture
def model(classifier_file: str) -> str:
    return classifier_file


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder that is the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path


def draw(name: str, height: int = 12, width: int = 20) -> None:
    pixels = np.random.default_rng(len(name)).integers(0, 256, (height, width, 3), np.uint8)
    Path(name).parent.mkdir(exist_ok=True, parents=True)
    Path(name).write_bytes(cv2.imencode(".png", pixels)[1].tobytes())


def decoded(source: str) -> np.ndarray:
    data = np.frombuffer(base64.b64decode(source.partition(",")[2]), np.uint8)
    return cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1]


def read(folder: str = "explanations") -> Page:
    return Page(Path(folder, "index.html").read_text("utf-8"))


def rows(folder: str = "explanations") -> list[dict[str, Any]]:
    return json.loads(Path(folder, "manifest.json").read_text("utf-8"))["explanations"]


def explain(model: str, *arguments: str) -> int:
    return main(["explain", model, *arguments])


# ------------------------------------------------------------------------------- what it shows


def test_it_shows_each_photograph_beside_what_the_manifest_lists(model: str, folder: Path) -> None:
    draw("photos/b.png"), draw("photos/a.png", 600, 300), Path("photos/c.psd").touch()
    Path("photos/d.png").write_text("no image")
    assert explain(model, "photos", "--method", "grad_cam,saliency", "--top", "2") == 1
    page, listed = read(), rows()
    assert page.files() == [row["file"] for row in listed] and len(listed) == 8
    titles = {"grad_cam": "Grad-CAM", "saliency": "Saliency"}
    for row in listed:
        share = f"{row['class_name']} {row['probability']:.1%}"
        assert f"{share} {titles[row['method']]}" in page.text
    small = [decoded(source).shape for source in page.sources("data:image/jpeg")]
    assert small == [(240, 120, 3), (12, 20, 3)], "the longer side is bounded, proportions stay"
    sizes = [(own["width"], own["height"]) for _, own in page.elements if own.get("loading")]
    assert sizes == 4 * [("120", "240")] + 4 * [("20", "12")]
    assert page.text.index("photos/a.png") < page.text.index("photos/b.png")
    for words in (
        "2 photographs 8 pictures", "1 could not be explained", "1 passed over",
        "photos/d.png not an image, or a damaged one", "photos/c.psd .psd files are not read",
    ):  # fmt: skip
        assert words in page.text
    for note in dict.fromkeys(note for row in listed for note in row["notes"]):
        assert page.text.count(note) == 1


@pytest.mark.parametrize("look", [[], ["--style", "uniform", "--colormap", "viridis"]], ids=str)
def test_the_colour_bar_is_what_an_overlay_paints(
    model: str, folder: Path, look: list[str]
) -> None:
    draw("a.png")
    assert explain(model, "a.png", *look) == 0
    (bar,) = map(decoded, read().sources("data:image/png"))
    greys = np.linspace(255, 0, 16).round().astype(np.uint8)
    under = np.broadcast_to(greys[:, None, None], (16, 1, 3))
    options = dict(zip(("style", "colormap"), look[1::2], strict=False))
    for value, column in ((0, 0), (1, -1)):
        drawn = overlay(under, np.full((16, 1), value, np.float32), **options)
        np.testing.assert_array_equal(bar[:, [column]], drawn)
    assert "0 1 evidence, relative to the strongest in each picture" in read().text


def test_signed_maps_have_a_bar_of_their_own() -> None:
    known = {"image": "a", "layer": "last", "class_index": 0, "class_name": "cat", "score": 1.0}
    told = {**known, "probability": 0.5, "status": "ok", "file": "a.png", "notes": ()}
    results = [
        Result(place=0, method=method, signed=signed, **told)
        for method, signed in (("grad_cam", False), ("gradient_times_input", True))
    ]
    facts = {"model": "m", "methods": ["grad_cam", "gradient_times_input"], "preprocess": "none"}
    page = Page(ContactSheet(Look()).page(facts, results, [], []))
    plain, signed = map(decoded, page.sources("data:image/png"))
    assert (plain[:, 0] == plain[:, 0, :1]).all(), "no evidence leaves the photograph as it is"
    assert not np.array_equal(signed[:, 0], plain[:, 0])
    np.testing.assert_array_equal(signed[:, -1], plain[:, -1])
    assert "0 1 evidence of Grad-CAM, relative to the strongest in each picture −1 1" in page.text
    words = "evidence against / for of Gradient × input, relative to the strongest in each picture"
    assert f"{words}; of Gradient × input up to the 99th percentile" in page.text


def test_a_map_without_evidence_says_so(folder: Path) -> None:
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Conv2D(2, 1, activation="relu", bias_initializer="zeros", name="last"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    model.set_weights([np.zeros_like(weights) for weights in model.get_weights()])
    model.save("dark.keras")
    draw("a.png")
    assert explain("dark.keras", "a.png") == 0
    (row,) = rows()
    assert row["status"] != "ok" and row["status"] in read().text
    assert "1 show no evidence" in read().text


def test_a_note_on_one_photograph_stands_beside_it(model: str, folder: Path) -> None:
    draw("a.png")
    dark = np.random.default_rng(3).integers(0, 4096, (8, 8, 3)).astype(np.uint16)
    Path("b.png").write_bytes(cv2.imencode(".png", dark)[1].tobytes())
    assert explain(model, "a.png", "b.png") == 0
    text = read().text
    assert text.count("--depth 12") == 1
    assert text.index("a.png") < text.index("b.png") < text.index("--depth 12")


# --------------------------------------------------------------------------------- containment


def test_no_name_gets_out_of_its_place(model: str, folder: Path) -> None:
    hostile = ["<script>alert(1)</script>", "a&amp;b", "\"'><img src=x>", "# ?%41%2e%2e", "ü 猫",
               "\u202egnp", "javascript:alert(1)"]  # fmt: skip
    images = [f"{name.replace('/', '∕')}.png" for name in hostile]
    if os.name == "posix":
        images.append(os.fsdecode(b"\xff\xfe.png"))
    for image in images:
        draw(image)
    names = ["</b><script>alert(2)</script>", '" onload="alert(3)', "\ud800 & co"]
    Path("names.json").write_text(json.dumps(names))
    assert explain(model, ".", "--class-names", "names.json", "--top", "3") == 0
    page = read()
    tags = {tag for tag, _ in page.elements}
    assert "script" not in tags
    assert not any(name.startswith("on") for _, own in page.elements for name in own)
    assert page.files() == [row["file"] for row in rows()] and len(page.files()) == 3 * len(images)
    assert all(Path("explanations", file).is_file() for file in page.files())
    for name in (*hostile[:1], *names[:2]):
        assert name.replace("/", "/") in page.text or name.replace("/", "∕") in page.text
    assert "\\ud800 & co" in page.text and "\\u202egnp" in page.text and "\u202e" not in page.text


def test_it_asks_for_nothing_but_the_pictures_beside_it(model: str, folder: Path) -> None:
    draw("a b#1.png")
    assert explain(model, "a b#1.png") == 0
    page = read()
    assert not any(tag in ("script", "link", "iframe") for tag, _ in page.elements)
    asked = [own[name] for _, own in page.elements for name in ("src", "href") if name in own]
    beside = [each for each in asked if each and not each.startswith("data:")]
    assert beside == 2 * ["a%20b%231.grad_cam.class-" + f"{rows()[0]['class']}.png"]
    assert "http" not in Path("explanations/index.html").read_text("utf-8")


def test_it_stays_small(model: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw("a.png", 900, 1200), draw("b.png"), draw("c.png")
    monkeypatch.setattr(contact_sheet, "MOST", 2)
    assert explain(model, "a.png", "b.png", "c.png", "--overlay-side", "full") == 0
    page = read()
    assert page.files() == [row["file"] for row in rows()[:2]]
    assert "The first 2 of 3 photographs are shown; manifest.json names all." in page.text
    assert Path("explanations", page.files()[0]).stat().st_size > 1_000_000
    assert Path("explanations/index.html").stat().st_size < 50_000, "noise of 240 × 180"


# ----------------------------------------------------------------------------------- conflicts


@pytest.mark.parametrize("kind", ["file", "link", "folder", "survey"])
def test_a_page_of_somebody_else_is_refused_before_any_work(
    folder: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    draw("a.png")
    theirs = Path("explanations/index.html")
    theirs.parent.mkdir()
    marked = f"<html>{contact_sheet.PAGE_MARK}</html>"
    if kind == "folder":
        theirs.mkdir()
    elif kind == "link":
        Path("elsewhere.html").write_text(marked)
        theirs.symlink_to("../elsewhere.html")
    else:
        theirs.write_text("mine" if kind == "file" else marked.replace("explain", "survey"))
    assert explain("no such model.keras", "a.png") == 2
    assert capsys.readouterr().err == (
        "kerascam: error: --out 'explanations' holds 'index.html', which kerascam did not write "
        "and does not replace: give another folder, or move that file\n"
    )
    assert [path.name for path in Path("explanations").iterdir()] == ["index.html"]


def test_the_page_of_an_earlier_result_is_replaced_or_goes_with_it(
    model: str, folder: Path
) -> None:
    draw("a.png"), draw("b.png")
    assert explain(model, "a.png", "b.png") == 0
    assert explain(model, "b.png") == 0
    assert "a.png" not in read().text and read().files() == [rows()[0]["file"]]
    loaded = keras.saving.load_model(model)
    Saliency(loaded)(np.ones((1, *loaded.input_shape[1:]), np.float32)).save("explanations")
    assert not Path("explanations/index.html").exists()


def test_a_manifest_cannot_have_a_page_of_the_user_removed(model: str, folder: Path) -> None:
    loaded = keras.saving.load_model(model)
    found = Saliency(loaded)(np.ones((1, *loaded.input_shape[1:]), np.float32))
    found.save("out")
    marked = f"<html>{contact_sheet.PAGE_MARK}</html>"
    Path("out/index.html").write_text("mine")
    Path("out/other.html").write_text(marked)
    for named in ("index.html", "other.html", "../outside.html", 7):
        content = json.loads(Path("out/manifest.json").read_text("utf-8"))
        Path("out/manifest.json").write_text(json.dumps(content | {"page": named}))
        Path("outside.html").write_text(marked)
        found.save("out")
        assert Path("out/index.html").read_text() == "mine"
        assert Path("out/other.html").read_text() == Path("outside.html").read_text() == marked


def test_a_run_does_not_replace_a_page_that_it_reads(
    model: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw("a.png")
    Path("explanations").mkdir()
    Path("explanations/index.html").write_text(f"{contact_sheet.PAGE_MARK}\nb\nc")
    assert explain(model, "a.png", "--class-names", "explanations/index.html") == 2
    assert "explanations/index.html belongs to the earlier result" in capsys.readouterr().err


def test_a_run_that_was_killed_before_its_manifest_can_be_run_again(
    model: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw("a.png")
    with monkeypatch.context() as patch:

        def killed(self: ResultFolder, content: object) -> None:
            assert self.page.is_file(), "the manifest comes last"
            raise KeyboardInterrupt

        patch.setattr(ResultFolder, "write_manifest", killed)
        assert explain(model, "a.png") == 130
    assert not Path("explanations/manifest.json").exists()
    assert explain(model, "a.png") == 0
    assert read().files() == [rows()[0]["file"]]
