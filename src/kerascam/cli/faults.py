"""Turn what ended a command into one sentence."""

import os
import traceback
from argparse import Namespace
from collections.abc import Callable
from zipfile import BadZipFile

from ..errors import reason
from .harmless import harmless, shortened

DEBUG = "KERASCAM_DEBUG"

# What a file, a machine or an argument may be the reason of, whatever library notices it. The rest,
# such as KeyError and AttributeError, only a program's own mistake raises.
_EXPECTED = (ValueError, TypeError, OSError, ImportError, RuntimeError, MemoryError, BadZipFile)


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
    if not (isinstance(error, _EXPECTED) or _is_of_tensorflow(error) or _is_of_the_model(error)):
        return (
            f"this is a bug in kerascam, please report it: {type(error).__name__}: "
            f"{_one_line(error)} ({DEBUG}=1 shows where)"
        )
    text = reason(error) if _is_of_tensorflow(error) or _is_of_the_model(error) else ""
    return (text or _one_line(error) or type(error).__name__).replace(
        "suggest_layers(model) lists", "`kerascam layers MODEL` lists"
    )


def trace(error: Exception, write: Callable[[str], object]) -> None:
    """Write the traceback, if the environment asks for it."""
    if os.environ.get(DEBUG, "0") not in ("", "0"):
        for line in "".join(traceback.format_exception(error)).splitlines():
            write(harmless(line))


def _place(error: OSError, arguments: Namespace | None) -> str:
    if error.filename is not None:
        return f": {os.fsdecode(error.filename)}" if isinstance(error.filename, (str, bytes)) else (
            f": {error.filename}"
        )  # fmt: skip
    out = getattr(arguments, "out", None)  # only writing fails without a file's name
    return f": --out {out}" if out else ""


def _is_of_tensorflow(error: Exception) -> bool:
    # By name: an error of the arguments must not wait for TensorFlow's import.
    return any(kind.__module__.endswith("errors_impl") for kind in type(error).__mro__)


def _is_of_the_model(error: Exception) -> bool:
    return "Exception encountered when calling" in str(error)  # so Keras marks what layers raise


def _one_line(error: Exception) -> str:
    return shortened(" ".join(str(error).split()))
