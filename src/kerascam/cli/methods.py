"""`kerascam methods`: what can be computed, from the registry."""

from argparse import Namespace
from collections.abc import Sequence

from ..registry import METHODS, Method
from . import terminal


def run(arguments: Namespace) -> bool:
    """Print the table of methods."""
    del arguments
    terminal.print_table(
        ("Method", "Class", "What it computes", "Paper"),
        [
            (
                method.name,
                method.class_name,
                method.summary.replace("``", "`"),
                method.citation.short if method.citation else "",
            )
            for method in METHODS.values()
        ],
        wordy=("What it computes", "Paper"),
    )
    return True


def find_methods(wanted: Sequence[str] | None) -> list[Method]:
    """Find methods by name, by class or by title, whatever the case; each once.

    Args:
        wanted: One name each, or several with commas; None takes Grad-CAM.

    Raises:
        ValueError: If there is no such method.
    """
    spellings = {
        spelling.casefold(): method
        for method in METHODS.values()
        for spelling in (method.title, method.class_name, method.name)
    }
    names = [name.strip() for names in wanted or ["grad_cam"] for name in names.split(",")]
    found = [spellings.get(name.casefold()) or METHODS[name] for name in names if name]
    if not found:
        raise ValueError("--method names none; see `kerascam methods`")
    return list({method.name: method for method in found}.values())
