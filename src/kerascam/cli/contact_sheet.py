"""A web page of all photographs of a run, each beside its overlays."""

import html
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple
from urllib.parse import quote

import numpy as np

from .. import pictures
from ..explain import MANIFEST
from ..marks import PAGE_MARK
from ..pages import document, picture, reasons, tiles
from ..pictures import Look
from ..registry import METHODS, Method
from .faults import harmless
from .images import Photo
from .result import Result

#: How many photographs a page shows: of so many it has about 12 MB.
MOST = 1000
_SIDE = 240  # pixels of a photograph's longer side
_NAMED = 100  # files that were not explained
_BAR = 16, 256  # pixels of a colour bar

_STYLE = """
.photos { display: grid; gap: .9rem; align-items: start; margin-top: 1.4rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); }
.photos .card { margin: 0; content-visibility: auto; contain-intrinsic-size: auto 16rem; }
.photos .card.many { grid-column: 1 / -1; } .photos h3 { margin: 0; font-size: .9rem; }
.photos .thumbs { grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); margin-bottom: .2rem; }
.photos img { height: auto; max-height: 13rem; object-fit: contain; object-position: left; }
.photos p { font-size: .8rem; margin: .4rem 0 .1rem; } .photos figcaption { margin-top: .25rem; }
figcaption b { display: block; font-size: .85rem; color: CanvasText; }
figcaption .alarm { display: block; color: var(--alarm); }
a:focus-visible { outline: 2px solid; outline-offset: 2px; }
.bars { display: flex; flex-wrap: wrap; gap: .6rem 2.5rem; margin: 1.2rem 0; font-size: .8rem; }
.bar { display: grid; max-width: 26rem; grid-template-columns: auto 12rem 1fr; gap: .15rem .5rem; align-items: center; }
.bar img { height: 1rem; border-radius: 3px; } .bar .dim { grid-column: 2 / -1; }
"""  # noqa: E501 - one rule a line


class _Thumbnail(NamedTuple):
    content: bytes
    height: int
    width: int


class ContactSheet:
    """Keeps small photographs of a run, and puts them on a page with the run's pictures.

    The overlays stay in their files beside the page and are loaded when they come into sight, so
    that the page itself stays small, whatever their size.

    Args:
        look: How overlays look.
    """

    def __init__(self, look: Look) -> None:
        self._look = look
        self._photos: dict[int, _Thumbnail] = {}

    def add(self, photo: Photo) -> None:
        """Keep a photograph, unless there are enough or it is kept already."""
        if photo.place in self._photos or len(self._photos) >= MOST:
            return
        small = pictures.shrink(photo.pixels, _SIDE)
        height, width = small.shape[:2]
        self._photos[photo.place] = _Thumbnail(pictures.encode_jpeg(small), height, width)

    def page(
        self,
        facts: Mapping[str, Any],
        results: Sequence[Result],
        failures: Sequence[tuple[str, str]],
        passed_over: Sequence[tuple[str, str]],
    ) -> str:
        """Write the page.

        Args:
            facts: What holds for the whole run, as the manifest says it.
            results: In the order of the images.
            failures: The images that could not be explained, each with the reason.
            passed_over: The images that were not tried, each with the reason.
        """
        photos = {place: list(own) for place, own in groupby(results, lambda each: each.place)}
        common = _common_notes(results)
        cards = "".join(
            self._card(place, own, common) for place, own in photos.items() if place in self._photos
        )
        return document(
            f"What {harmless(facts['model'])} looked at",
            PAGE_MARK,
            [
                tiles(_figures(facts, photos, results, failures, passed_over)),
                f'<div class="bars">{"".join(self._bars(results))}</div>' if results else "",
                *(f'<p class="dim">Note: {_text(note)}.</p>' for note in common),
                _listed(failures, "that could not be explained"),
                _listed(passed_over, "passed over"),
                self._rest(len(photos)),
                f'<main class="photos">{cards}</main>' if cards else "<p>No pictures.</p>",
            ],
            _STYLE,
        )

    def _card(self, place: int, results: Sequence[Result], common: Sequence[str]) -> str:
        photo = self._photos[place]
        name = harmless(results[0].image)
        notes = dict.fromkeys(note for each in results for note in each.notes if note not in common)
        said = "".join(f'<p class="dim">Note: {_text(note)}.</p>' for note in notes)
        shown = "".join(_overlay(each, photo) for each in results)
        return (
            f'<article class="card{" many" if len(results) > 1 else ""}"><h3>{html.escape(name)}'
            f'</h3><div class="thumbs">{picture(photo.content, name, "photograph")}{shown}</div>'
            f"{said}</article>"
        )

    def _bars(self, results: Sequence[Result]) -> Iterator[str]:
        """Show what the colours stand for, for maps without a sign and with one."""
        kinds = dict.fromkeys((each.method, each.signed) for each in results)
        for signed in (False, True):
            own = [METHODS[name] for name, has_sign in kinds if has_sign == signed]
            if not own:
                continue
            low, sign = ("−1", " against / for") if signed else ("0", "")
            whose = "" if len(own) == len(kinds) else f" of {_titles(own)}"
            fine = [method for method in own if method.of_pixels]
            top = f"; of {_titles(fine)} up to the 99th percentile" if fine else ""
            words = f"evidence{sign}{whose}, relative to the strongest in each picture{top}"
            yield (
                f'<div class="bar"><span>{low}</span>'
                f"{picture(self._bar(signed), f'Colours from {low} to 1', kind='png')}"
                f'<span>1</span><span class="dim">{html.escape(words)}</span></div>'
            )

    def _bar(self, signed: bool) -> bytes:
        """Draw all heats over all greys."""
        high, wide = _BAR
        greys = np.linspace(255, 0, high).round().astype(np.uint8)
        under = np.broadcast_to(greys[:, None, None], (high, wide, 3))
        heat = np.linspace(-1 if signed else 0, 1, wide, dtype=np.float32)
        drawn = pictures.overlay(under, np.tile(heat, (high, 1)), **vars(self._look), signed=signed)
        return pictures.encode_png(drawn)

    def _rest(self, count: int) -> str:
        shown = len(self._photos)
        if count <= shown:
            return ""
        return (
            f"<p>The first {shown:,} of {count:,} photographs are shown; {MANIFEST} names all.</p>"
        )


