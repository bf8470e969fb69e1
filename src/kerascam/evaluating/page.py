"""An evaluation on one web page, without other files."""

import html
import io
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..metrics import METRICS
from ..pages import document, picture
from .tables import heads_of, html_table, missing_of, number, words

#: How a page says that kerascam wrote it, so that it may be replaced.
MARK = '<meta name="generator" content="kerascam evaluation">'

_STYLE = """
th:first-child { text-align: left; position: sticky; left: 0; background: Canvas; }
tr.baseline { color: var(--dim); }
.pairs th, .pairs td { white-space: normal; padding: .3rem .5rem; }
.plot img { min-width: 46rem; background: #fff; }
dt { font-weight: 600; margin-top: .8rem; } dd { margin-left: 0; max-width: 46rem; }
.pictures { display: grid; gap: 1rem; }
.pictures { grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); }
"""


def page_of(evaluation: Any, title: str, pictures: Mapping[str, bytes]) -> str:
    """Write the page; see `Evaluation.save`."""
    missing = "".join(f"<li>{html.escape(each)}</li>" for each in missing_of(evaluation))
    notes = "".join(f"<p>Note: {html.escape(each)}.</p>" for each in evaluation.notes)
    parts = [
        f"<p>{_summary(evaluation)}</p>{notes}",
        f'<h2>Figures</h2><div class="wide">{html_table(evaluation)}</div>',
        f"<ul>{missing}</ul>" if missing else "",
        f"<h2>The same, drawn</h2><p>Methods in blue, baselines in grey; each line is an interval."
        f'</p><div class="wide plot">'
        f"{picture(plot_of(evaluation), 'Means with intervals, a panel per metric', kind='png')}"
        f"</div>",
        _agreement(evaluation),
        f"<h2>The metrics</h2><dl>{''.join(map(_described(evaluation), evaluation.metrics))}</dl>",
        _gallery(pictures),
    ]
    return document(title, MARK, parts, _STYLE)


def plot_of(evaluation: Any) -> bytes:
    """Return the plot as a PNG file."""
    buffer = io.BytesIO()
    evaluation.plot().savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()


def _summary(evaluation: Any) -> str:
    bests = []
    for metric, head in zip(evaluation.metrics, heads_of(evaluation), strict=True):
        best = evaluation.best(metric)
        if best is None:
            continue
        beaten, known = evaluation.above_baselines(best, metric)
        verdict = (
            "above all baselines"
            if known and beaten == known
            else f"shown to be above {beaten} of {known} baselines"
        )
        bests.append(
            f"<li>{html.escape(head)}: {html.escape(evaluation.titles[best])}, {verdict}</li>"
        )
    return (
        f"{len(evaluation.methods)} methods and {len(evaluation.baselines)} baselines by "
        f"{len(evaluation.metrics)} metrics, on the same {len(evaluation)} images. The best method "
        f"by each:</p><ul>{''.join(bests)}</ul><p>"
    )


def _agreement(evaluation: Any) -> str:
    found = evaluation.agreement()
    if not found:
        return ""
    heads = {name: METRICS[name].title for name in evaluation.metrics}
    rows = []
    for (one, other), value in found.items():
        if not np.isfinite(value.value):
            verdict = "not known"
        elif value.low > 0:
            verdict = "agree"
        elif value.high < 0:
            verdict = "contradict each other"
        else:
            verdict = "not shown to agree"
        pair = f"{html.escape(heads[one])} and {html.escape(heads[other])}"
        rows.append(f"<tr><th>{pair}</th><td>{words(value)}</td><td>{verdict}</td></tr>")
    return (
        "<h2>Do the metrics agree?</h2><p>Spearman’s rank correlation of the order in which two "
        "metrics put all methods and baselines, with its interval over images.</p>"
        f'<div class="wide"><table class="pairs"><tbody>{"".join(rows)}</tbody></table></div>'
    )


def _described(evaluation: Any) -> Any:
    def one(name: str) -> str:
        metric, options = METRICS[name], evaluation.options[name]
        better = "more is better" if metric.higher_is_better else "less is better"
        least, most = (number(np.nan if each is None else each) for each in metric.bounds)
        paper = ""
        if metric.citation is not None:
            url, short = html.escape(metric.citation.url), html.escape(metric.citation.short)
            paper = f' <a href="{url}">{short}</a>.'
        chosen = ", ".join(f"{key}={value!r}" for key, value in options.items())
        asked = f" <small>{html.escape(chosen)}</small>" if chosen else ""
        return (
            f"<dt>{html.escape(metric.title)}</dt><dd>{html.escape(metric.summary)} From {least} "
            f"to {most}, {better}.{paper}{asked}</dd>"
        )

    return one


def _gallery(pictures: Mapping[str, bytes]) -> str:
    if not pictures:
        return ""
    shown = "".join(
        picture(content, caption, caption, kind="png") for caption, content in pictures.items()
    )
    return f'<h2>The maps</h2><div class="pictures">{shown}</div>'
