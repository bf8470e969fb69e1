"""Text from files and file names, made safe to show on a terminal."""

import re
import unicodedata

# Zero-width joiners spell words of several scripts, and families of emoji; beside ASCII they can
# only hide something.
_JOINED = re.compile("(?<=[^\x00-\x7f])[\u200c\u200d](?=[^\x00-\x7f])")
_PLAIN = re.compile(r"[\x20-\x7e]*")
# Controls (Cc), invisible and bidirectional marks (Cf), lone surrogates (Cs), separators of lines
# and paragraphs (Zl, Zp).
_DANGEROUS = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def harmless(text: str) -> str:
    r"""Write what a terminal would obey, and what nobody could see, as escapes.

    >>> harmless("café\x1b[31m\nred")
    'café\\x1b[31m\\nred'
    >>> harmless("gpj.\u202eexe")
    'gpj.\\u202eexe'
    """
    if _PLAIN.fullmatch(text):
        return text
    kept = {match.start() for match in _JOINED.finditer(text)}
    return "".join(
        character if place in kept or not _is_dangerous(character) else _escape(character)
        for place, character in enumerate(text)
    )


def encodable(text: str, encoding: str | None) -> str:
    """Write what a stream's encoding lacks as escapes."""
    encoding = encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def shortened(text: str, most: int = 600) -> str:
    """Take out the middle of a text that is too long for a message."""
    if len(text) <= most:
        return text
    return f"{text[: most * 2 // 3]} … {text[-most // 3 :]}"


def _is_dangerous(character: str) -> bool:
    return unicodedata.category(character) in _DANGEROUS


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