def _figures(
    facts: Mapping[str, Any],
    photos: Mapping[int, Sequence[Result]],
    results: Sequence[Result],
    failures: Sequence[object],
    passed_over: Sequence[object],
) -> dict[str, str]:
    odd = sum(each.status != "ok" for each in results)
    figures = {
        "photograph" if len(photos) == 1 else "photographs": f"{len(photos):,}",
        "picture" if len(results) == 1 else "pictures": f"{len(results):,}",
        "show no evidence": f"{odd:,}",
        "could not be explained": f"{len(failures):,}",
        "passed over": f"{len(passed_over):,}",
    }
    methods = ", ".join(METHODS[name].title for name in facts["methods"])
    layers = list(dict.fromkeys(each.layer for each in results if each.layer != "images"))
    return {
        **{name: figure for name, figure in figures.items() if figure != "0"},
        "method" if len(facts["methods"]) == 1 else "methods": methods,
        **({"layer": harmless(layers[0])} if len(layers) == 1 else {}),
        "preprocessing": str(facts["preprocess"]),
    }


def _overlay(result: Result, photo: _Thumbnail) -> str:
    """Show a picture by its file, which a click opens."""
    name = harmless(result.class_name)
    title = METHODS[result.method].title
    file = quote(result.file)
    status = "" if result.status == "ok" else f'<span class="alarm">{_text(result.status)}</span>'
    return (
        f'<figure><a href="{file}"><img alt="{html.escape(f"{title} of {name}")}" src="{file}" '
        f'width="{photo.width}" height="{photo.height}" loading="lazy"></a>'
        f"<figcaption><b>{html.escape(name)} {result.measure}</b>{html.escape(title)}{status}"
        f"</figcaption></figure>"
    )


def _common_notes(results: Sequence[Result]) -> list[str]:
    """Find the notes on all photographs; the others are shown beside their own."""
    images = {each.place for each in results}
    places: dict[str, set[int]] = {}
    for each in results:
        for note in each.notes:
            places.setdefault(note, set()).add(each.place)
    return [note for note, own in places.items() if own == images]


def _listed(listed: Sequence[tuple[str, str]], what: str) -> str:
    """Name images that there is no picture of, each with the reason."""
    plural = "" if len(listed) == 1 else "s"
    named = [(harmless(name), harmless(why)) for name, why in listed]
    return reasons(f"{len(listed):,} image{plural} {what}", named, _NAMED, f"{MANIFEST} names all")


def _titles(methods: Sequence[Method]) -> str:
    return ", ".join(method.title for method in methods)


def _text(text: str) -> str:
    return html.escape(harmless(text))
