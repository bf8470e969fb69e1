"""Parts of pages that are made from the code: they cannot say anything else than it does."""

import contextlib
import io
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import readme_methods
from kerascam.cli.parser import parse
from kerascam.metrics import METRICS
from kerascam.registry import METHODS, Citation
from kerascam_docs import sessions
from kerascam_docs.gallery import gallery
from kerascam_docs.reference import public_names

_GROUPS: dict[str, Callable[[Any, str], bool]] = {
    "The front door": lambda obj, full: full in ("kerascam.Explainer", "kerascam.Explanation"),
    "Methods": lambda obj, full: hasattr(obj, "_method"),
    "Metrics": lambda obj, full: (
        full in ("kerascam.evaluate", "kerascam.Evaluation")
        or full.startswith(("kerascam.evaluating.", "kerascam.metrics."))
    ),
    "Data sets": lambda obj, full: (
        full.removeprefix("kerascam.")
        in (
            "explain_dataset",
            "RayWorkers",
            "RowExplainer",
            "read_survey",
            "Survey",
            "study",
            "Study",
        )
        or full.startswith("kerascam.surveying.")
    ),
    "Layers, pictures, export and training": lambda obj, full: (
        full.count(".") == 1 or full.startswith("kerascam.model.suggest.")
    ),
    "Targets": lambda obj, full: full.startswith("kerascam.targets."),
    "For other libraries": lambda obj, full: full.startswith("kerascam.interop."),
    "Asking and running a model server": lambda obj, full: full.startswith("kerascam.serving."),
}
_DRAWN = f"""\
![The temple, with the heat on its roof](../_generated/{sessions.PICTURES}/china.grad_cam.buildings.png)
![The flower, with the heat where the network sees the sea](../_generated/{sessions.PICTURES}/flower.grad_cam.sea.png)

"""  # noqa: E501 - a picture stands on one line
_COMMANDS = ("explain", "evaluate", "survey", "export", "serve", "layers", "methods", "metrics")


