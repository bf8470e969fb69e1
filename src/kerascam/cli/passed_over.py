"""Say what was passed over among the images of folders and patterns."""

from collections.abc import Sequence
from pathlib import Path

from .images import shown

_NAMED = 3  # of each reason


def sentence(passed_over: Sequence[tuple[Path, str]]) -> str:
    """Count and name what was passed over, by reason.

    Args:
        passed_over: Paths, each with the reason.

    Returns:
        One sentence; empty if there is nothing to say.

    Example:
        >>> sentence([(Path("a.svg"), ".svg files are not read"), (Path("b.jpg"), "a folder")])
        'passed over 2 images: a.svg (.svg files are not read); b.jpg (a folder)'
    """
    if not passed_over:
        return ""
    names: dict[str, list[str]] = {}
    for path, reason in passed_over:
        names.setdefault(reason, []).append(shown(path.name))
    parts = [f"{_listed(these)} ({reason})" for reason, these in names.items()]
    plural = "" if len(passed_over) == 1 else "s"
    return f"passed over {len(passed_over)} image{plural}: {'; '.join(parts)}"


def _listed(names: Sequence[str]) -> str:
    text = ", ".join(names[:_NAMED])
    more = len(names) - _NAMED
    return f"{text} and {more} more" if more > 0 else text
