"""The command line: the only package that takes file names, prints and exits."""

import importlib
import os
import sys
import warnings
from argparse import Namespace
from collections.abc import Sequence

from . import quiet
from .parser import parse

DONE, FAILED, WRONG, INTERRUPTED = 0, 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: The arguments; None takes the process's own.

    Returns:
        The exit code: 0 where all went well, 1 where some images could not be explained, 2 for a
        mistake in the arguments or the model, 130 after an interrupt.
    """
    try:
        return _run(parse(sys.argv[1:] if argv is None else list(argv)))
    except SystemExit as stop:  # argparse's way to end after --help and after a mistake
        return stop.code if isinstance(stop.code, int) else WRONG
    except KeyboardInterrupt:
        print("kerascam: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # who read the table, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except (ValueError, TypeError, OSError) as error:
        print(f"kerascam: error: {_one_line(error)}", file=sys.stderr)
        return WRONG


def _run(arguments: Namespace) -> int:
    with warnings.catch_warnings():
        if not sys.warnoptions:  # Python's warnings are for who writes code; notes are printed
            warnings.simplefilter("ignore")
        quiet.import_tensorflow()
        # Only now: the commands stand on TensorFlow.
        command = importlib.import_module(f".{arguments.command}", __name__)
        complete = command.run(arguments)
    sys.stdout.flush()
    return DONE if complete else FAILED


def _one_line(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        where = f": {error.filename}" if error.filename is not None else ""
        return f"{error.strerror.lower()}{where}"
    text = " ".join(str(error).split()) or type(error).__name__
    return text.replace("suggest_layers(model) lists", "`kerascam layers MODEL` lists")
