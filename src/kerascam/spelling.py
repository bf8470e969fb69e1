"""Names: which known one a misspelt one may have meant, and what a chosen thing is called."""

import re
from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import Any

# The share of letters in common, in order, from which two names, and two of their words, are alike.
_ALIKE, _WORDS_ALIKE = 0.65, 0.75
_LONGEST = 100  # characters: comparing takes time that grows with the square of the length
_MOST = 30_000  # names that are compared letter by letter


def nearest(wanted: str, names: Iterable[str], most: int = 3) -> list[str]:
    """Find the names that a misspelt one may have meant, the nearest first.

    A name is near if it has all words of the wanted one, or if it is spelt alike, as a whole or
    word by word. A part of a word is no word.

    Args:
        wanted: What was asked for.
        names: What is known.
        most: How many to return at most.

    Returns:
        Names as they are in `names`; none if nothing is near.

    Example:
        >>> nearest("cat", ["bullfrog, Rana catesbeiana", "tabby cat", "cot"])
        ['tabby cat', 'cot']
    """
    words = _words(wanted)
    if not words or len(wanted) > _LONGEST:
        return []
    known = list(dict.fromkeys(names))
    found: list[tuple[float, int, str]] = []
    for place, name in enumerate(known):
        closeness = _closeness(words, _words(name), letters=place < _MOST)
        if closeness:
            found.append((-closeness, place, name))
    return [name for _, _, name in sorted(found)[:most]]


def name_of(chosen: Any) -> str:
    """Name what the user chose: a name as it is, a function by its own."""
    return chosen if isinstance(chosen, str) else str(getattr(chosen, "__qualname__", repr(chosen)))


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())


def _closeness(wanted: list[str], own: list[str], *, letters: bool) -> float:
    """Say how near a name is, from 1 to 3: 0 is not near."""
    if not own:
        return 0.0
    if set(wanted) <= set(own):
        return 2 + len(wanted) / len(own)  # the fewer other words the better
    if not letters:
        return 0.0
    best = _alike(" ".join(wanted), " ".join(own), _ALIKE)
    if len(own) > len(wanted):
        by_word = min(max(_alike(word, each, _WORDS_ALIKE) for each in own) for word in wanted)
        best = max(best, 0.99 * by_word)  # a little less: the name has other words too
    return 1 + best if best else 0.0


def _alike(one: str, other: str, least: float) -> float:
    """Return the share of letters that two texts have in common; 0 if it is below `least`."""
    total = len(one) + len(other)
    if 2 * min(len(one), len(other)) < least * total or len(other) > _LONGEST:
        return 0.0
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    if matcher.quick_ratio() < least:
        return 0.0
    ratio = matcher.ratio()
    return ratio if ratio >= least else 0.0
