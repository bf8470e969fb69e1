"""What went wrong inside the user's model, in one plain line."""

import re


class DoesNotFitError(ValueError):
    """Inputs that the model, or the target, cannot take."""


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
