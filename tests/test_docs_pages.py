"""The documentation keeps its word: every page's code runs and prints what the page says."""

import re
from collections.abc import Iterator
from pathlib import Path

import jaxtyping
import pytest
from markdown_blocks import Block, python_blocks, run_blocks
from proofs import rows

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = {
    page.stem: page for page in sorted([*DOCS.glob("guide/*.md"), *DOCS.glob("how_it_works/*.md")])
}
# The others make large networks, of kinds that have files of tests.
RUN = rows(set(PAGES) - {"transfer_learning", "transformers", "segmentation"}, PAGES)
# What a public host shows; the pages in docs/ are read there too.
READ = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("examples/**/*.md"),
        *(
            page
            for folder in ("", "guide", "how_it_works")
            for page in (DOCS / folder).glob("*.md")
        ),
    ]
)
LINK = re.compile(r"\]\((?P<path>[^)#:\s]*)(?:#(?P<place>[^)\s]*))?\)")
MADE = "_generated/"  # by the build


@pytest.fixture
def as_a_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run as a reader would: in an own folder, without the checks of a test run.

    Methods and metrics that a page registers are forgotten: other tests go over all that there are.
    """
    import keras

    from kerascam.metrics import METRICS
    from kerascam.registry import METHODS

    keras.utils.clear_session()  # "conv2d", not "conv2d_7" after other tests' layers
    monkeypatch.chdir(tmp_path)
    assert METHODS, "filled before it is copied: what is put back has all methods, in their order"
    for known in (METHODS, METRICS):
        monkeypatch.setattr(known, "_entries", dict(known._entries))
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.mark.usefixtures("as_a_reader")
@pytest.mark.parametrize("name", RUN)
def test_blocks_run_in_order(name: str) -> None:
    page = PAGES[name]
    run_blocks(python_blocks(page.read_text(encoding="utf-8")), str(page.relative_to(DOCS.parent)))


def headings(page: Path) -> set[str]:
    """A page's headings, as links to them are written."""
    text = re.sub(
        r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", READ, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    dead = set()
    for match in LINK.finditer(page.read_text(encoding="utf-8")):
        target = page.parent / match["path"] if match["path"] else page
        found = target.exists() and (not match["place"] or match["place"] in headings(target))
        if not found and MADE not in match["path"]:
            dead.add(match[0])
    assert dead == set()


def test_a_block_knows_its_line_and_what_it_prints() -> None:
    markdown = (
        "# Title\n\n```python\nx = 1\n```\n\n```\nnot python\n```\n\n"
        "```python\nprint(x)\n```\n\n```text\n1\n```\n\n```py\nnot run\n```\n"
    )
    assert python_blocks(markdown) == [Block(4, "x = 1\n"), Block(12, "print(x)\n", "1\n")]


def test_a_failing_block_is_named_by_its_line() -> None:
    blocks = [Block(4, "x = 1\n"), Block(12, "x / 0\n")]
    with pytest.raises(AssertionError, match=r"block at a\.md:12 failed: ZeroDivisionError"):
        run_blocks(blocks, "a.md")


def test_a_block_that_prints_something_else_is_named() -> None:
    run_blocks([Block(3, "print(1, 'and', 2)\n", "1 and ...\n")], "a.md")
    with pytest.raises(AssertionError, match=r"block at a\.md:3 printed\n1\n\nnot\n2"):
        run_blocks([Block(3, "print(1)\n", "2\n")], "a.md")
