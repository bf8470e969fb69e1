"""The command line: the only package that takes file names, prints and exits."""

import contextlib
import importlib
import os
import sys
import warnings
from argparse import Namespace
from collections.abc import Sequence

from ..stderr import native_messages_held
from .parser import parse

# Where each command is a function of its own name.
_HOMES = {
    "evaluate": ".evaluate",
    "explain": ".explain",
    "export": ".export",
    "layers": ".listing",
    "methods": ".listing",
    "metrics": ".listing",
    "serve": ".serve",
    "survey": ".survey",
}
_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
DONE, FAILED, WRONG, INTERRUPTED = 0, 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: The arguments; None takes the process's own.

    Returns:
        The exit code: 0 if all went well, 1 if some images could not be explained, 2 for a
        mistake in the arguments or the model, 130 after an interrupt.
    """
    arguments = None
    try:
        arguments = parse(sys.argv[1:] if argv is None else list(argv))
        return _run(arguments)
    except SystemExit as stop:  # argparse's way to end after --help and after a mistake
        return stop.code if isinstance(stop.code, int) else WRONG
    except KeyboardInterrupt:
        print("kerascam: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of the table, such as `head`, has closed it
        _let_go_of_stdout()
        return FAILED
    except Exception as error:
        _say_why(error, arguments)
        return WRONG


def _run(arguments: Namespace) -> int:
    with warnings.catch_warnings():
        if not sys.warnoptions:  # Python's warnings are for who writes code; notes are printed
            warnings.simplefilter("ignore")
        _import_tensorflow()
        # Only now: the commands import TensorFlow.
        home = importlib.import_module(_HOMES[arguments.command], __name__)
        complete = getattr(home, arguments.command)(arguments)
    return DONE if complete else FAILED


def _say_why(error: Exception, arguments: Namespace | None) -> None:
    from . import faults, terminal  # only after a mistake: --help stays light

    if isinstance(error, OSError) and error.filename == terminal.STDOUT:
        _let_go_of_stdout()
    faults.trace(error, terminal.plain)
    given = vars(arguments).values() if arguments else ()
    names = [text for text in given if isinstance(text, str)]
    terminal.error(faults.sentence(error, arguments), *names)


def _let_go_of_stdout() -> None:
    # Python flushes stdout once more on its way out, and would complain again.
    with contextlib.suppress(OSError, ValueError):  # such as if it has no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _import_tensorflow() -> None:
    """Import TensorFlow without its messages, unless the user has asked for them.

    The backend of Keras is TensorFlow here, whatever the user's own is.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    os.environ.setdefault(_LEVEL, "3")
    if os.environ[_LEVEL] in {"0", "1"} or "tensorflow" in sys.modules:
        return
    with native_messages_held():  # some are written before the level holds
        import tensorflow  # noqa: F401
