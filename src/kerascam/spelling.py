"""Which known names a misspelt one may have meant: by whole words, and by spelling."""

import re
from collections.abc import Iterable
from difflib import SequenceMatcher

_ALIKE = 0.65  # the share of letters in common, in order, from which two words are alike
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
    whole = _alike(" ".join(wanted), " ".join(own))
    by_word = min(max(_alike(word, each) for each in own) for word in wanted)
    # Word by word counts a little less: the name has other words too.
    best = max(whole, by_word * 0.99 if len(own) > len(wanted) else 0.0)
    return 1 + best if best else 0.0


def _alike(one: str, other: str) -> float:
    """Return the share of letters that two words have in common; 0 if they are not alike."""
    total = len(one) + len(other)
    if 2 * min(len(one), len(other)) < _ALIKE * total or len(other) > _LONGEST:
        return 0.0
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    if matcher.quick_ratio() < _ALIKE:
        return 0.0
    ratio = matcher.ratio()
    return ratio if ratio >= _ALIKE else 0.0
