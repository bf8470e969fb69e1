"""Turn an error into one sentence, and any text into text that is safe to print."""

import os
import re
import traceback
import unicodedata
from argparse import Namespace
from collections.abc import Callable
from zipfile import BadZipFile

from ..errors import reason

DEBUG = "KERASCAM_DEBUG"

# What a file, a machine or an argument may be the reason of, whatever library notices it. The rest,
# such as KeyError and AttributeError, only a program's own mistake raises.
_EXPECTED = (ValueError, TypeError, OSError, ImportError, RuntimeError, MemoryError, BadZipFile)

_LIBRARIES = ("keras", "tensorflow")


def sentence(error: Exception, arguments: Namespace | None = None) -> str:
    """Say in one line what went wrong, and in which file or option.

    Args:
        error: What was raised.
        arguments: The command's own, as far as they are known.
    """
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror.lower()}{_place(error, arguments)}"
    if isinstance(error, MemoryError):
        return "out of memory: give smaller images or a smaller model"
    if isinstance(error, RecursionError):
        return "nested too deeply: the model or a file has more levels than Python can follow"
    if _is_of_tensorflow(error):
        return reason(error).rpartition("; ")[2]  # of files it writes "path; reason"
    text = _one_line(error)
    if not isinstance(error, _EXPECTED):
        text = f"{type(error).__name__}: {text} ({DEBUG}=1 shows where)"
        if not _through_keras(error):
            return f"this is a bug in kerascam, please report it: {text}"
    model = getattr(arguments, "model", None)
    if _through_keras(error) and model and model not in text:
        return f"{model} cannot be used: {text}"
    return text.replace("suggest_layers(model) lists", "`kerascam layers MODEL` lists")


def trace(error: Exception, write: Callable[[str], object]) -> None:
    """Write the traceback, if the environment asks for it."""
    if os.environ.get(DEBUG, "0") not in ("", "0"):
        for line in "".join(traceback.format_exception(error)).splitlines():
            write(harmless(line))


def _place(error: OSError, arguments: Namespace | None) -> str:
    if error.filename is not None:
        return f": {error.filename}"
    out = getattr(arguments, "out", None)  # only writing fails without a file's name
    return f": --out {out}" if out else ""


def _is_of_tensorflow(error: Exception) -> bool:
    # By name: an error of the arguments must not wait for TensorFlow's import.
    return any(kind.__module__.endswith("errors_impl") for kind in type(error).__mro__)


def _through_keras(error: Exception) -> bool:
    """Say whether the model, and not a line of kerascam's, raised it."""
    modules = [
        frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__)
    ]
    last = max((n for n, name in enumerate(modules) if name.startswith("kerascam.")), default=-1)
    return any(name.split(".")[0] in _LIBRARIES for name in modules[last + 1 :])


def _one_line(error: Exception) -> str:
    text = str(error)
    text = reason(error) if "Exception encountered" in text else " ".join(text.split())
    return shortened(text) or type(error).__name__


# Zero-width joiners spell words of several scripts, and families of emoji; beside ASCII they can
# only hide something.
_JOINED = re.compile("(?<=[^\x00-\x7f])[\u200c\u200d](?=[^\x00-\x7f])")
_PLAIN = re.compile(r"[\x20-\x7e]*")
# Controls (Cc), invisible and bidirectional marks (Cf), lone surrogates (Cs), separators of lines
# and paragraphs (Zl, Zp).
_DANGEROUS = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def harmless(text: str) -> str:
    r"""Escape control characters and invisible characters.

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
    """Escape the characters that a stream's encoding lacks."""
    encoding = encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def shortened(text: str, most: int = 600) -> str:
    """Cut the middle out of a text that is too long for a message."""
    if len(text) <= most:
        return text
    return f"{text[: most * 2 // 3]} … {text[-most // 3 :]}"


def _is_dangerous(character: str) -> bool:
    return unicodedata.category(character) in _DANGEROUS


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