def write_pages(folder: Path) -> None:
    """Write all parts; a file that would not change is left, so that its pages are not read again.

    Args:
        folder: Where to; the pages include the parts from there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    parts = {
        "api.md": api_lists(),
        "methods.md": methods_table(),
        "metrics.md": metrics_table(),
        "citations.md": bibtex(),
        "commands.md": command_line(),
        "gallery.md": gallery(),
        "stages.md": stages_table(),
        "depth.md": depth_sentences(),
    }
    for name, text in parts.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def api_lists() -> str:
    """List the public names in groups, each with a page of its own."""
    left = dict(public_names())
    made = []
    for title, belongs in _GROUPS.items():
        names = [full for full, obj in left.items() if belongs(obj, full)]
        for full in names:
            del left[full]
        rows = "\n".join(f"   ~{full}" for full in names)
        made.append(
            f"## {title}\n\n```{{eval-rst}}\n.. autosummary::\n   :toctree: ../api\n\n{rows}\n```\n"
        )
    if left:
        raise ValueError(f"no group of the reference takes {', '.join(left)}; extend _GROUPS")
    return "\n".join(made)


def methods_table() -> str:
    """One row per method: its class, what it computes, what it costs, and its paper."""
    rows = [("Class", "What it computes", "Passes of the model", "Paper"), ("---",) * 4]
    for method in METHODS.values():
        name = method.class_name
        link = f"{{py:obj}}`{name} <kerascam.{name}>`"
        rows.append((link, method.summary, passes(method.name), readme_methods.paper(method)))
    return readme_methods.table(rows) + "\n"


def metrics_table() -> str:
    """One row per metric: what it computes, where better is, what it needs, and its paper."""
    rows = [("Name", "What it computes", "Better", "Needs masks", "Paper"), ("---",) * 5]
    for metric in METRICS.values():
        rows.append(
            (
                f"{{py:obj}}`{metric.name} <kerascam.metrics.{metric.name}>`",
                metric.summary,
                "more" if metric.higher_is_better else "less",
                "yes" if "masks" in metric.needs else "",
                readme_methods.paper(metric),
            )
        )
    return readme_methods.table(rows) + "\n"


def stages_table() -> str:
    """One row per part of the small residual network of the scene example, on 96 × 96 pixels."""
    from scene_classification.networks.description import stages_of
    from scene_classification.networks.residual import residual_network

    rows = [("Part", "Output", "Residual blocks", "Weights", "Receptive field"), ("---",) * 5]
    for stage in stages_of(residual_network("small", input_shape=(96, 96, 3))):
        side = stage.receptive_field
        rows.append(
            (
                stage.name,
                " × ".join(map(str, stage.size)),
                str(stage.blocks or "–"),
                f"{stage.parameters:,}",
                "all" if side is None else f"{side} × {side}",
            )
        )
    return readme_methods.table(rows) + "\n"


def depth_sentences() -> str:
    """Say what a plain and a residual network of the same depth reached."""
    from scene_classification.networks.depth import depth_in_words

    return f"{depth_in_words()} `python benchmarks/depth.py` repeats it in a few minutes.\n"


def passes(name: str) -> str:
    """Word how often a method runs the model on an image, forward and backward.

    Example:
        >>> passes("grad_cam"), passes("smooth_grad")
        ('1 forward, back to the layer', '1 + 25 forward, 25 backward')
    """
    method = METHODS[name]
    if method.passes is not None:
        return method.passes.format(**method.options)
    return "1 forward, 1 backward" if method.of_pixels else "1 forward, back to the layer"


def bibtex() -> str:
    """Return every paper once, as a BibTeX entry."""
    known: list[Any] = [*METHODS.values(), *METRICS.values()]
    cited = [each.citation for each in known if each.citation]
    papers = {paper.url: paper for paper in reversed(cited)}  # the methods' own words come first
    return "```bibtex\n" + "\n\n".join(map(_entry, reversed(papers.values()))) + "\n```\n"


def _entry(paper: Citation) -> str:
    authors = re.split(r", | and ", paper.authors)
    word = re.sub(r"[^a-z]", "", paper.title.lower().split()[0])
    fields = {
        "author": " and ".join(authors),
        # In braces within: styles would set names such as Grad-CAM in lower case.
        "title": f"{{{paper.title}}}",
        "year": str(paper.year),
        "howpublished": paper.venue,
        "url": paper.url,
    }
    if arxiv := re.search(r"arxiv\.org/abs/([\d.]+)", paper.url):
        fields |= {"eprint": arxiv[1], "archiveprefix": "arXiv"}
    if doi := re.search(r"doi\.org/(.+)", paper.url):
        fields["doi"] = doi[1]
    body = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items())
    return f"@misc{{{authors[0].lower()}{paper.year}{word},\n{body}\n}}"


def command_line() -> str:
    """Return what each command printed when the page was built, and its own help."""
    made = []
    for words in ([], *([command] for command in _COMMANDS)):
        said = io.StringIO()
        # As wide as a page, without colours, whatever terminal the build runs in.
        plain = mock.patch.dict(os.environ, {"COLUMNS": "88", "NO_COLOR": "1"})
        with plain, contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
            parse([*words, "--help"])
        name = " ".join(["kerascam", *words])
        shown = "".join(map(_session, words))
        made.append(f"## `{name}`\n\n{shown}```text\n{said.getvalue().strip()}\n```\n")
    return "\n".join(made)


def _session(command: str) -> str:
    """Include what a command printed; nothing for one that does not end, such as `serve`."""
    if command not in sessions.SESSIONS:
        return ""
    file = f"../_generated/{sessions.file_of(command)}"
    made = f"```{{literalinclude}} {file}\n:language: console\n```\n\n"
    return made + (_DRAWN if command == "explain" else "") + "Its help:\n\n"
