"""Links from page to page, and to places on them, lead somewhere: looked up in what was built."""

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """What a page of HTML links to, and the places on it that can be linked to.

    Attributes:
        links: As they are written.
        places: The values of `id` and `name`.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag's link and its names; the parser calls it."""
        for name, value in attrs:
            if value and name == "href":
                self.links.append(value)
            elif value and name in ("id", "name"):
                self.places.add(value)


def dead_links(folder: Path) -> list[str]:
    """List the links within a site that lead nowhere, each with its page.

    Args:
        folder: Where the site was built.
    """
    pages = {
        path.resolve(): Page(path.read_text(encoding="utf-8")) for path in folder.rglob("*.html")
    }
    return sorted(
        f"{path.relative_to(folder.resolve())}: {link}"
        for path, page in pages.items()
        for link in set(page.links)
        if not _leads_somewhere(link, path, pages)
    )


def _leads_somewhere(link: str, page: Path, pages: dict[Path, Page]) -> bool:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return True  # to another site
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if not target.exists():
        return False
    place = unquote(parts.fragment)
    return not place or target not in pages or place in pages[target].places
