"""A study on one web page, without other files."""

import html
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..pages import document, reasons, tiles
from .figures import figures_of
from .looks import ClassLook, Cluster, right_of
from .suspects import Suspect
from .table import table_of
from .thumbnails import Thumbnails

#: How a page says that kerascam wrote it, so that it may be replaced.
MARK = '<meta name="generator" content="kerascam survey">'

_SHOWN = 6  # images of a group
_CLASSES = 40  # with pictures
_OPEN = 8  # classes that are not folded up
_FAILED = 100  # files that are named


def page_of(study: Any, title: str) -> str:
    """Write the page; see `Study.save`."""
    thumbnails = Thumbnails(study.survey)
    return document(
        title,
        MARK,
        [
            _figures(study),
            *(f'<p class="dim">Note: {html.escape(note)}.</p>' for note in study.notes),
            "<h2>Suspects</h2>",
            _suspects(study, thumbnails),
            *_mistakes(study, thumbnails),
            "<h2>Classes</h2><p>What the model looks at when it says a class. A cluster holds "
            "images that it decides by the same features of its layer, or by heat at the same "
            "places.</p>",
            _classes_table(study),
            *_classes(study, thumbnails),
            _failures(study),
            "<h2>All images</h2>",
            table_of(study.survey),
        ],
    )


def _figures(study: Any) -> str:
    survey = study.survey
    known = figures_of(survey)
    accuracy = f"{known['accuracy']:.1%}" if "accuracy" in known else "not known"
    figures = {
        "images explained": f"{len(survey):,}",
        "could not be read": f"{len(survey.failures()):,}",
        "right, by their labels": accuracy,
        "show evidence": f"{known['evidence']:.1%}",
        "suspect" if len(study.suspects) == 1 else "suspects": str(len(study.suspects)),
        "method": survey.manifest["title"],
        "layer": survey.layer,
        "model": survey.manifest["model_name"],
    }
    return tiles(figures)


def _suspects(study: Any, thumbnails: Thumbnails) -> str:
    if not study.suspects:
        return (
            "<p>None. Of each class these were tried, with its clusters: what stands at one place, "
            "what runs along the borders, a small thing that moves, and the colours of the whole "
            "image. Taken over into images of other classes, none made the model say the class "
            "much more than the same part of the class’s other images did.</p>"
        )
    intro = (
        "<p>Something that the model recognizes a class by, and that only some of its images "
        "have. Each was tried: taken over into images of other classes, it makes the model say "
        "this class. Whether it belongs to the class, you decide.</p>"
    )
    return intro + "".join(_suspect(each, thumbnails) for each in study.suspects)


def _suspect(suspect: Suspect, thumbnails: Thumbnails) -> str:
    effect = suspect.effect
    name = html.escape(suspect.name)
    rows = [
        (
            f"Probability of {name} in images of other classes that are given it",
            f"{effect.gain:+.0%}",
        ),
        (f"if they are given what others of {name} have there", f"{effect.control:+.0%}"),
        (f"Share of these images that are then taken for {name}", f"{effect.flipped:.0%}"),
        (f"Probability of {name} in its own images if it is replaced", f"{-effect.drop:+.0%}"),
    ]
    table = "".join(
        f'<tr><td class="text">{words}</td><td>{value}</td></tr>' for words, value in rows
    )
    return (
        f'<div class="card alarm"><h3>{name}: {suspect.kind}</h3>'
        f"<p>{html.escape(suspect.sentence)}</p>"
        f'<div class="wide"><table><tbody>{table}</tbody></table></div>'
        # Heat would hide the colours that a tint is about.
        f"{thumbnails.of(suspect.images[: 2 * _SHOWN], heat=suspect.kind != 'tint')}</div>"
    )


def _mistakes(study: Any, thumbnails: Thumbnails) -> Iterator[str]:
    weak = [
        (look, cluster)
        for look in study.classes
        for cluster in look.clusters
        if _holds_mistakes(look, cluster)
    ]
    if not weak:
        return
    yield (
        "<h2>Where it is wrong</h2><p>Clusters that hold most of the mistakes of a class; their "
        "mistakes come first.</p>"
    )
    right = right_of(study.survey)
    for look, cluster in sorted(weak, key=lambda each: each[1].accuracy)[:10]:
        yield (
            f'<div class="card"><h3>{html.escape(look.name)}, {cluster.share:.0%} of its images: '
            f"{cluster.accuracy:.0%} right, of the class {look.accuracy:.0%}</h3>"
            f"{thumbnails.of(sorted(cluster.images.tolist(), key=right.item)[:_SHOWN])}</div>"
        )


def _holds_mistakes(look: ClassLook, cluster: Cluster) -> bool:
    wrong = (1 - cluster.accuracy) * cluster.share
    most = wrong > 0.5 * (1 - look.accuracy) > 0
    return most and len(cluster.images) >= 5 and cluster.share < 0.5


def _classes_table(study: Any) -> str:
    head = "".join(
        f"<th{' class=text' if not place else ''}>{name}</th>"
        for place, name in enumerate(
            ("Class", "Images", "Right", "Heat at borders", "In the middle", "Spread", "Hot area")
        )
    )
    rows = "".join(
        f'<tr><td class="text">{html.escape(look.name)}</td><td>{len(look.images):,}</td>'
        f"<td>{_share(look.accuracy)}</td>"
        + "".join(f"<td>{_share(value)}</td>" for value in look.heat.values())
        + "</tr>"
        for look in study.classes
    )
    note = (
        '<p class="dim">An even map has 44 % of its heat at the borders and 25 % in the middle; '
        "spread is its entropy, 100 % if even; hot is what is above half the maximum.</p>"
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return f'<div class="wide">{table}</div>{note}'


def _classes(study: Any, thumbnails: Thumbnails) -> Iterator[str]:
    shown = sorted(study.classes, key=lambda look: -len(look.images))
    if len(shown) > _CLASSES:
        yield f"<p>With pictures: the {_CLASSES} classes of most images.</p>"
    state = " open" if len(shown) <= _OPEN else ""
    for look in shown[:_CLASSES]:
        clusters = "".join(
            f"<h3>Cluster by {cluster.by}: {cluster.share:.0%} of the class"
            f"{'' if np.isnan(cluster.accuracy) else f', {cluster.accuracy:.0%} right'}"
            f", {_share(cluster.heat['border'])} of the heat at the borders</h3>"
            f"{thumbnails.of(cluster.images[:_SHOWN].tolist())}"
            for cluster in look.clusters
        )
        yield (
            f"<details{state}><summary>{html.escape(look.name)}, {len(look.images):,} images"
            f"</summary>"
            f'<div class="card">{thumbnails.mean(look.mean_map, "the mean of its heat")}'
            f"<h3>Typical</h3>{thumbnails.of(look.typical)}"
            f"<h3>Odd</h3>{thumbnails.of(look.odd)}{clusters}</div></details>"
        )


def _failures(study: Any) -> str:
    failed = study.survey.failures()
    plural = "" if len(failed) == 1 else "s"
    title = f"{len(failed):,} file{plural} that could not be read"
    return reasons(title, failed, _FAILED, "in the table’s column “error”")


def _share(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.0%}"
