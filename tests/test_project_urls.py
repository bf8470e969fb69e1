"""The project's address stands in one place; everything that names it agrees with that place."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

import kerascam_docs
import project_urls

ROOT = project_urls.ROOT
OURS, THEIRS = "https://github.com/OWNER/kerascam", "https://gitlab.com/group/team/saliency"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    for name in ("pyproject.toml", "README.md", "CITATION.cff"):
        (tmp_path / name).write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    return tmp_path


def publish(clone: Path, url: str) -> None:
    """Fill in the address, as CONTRIBUTING says, and write it where it belongs."""
    path = clone / "pyproject.toml"
    before, after = path.read_text(encoding="utf-8").split("[project.urls]\n")
    rest = after[after.index("[tool.") :]
    field = f'Repository = "{url}"\n' if url else "# Repository =\n"
    path.write_text(f"{before}[project.urls]\n{field}\n{rest}", encoding="utf-8")
    for outdated, text in project_urls.outdated(clone).items():
        outdated.write_text(text, encoding="utf-8")


def test_every_file_agrees_with_pyproject() -> None:
    assert project_urls.outdated() == {}, "an address is out of date; run: make readme"


def test_every_other_address_belongs_to_the_repository() -> None:
    urls = project_urls.project_urls()
    assert set(urls) <= {"Repository", "Documentation", "Issues", "Changelog"}
    assert all(
        urls[name].startswith(urls["Repository"]) for name in {"Issues", "Changelog"} & set(urls)
    )


def test_what_the_readme_links_to_is_there() -> None:
    """Whether the links are absolute or relative."""
    readme = project_urls.with_links((ROOT / "README.md").read_text(encoding="utf-8"), "")
    targets = [match["target"] for match in project_urls._TARGET.finditer(readme)]
    own = [target.partition("#")[0] for target in targets if not target.startswith(("http", "#"))]
    assert len(own) > 10 and [path for path in own if not (ROOT / path).is_file()] == []


def test_a_published_copy_has_absolute_links_and_pictures(clone: Path) -> None:
    publish(clone, OURS)
    readme = (clone / "README.md").read_text(encoding="utf-8")
    assert f"]({OURS}/raw/HEAD/docs/images/cam.png)" in readme
    assert f"]({OURS}/blob/HEAD/docs/benchmarks.md)" in readme
    targets = [match["target"] for match in project_urls._TARGET.finditer(readme)]
    assert all(target.startswith(("https://", "#")) for target in targets)
    cited = yaml.safe_load((clone / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["repository-code"] == OURS
    assert project_urls.outdated(clone) == {}


def test_a_fork_changes_one_line_and_back_again(clone: Path) -> None:
    publish(clone, "")
    before = [(clone / name).read_text(encoding="utf-8") for name in ("README.md", "CITATION.cff")]
    publish(clone, OURS)
    publish(clone, THEIRS)
    readme = (clone / "README.md").read_text(encoding="utf-8")
    assert OURS not in readme and f"]({THEIRS}/blob/HEAD/CONTRIBUTING.md)" in readme
    publish(clone, "")
    after = [(clone / name).read_text(encoding="utf-8") for name in ("README.md", "CITATION.cff")]
    assert after == before


def test_only_links_into_the_repository_are_changed() -> None:
    page = (
        "[paper](https://arxiv.org/abs/1) [below](#install) [mail](mailto:a@b.c) "
        "[page](docs/a.md#x)"
        "\n![picture](docs/a.png) maps[0](images)\n```python\nmaps = [a](docs/a.md)\n```\n"
    )
    assert project_urls.with_links(page, OURS) == page.replace(
        "[page](docs/a.md#x)", f"[page]({OURS}/blob/HEAD/docs/a.md#x)"
    ).replace("![picture](docs/a.png)", f"![picture]({OURS}/raw/HEAD/docs/a.png)").replace(
        "maps[0](images)", f"maps[0]({OURS}/blob/HEAD/images)"
    )


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('Repository = "https://github.com/a/b"', "https://github.com/a/b"),
        ("\"Repository\" = 'https://github.com/a/b/'  # ours", "https://github.com/a/b"),
        (
            'Homepage = "https://a.b"\nRepository="https://github.com/a/b.git"',
            "https://github.com/a/b",
        ),
        ('# Repository = "https://github.com/a/b"', ""),
        ('Repository = ""', ""),
        ('[tool.x]\nRepository = "https://github.com/a/b"', ""),
    ],
)
def test_the_address_is_read_as_pyproject_writes_it(tmp_path: Path, line: str, found: str) -> None:
    text = f'[project]\nname = "x"\n[project.urls]  # all\n{line}\n\n[tool.y]\n'
    (tmp_path / "pyproject.toml").write_text(text)
    assert project_urls.repository(tmp_path) == found


@pytest.mark.parametrize("url", ["github.com/a/b", "https://github.com", "git@github.com:a/b.git"])
def test_what_is_no_web_address_is_refused(tmp_path: Path, url: str) -> None:
    (tmp_path / "pyproject.toml").write_text(f'[project.urls]\nRepository = "{url}"\n')
    with pytest.raises(ValueError, match="must be a web address such as"):
        project_urls.repository(tmp_path)


@pytest.mark.parametrize(
    ("url", "made"),
    [
        ("", "[a](b.md) and the card (in the repository)"),
        (OURS, f"[a](b.md) and [the card]({OURS}/blob/HEAD/examples/README.md)"),
    ],
)
def test_pages_link_to_the_repository_if_it_has_an_address(
    monkeypatch: pytest.MonkeyPatch, url: str, made: str
) -> None:
    monkeypatch.setattr(project_urls, "repository", lambda: url)
    source = ["[a](b.md) and [the card](../../examples/README.md)"]
    app = SimpleNamespace(srcdir=str(ROOT / "docs"))
    kerascam_docs._unlink_outside(app, "guide/page", source)
    assert source == [made]
