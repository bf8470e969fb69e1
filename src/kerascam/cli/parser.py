"""What the user may type: the commands and their help."""

import argparse
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any, NoReturn

from .. import __version__
from . import explain_options, export_options, serve
from .harmless import encodable, harmless


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the arguments after the program's name.

    Raises:
        SystemExit: After --help and --version, and with code 2 after a mistake.
    """
    return _parser().parse_args(_joined(argv))


def _joined(argv: Sequence[str]) -> list[str]:
    # argparse takes the value "-1-1" for an option of its own, unless an equals sign binds it.
    words: list[str] = []
    for word in argv:
        if words and words[-1] == "--preprocess" and word.startswith("-1"):
            words[-1] = f"--preprocess={word}"
        else:
            words.append(word)
    return words


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the arguments, which may be any text, and exit."""
        super().error(encodable(harmless(message), getattr(sys.stderr, "encoding", None)))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="kerascam",
        description="See what a Keras model looked at: Grad-CAM and its kin.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"kerascam {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    explain = _add_command(
        commands, "explain", "draw what the model looked at over images", explain_options
    )
    _add_model(explain)
    explain_options.add(explain)
    _add_loading(explain)
    export = _add_command(
        commands,
        "export",
        "write the model with its explanations for a model server",
        export_options,
    )
    _add_model(export)
    export_options.add(export)
    _add_loading(export)
    serve.add(_add_command(commands, "serve", "serve an exported model while developing", serve))
    layers = commands.add_parser(
        "layers",
        help="list the layers that a map can be drawn from",
        description="List the layers that a class activation map can be drawn from.",
        allow_abbrev=False,
    )
    _add_model(layers)
    _add_loading(layers)
    commands.add_parser(
        "methods",
        help="list the methods",
        description="List the methods, what each computes, and its paper.",
        allow_abbrev=False,
    )
    return parser


def _add_command(commands: Any, name: str, summary: str, words: ModuleType) -> Any:
    """Add a command with the description and the examples that its module has."""
    return commands.add_parser(
        name,
        help=summary,
        description=words.DESCRIPTION,
        epilog=words.EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a .keras file, or a whole model in an .h5")


def _add_loading(parser: argparse.ArgumentParser) -> None:
    loading = parser.add_argument_group("how the model is loaded")
    loading.add_argument(
        "--import",
        dest="imports",
        metavar="MODULE",
        action="append",
        default=[],
        help="import this module first, for the classes that it registers with Keras; "
        "the current folder is searched too; repeatable",
    )
    loading.add_argument(
        "--unsafe",
        action="store_true",
        help="trust the model file: Python code in it runs (Lambda layers), as do SavedModels that "
        "it names, other files that it names are read, and a Keras before 3.11.3 loads it too",
    )
