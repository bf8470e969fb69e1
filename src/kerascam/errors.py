"""What went wrong inside the user's model, in one plain line."""

import re
import reprlib
from typing import Any


class DoesNotFitError(ValueError):
    """Inputs that the model, or the target, cannot take."""


class OpenLengthsError(ValueError):
    """What a graph tells only if the lengths that the model leaves open are given."""


_FRAMES = (
    "Graph execution error",
    "Exception encountered",
    "Detected at",
    "File ",
    "Arguments received",
    "Stack trace",
    "[[",
    "•",
)


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _LONGEST = 80


def brief(value: Any) -> str:
    """Show a value that was received, in one line of at most 80 characters."""
    try:
        text = " ".join(_SHORT.repr(value).split())
    except Exception:  # a repr of the user's own, or a number of thousands of digits
        return f"a value of type {type(value).__name__}"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def reason(error: BaseException) -> str:
    """Return the line of an error of TensorFlow's or Keras's that says what was wrong."""
    text = re.sub(r"\x1b\[[\d;]*m", "", str(getattr(error, "message", error)))
    lines = [line.strip() for line in text.splitlines()]
    telling = [line for line in lines if line and not line.startswith(_FRAMES)]
    if not telling:
        return type(error).__name__
    if "Graph execution error" in text:
        return telling[-1]
    return " ".join(telling[:2]) if telling[0].endswith(":") else telling[0]
