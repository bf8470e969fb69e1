"""What web pages of kerascam's have in common: one file each, light and dark, from phones up."""

import base64
import html
from collections.abc import Iterable, Mapping, Sequence

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --dim: #777; --card: #8881; --alarm: #d33; }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 75rem; padding: 1.5rem 1rem; }
h1 { font-size: 1.5rem; overflow-wrap: anywhere; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
.card td.text { white-space: normal; } h3 { font-size: 1rem; margin: 1rem 0 .4rem; overflow-wrap: anywhere; }
p, li { max-width: 46rem; overflow-wrap: anywhere; } small, .dim { color: var(--dim); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .82rem; }
th, td { padding: .3rem .5rem; text-align: right; border-bottom: 1px solid var(--line);
         white-space: nowrap; }
th.text, td.text { text-align: left; }
.tiles { display: grid; gap: .8rem; grid-template-columns: repeat(auto-fill, minmax(8rem, 1fr)); }
.tile, .card { background: var(--card); border-radius: 8px; padding: .7rem .9rem; }
.tile b { display: block; font-size: 1.15rem; overflow-wrap: anywhere; }
.tile b.words { font-size: .95rem; line-height: 1.45rem; }
.card { margin: .9rem 0; } .card.alarm { border-left: 4px solid var(--alarm); }
.thumbs { display: grid; gap: .5rem; margin-top: .6rem; grid-template-columns: repeat(auto-fill, minmax(6rem, 1fr)); }
figure { margin: 0; } figure img { width: 100%; display: block; border-radius: 5px; }
figcaption { font-size: .72rem; color: var(--dim); overflow-wrap: anywhere; }
details > summary { cursor: pointer; font-weight: 600; margin: .5rem 0; }
input, select, button { font: inherit; padding: .25rem .5rem; max-width: 100%; }
th button { all: unset; cursor: pointer; font-weight: 600; } th button:focus-visible { outline: 2px solid; }
.controls { display: flex; flex-wrap: wrap; gap: .6rem; margin: .6rem 0; align-items: center; }
"""  # noqa: E501 - one rule a line


def document(title: str, mark: str, parts: Iterable[str], style: str = "") -> str:
    """Put a page together.

    Args:
        title: Its title, as plain text.
        mark: A tag that tells who wrote it.
        parts: Its body, as HTML; empty ones are left out.
        style: Rules of its own, after those that all pages have.
    """
    body = "\n".join(filter(None, parts))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">{mark}\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{_STYLE}{style}</style></head>\n"
        f"<body>\n<h1>{html.escape(title)}</h1>\n{body}\n</body></html>\n"
    )


def tiles(figures: Mapping[str, str]) -> str:
    """Show key figures beside each other.

    Args:
        figures: By what they are, in words.
    """
    shown = "".join(map(_tile, figures, figures.values()))
    return f'<div class="tiles">{shown}</div>'


def _tile(name: str, value: str) -> str:
    kind = "" if value[:1].isdigit() else ' class="words"'
    breakable = html.escape(value).replace("_", "_<wbr>").replace("/", "/<wbr>")
    return f'<div class="tile"><b{kind}>{breakable}</b>{html.escape(name)}</div>'


def reasons(title: str, listed: Sequence[tuple[str, str]], most: int, rest: str) -> str:
    """List files with the reason why something was not done, folded up; nothing if there are none.

    Args:
        title: What was not done.
        listed: The files' names, each with the reason.
        most: How many are named.
        rest: Where the others are named.
    """
    if not listed:
        return ""
    rows = "".join(
        f'<tr><td class="text">{html.escape(name)}</td>'
        f'<td class="text">{html.escape(why)}</td></tr>'
        for name, why in listed[:most]
    )
    more = len(listed) - most
    others = f"<p>and {more:,} more: {html.escape(rest)}.</p>" if more > 0 else ""
    return (
        f"<details><summary>{html.escape(title)}</summary>"
        f'<div class="wide"><table><tbody>{rows}</tbody></table></div>{others}</details>'
    )


def picture(content: bytes, alt: str, caption: str = "", kind: str = "jpeg") -> str:
    """Show an encoded picture, which becomes part of the page.

    Args:
        content: The file.
        alt: What it shows, in words.
        caption: What stands below it, if anything.
        kind: "jpeg" or "png".
    """
    data = base64.b64encode(content).decode()
    below = f"<figcaption>{html.escape(caption)}</figcaption>" if caption else ""
    return (
        f'<figure><img alt="{html.escape(alt)}" src="data:image/{kind};base64,{data}">'
        f"{below}</figure>"
    )
