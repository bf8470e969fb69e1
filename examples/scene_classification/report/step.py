"""The report: all that a run found, in one HTML file that asks for nothing; it links the survey."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from scene_classification.files import write_text
from scene_classification.report import numbers as report_numbers
from scene_classification.report import text as report_text
from scene_classification.report.made import from_here
from scene_classification.report.parts import read_parts
from scene_classification.report.pictures import embed_pictures
from scene_classification.run_folder import RunFolder

TEMPLATES = Path(__file__).parent / "template"


def write_report(run: RunFolder) -> Path:
    """Write what a run has found so far as `report.html`.

    The file holds its pictures, styles and script; a browser that shows it asks no network. What a
    run has not made yet is left out, or named with the command that makes it. The same run,
    from the same folder, yields the same bytes.

    Args:
        run: The run; it is read, and `report.html` is all that is written.

    Returns:
        The path of the report.

    Raises:
        ValueError: If one of the run's JSON files cannot be read.
    """
    write_text(run.report, render(run))
    return run.report


def render(run: RunFolder) -> str:
    """Return the report of a run as HTML."""
    parts = read_parts(run)
    template = _environment().get_template("report.html.jinja")
    return template.render(
        parts._asdict(),
        pictures=embed_pictures(run.pictures),
        text=report_text.describe(parts, from_here(run.root)),
    )


def _environment() -> Environment:
    # Everything is escaped, whatever the file is called: class names and paths are anyone's.
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(report_numbers.FILTERS)
    return environment
