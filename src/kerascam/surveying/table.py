"""A table of a survey's images in a web page, to sort and to filter."""

import html
import json

import numpy as np

from .looks import right_of
from .survey import Survey

MOST = 5000  # rows

_COLUMNS = (
    ("key", "Image", "text"),
    ("label", "True class", "text"),
    ("class_name", "Class", "text"),
    ("probability", "Probability", "share"),
    ("score", "Score", "number"),
    ("status", "Evidence", "text"),
    ("heat_border", "At borders", "share"),
    ("heat_centre", "In the middle", "share"),
    ("heat_entropy", "Spread", "share"),
    ("heat_area", "Hot area", "share"),
)

_SCRIPT = """
(() => {
  const data = JSON.parse(document.getElementById("rows").textContent);
  const kinds = data.kinds, body = document.getElementById("body"), step = 100;
  const find = document.getElementById("find"), only = document.getElementById("only");
  const wrong = document.getElementById("wrong"), said = document.getElementById("said");
  let order = data.rows.map((_, i) => i), by = -1, down = false, shown = step;
  const text = (value, kind) => value === null ? "–"
    : kind === "share" ? (100 * value).toFixed(1) + " %" : kind === "number" ? value.toPrecision(4)
        : value;
  const draw = () => {
    const words = find.value.toLowerCase();
    const left = order.filter(i => {
      const row = data.rows[i];
      return (!words || String(row[0]).toLowerCase().includes(words))
        && (!only.value || row[2] === only.value) && (!wrong.checked || data.wrong[i]);
    });
    body.replaceChildren(...left.slice(0, shown).map(i => {
      const line = document.createElement("tr");
      data.rows[i].forEach((value, place) => {
        const cell = document.createElement("td");
        cell.textContent = text(value, kinds[place]);
        if (kinds[place] === "text") cell.className = "text";
        line.append(cell);
      });
      return line;
    }));
    said.textContent = Math.min(shown, left.length) + " of " + left.length + " shown";
    document.getElementById("more").hidden = shown >= left.length;
  };
  document.querySelectorAll("th button").forEach((button, place) => button.addEventListener("click",
  () => {
    down = by === place ? !down : false; by = place;
    const sign = down ? -1 : 1;
    order.sort((a, b) => {
      const one = data.rows[a][by], other = data.rows[b][by];
      if (one === null || other === null) return (one === null) - (other === null);
      return sign * (one < other ? -1 : one > other ? 1 : a - b);
    });
    document.querySelectorAll("th").forEach((head, i) =>
      head.setAttribute("aria-sort", i === by ? (down ? "descending" : "ascending") : "none"));
    draw();
  }));
  for (const each of [find, only, wrong]) each.addEventListener("input", () => { shown = step;
  draw(); }); document.getElementById("more").addEventListener("click", () => { shown += 10 * step;
  draw(); }); draw();
})();
"""


def table_of(survey: Survey) -> str:
    """Write the table: of many images those that are wrong, and then those of least probability."""
    right = right_of(survey)
    probability = np.nan_to_num(survey.column("probability").astype(float), nan=1.0)
    wrong = right == 0
    chosen = np.arange(len(survey))
    note = ""
    if len(chosen) > MOST:
        chosen = np.sort(np.lexsort((probability, ~wrong))[:MOST])
        note = (
            f"<p>The table holds {MOST:,} of {len(survey):,} images: those that are wrong, "
            f"and then those of least probability. All are in the Parquet files.</p>"
        )
    columns = [survey.column(name)[chosen] for name, _, _ in _COLUMNS]
    rows = [
        [_plain(value, kind) for value, (_, _, kind) in zip(row, _COLUMNS, strict=True)]
        for row in zip(*columns, strict=True)
    ]
    data = {
        "kinds": [kind for _, _, kind in _COLUMNS],
        "rows": rows,
        "wrong": wrong[chosen].tolist(),
    }
    # No text may end the script that holds it.
    text = json.dumps(data, ensure_ascii=True, allow_nan=False).replace("<", "\\u003c")
    names = sorted(set(map(str, survey.column("class_name"))))
    options = "".join(f"<option>{html.escape(name)}</option>" for name in names)
    heads = "".join(
        f'<th{" class=text" if kind == "text" else ""}><button type="button">{title}</button></th>'
        for _, title, kind in _COLUMNS
    )
    return (
        f'{note}<div class="controls"><input id="find" type="search" aria-label="Name of an image" '
        f'placeholder="Name of an image"><select id="only" aria-label="Class">'
        f'<option value="">All classes</option>{options}</select>'
        f'<label><input id="wrong" type="checkbox"> wrong only</label>'
        f'<span id="said" class="dim"></span></div><p class="dim">A click on a title sorts.</p>'
        f'<div class="wide"><table><thead><tr>{heads}</tr></thead>'
        f'<tbody id="body"></tbody></table></div>'
        f'<p><button id="more" type="button">More</button></p>'
        f'<script id="rows" type="application/json">{text}</script><script>{_SCRIPT}</script>'
    )


def _plain(value: object, kind: str) -> object:
    if value is None or value != value:
        return None
    return str(value) if kind == "text" else round(float(value), 5)  # type: ignore[arg-type]
