#!/usr/bin/env python
"""The project's address, from one place: `[project.urls]` in pyproject.toml.

With `Repository` filled in there, the README's links and pictures are absolute, so that they work
on a package index too, and CITATION.cff names the address. Without it they are relative: an
address that nobody has would be dead. `--check` compares, `--write` mends.
"""

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_TABLE = re.compile(r"^\[project\.urls\][^\n]*\n(?P<lines>.*?)(?=^\[|\Z)", re.DOTALL | re.MULTILINE)
_FIELD = re.compile(
    r"""^(?:"(?P<quoted>[^"\n]+)"|(?P<bare>[\w-]+))\s*=\s*["'](?P<url>[^"'\n]*)["']""", re.MULTILINE
)
# A link's or picture's target on a page, and where one of this repository leads, whoever's it is.
_TARGET = re.compile(r"(?P<before>(?P<mark>!?)\[[^\][]*\]\()(?P<target>[^)\s]+)(?=\))")
_OWN = re.compile(r"https?://[^/\s]+/\S+?/(?:blob|raw)/HEAD/(?P<path>\S+)")
_CITED = re.compile(r"^repository-code:[^\n]*\n", re.MULTILINE)


def project_urls(root: Path = ROOT) -> dict[str, str]:
    """Return the fields of `[project.urls]`; Python 3.10 has no reader for the whole file."""
    project = (root / "pyproject.toml").read_text(encoding="utf-8")
    table = _TABLE.search(project)
    fields = _FIELD.finditer(table["lines"]) if table else ()
    return {field["quoted"] or field["bare"]: field["url"] for field in fields}


def repository(root: Path = ROOT) -> str:
    """Return the repository's public address, without a slash at its end; "" if there is none.

    Raises:
        ValueError: If it is no web address.
    """
    url = project_urls(root).get("Repository", "").rstrip("/")
    if url and not re.fullmatch(r"https?://[^/\s]+/\S+", url):
        raise ValueError(
            f"Repository in [project.urls] of pyproject.toml must be a web address such as "
            f"https://github.com/OWNER/kerascam, not {url!r}"
        )
    return url.removesuffix(".git")


def linked(path: str, url: str, *, picture: bool = False) -> str:
    """Return where a file of the repository is read, or a picture is loaded from.

    Example:
        >>> linked("docs/serving.md", "https://github.com/OWNER/kerascam")
        'https://github.com/OWNER/kerascam/blob/HEAD/docs/serving.md'
        >>> linked("docs/serving.md", "")
        'docs/serving.md'
    """
    return f"{url}/{'raw' if picture else 'blob'}/HEAD/{path}" if url else path


def with_links(page: str, url: str) -> str:
    """Return a page of the root folder, with its links into the repository under `url`.

    Links to other sites and to headings of the page stay, as does all code.
    """

    def turn(match: re.Match[str]) -> str:
        target = match["target"]
        own = _OWN.fullmatch(target)
        if own is None and re.match(r"#|[a-z]+:", target):
            return match[0]
        path = own["path"] if own else target
        return match["before"] + linked(path, url, picture=bool(match["mark"]))

    parts = re.split(r"(^```.*?^```[^\S\n]*$)", page, flags=re.DOTALL | re.MULTILINE)
    return "".join(
        part if place % 2 else _TARGET.sub(turn, part) for place, part in enumerate(parts)
    )


def with_address(citation: str, url: str) -> str:
    """Return CITATION.cff with the repository's address, or without one."""
    citation = _CITED.sub("", citation)
    return re.sub(
        r"^(?=license:)", f"repository-code: {url}\n" if url else "", citation, flags=re.M
    )


def outdated(root: Path = ROOT) -> dict[Path, str]:
    """Return the files that do not agree with pyproject.toml, each as it should be."""
    url = repository(root)
    made = {root / "README.md": with_links, root / "CITATION.cff": with_address}
    texts = {path: (path.read_text(encoding="utf-8"), make) for path, make in made.items()}
    return {
        path: make(text, url) for path, (text, make) in texts.items() if make(text, url) != text
    }


def main() -> int:
    """Compare or write; 1 if the comparison found a difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--check", action="store_true", help="fail if an address differs")
    mode.add_argument("--write", action="store_true", help="write the address where it belongs")
    args = parser.parse_args()

    differ = outdated()
    for path, text in differ.items():
        if args.write:
            path.write_text(text, encoding="utf-8")
        else:
            print(f"{path.name} has another address than pyproject.toml; run: make readme")
    return 1 if differ and args.check else 0


if __name__ == "__main__":
    sys.exit(main())
