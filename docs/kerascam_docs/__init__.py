"""A Sphinx extension: what the code says of itself becomes part of the documentation.

Before Sphinx looks for pages, parts of them are written, figures drawn and commands run, into a
folder that git ignores; while it reads the code, docstrings are turned from Markdown into what it
understands.
"""

import os
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.addnodes import desc_signature, pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

import project_urls
from kerascam_docs import reference
from kerascam_docs.anchors import dead_links
from kerascam_docs.outdated import draw_outdated, record_outdated
from kerascam_docs.pages import write_pages

_OUTSIDE = re.compile(r"\[(?P<words>[^\]]+)\]\((?:\.\./)+(?!docs/)(?P<path>[^)#]+)\)")


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("config-inited", _make)
    app.connect("source-read", _unlink_outside)
    app.connect("missing-reference", _resolve_inner_name)
    # Before napoleon, which reads the sections of what this leaves.
    app.connect("autodoc-process-docstring", _process_docstring, priority=400)
    app.connect("autodoc-skip-member", _skip_member)
    app.connect("doctree-read", _name_as_viewcode_does)
    app.connect("build-finished", _check_links)
    return {"parallel_read_safe": False, "parallel_write_safe": True}


def _make(app: Sphinx, config: object) -> None:
    docs = Path(app.confdir)
    write_pages(docs / "_generated")
    draw_outdated(docs / "_generated")
    record_outdated(docs / "_generated")
    # Pages of names that are public no more would be found again and belong nowhere.
    for page in (docs / "api").glob("*.rst"):
        if page.stem not in reference.public_names():
            page.unlink()


def _process_docstring(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    lines[:] = reference.documentation(name, lines)


def _skip_member(
    app: Sphinx, what: str, name: str, obj: object, skip: bool, options: object
) -> bool | None:
    # A named tuple's fields are under its Attributes; Python's own text says nothing more.
    return True if type(obj).__name__ == "_tuplegetter" else None


def _unlink_outside(app: Sphinx, docname: str, source: list[str]) -> None:
    """Link files outside of docs/ at the repository's address: the pages travel without them.

    If there is no address, they are named.
    """
    page = Path(app.srcdir, docname).parent
    repository = project_urls.repository()

    def turn(match: re.Match[str]) -> str:
        target = Path(os.path.normpath(page / Path(match[0].rsplit("](", 1)[1].rstrip(")"))))
        if target.is_relative_to(app.srcdir):
            return match[0]
        if not repository:
            return f"{match['words']} (in the repository)"
        path = os.path.relpath(target, project_urls.ROOT)
        return f"[{match['words']}]({project_urls.linked(path, repository)})"

    source[0] = _OUTSIDE.sub(turn, source[0])


def _resolve_inner_name(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, contnode: nodes.TextElement
) -> nodes.Element | None:
    """Link annotations, which name the module that makes an object, to its public name."""
    inner = {
        f"{obj.__module__}.{obj.__qualname__}": full
        for full, obj in reference.public_names().items()
    }
    full = inner.get(node.get("reftarget", ""))
    if node.get("refdomain") != "py" or full is None:
        return None
    domain = env.domains["py"]
    found = domain.resolve_any_xref(env, node["refdoc"], app.builder, full, node, contnode)
    return found[0][1] if found else None


def _name_as_viewcode_does(app: Sphinx, doctree: nodes.document) -> None:
    """Let viewcode's links back from the source find names that stand in their own module.

    It takes one module for all names of a source file: `kerascam`, if one of them stands there.
    """
    named = reference.public_names()
    sources = {obj.__module__ for full, obj in named.items() if full.count(".") == 1}
    for signature in doctree.findall(desc_signature):
        if signature.get("module") in sources:
            signature["ids"].append(f"kerascam.{signature['fullname']}")


def _check_links(app: Sphinx, exception: Exception | None) -> None:
    """Warn of links that lead nowhere; with --fail-on-warning, that fails the build."""
    if exception is None and app.builder.format == "html":
        for link in dead_links(Path(app.outdir)):
            logging.getLogger(__name__).warning("leads nowhere: %s", link)
