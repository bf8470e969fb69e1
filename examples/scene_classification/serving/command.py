"""The command line of the development server."""

from __future__ import annotations

import argparse
import dataclasses
import logging
import signal
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, get_type_hints
from urllib.parse import quote

from rich.console import Console

from kerascam.serving.server.errors import CannotServeError
from kerascam.serving.server.limits import Limits
from scene_classification.quiet import native_messages_dropped

if TYPE_CHECKING:
    from kerascam.serving.server.server import ModelServer

DESCRIPTION = """\
Serve the SavedModels of a folder as TensorFlow Serving does over REST. For development only: use
TensorFlow Serving in production."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT.

    Args:
        arguments: The command line without the program's name; by default, this process's.

    Returns:
        The exit status: 0; 1 with one line that says what is wrong; 255, as TensorFlow Serving
        has it, if that is the version to begin with.
    """
    options = vars(_parser().parse_args(arguments))
    bounds = {field.name: options.pop(field.name) for field in dataclasses.fields(Limits)}
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    for name in ("tensorflow", "uvicorn"):
        logging.getLogger(name).setLevel(logging.ERROR)
    signal.signal(signal.SIGTERM, _interrupt)  # until the server has its own way with it
    try:
        with native_messages_dropped():
            from kerascam.serving.server.server import ModelServer
        server = ModelServer(limits=Limits(**bounds), **options)
        server.run(lambda: _announce(server, options["base"], options["name"]))
    except KeyboardInterrupt:
        return 0
    except ValueError as error:
        return _failed(error, 1)
    except CannotServeError as error:
        return _failed(error, 255)
    return 0


def _failed(error: Exception, status: int) -> int:
    Console(stderr=True, highlight=False).print(f"error: {error}", markup=False, soft_wrap=True)
    return status


def _announce(server: ModelServer, base: Path, name: str) -> None:
    Console(highlight=False).print(
        f"serving {base} at {server.url}/v1/models/{quote(name, safe='')} "
        "(for development only: use TensorFlow Serving in production)",
        markup=False,
        soft_wrap=True,
    )


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scene_classification.serving",
        description=DESCRIPTION,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--base", type=Path, required=True, help="the folder that holds VERSION/saved_model.pb"
    )
    parser.add_argument("--name", required=True, help="the name to serve it under")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8501, help="port to listen on; 0: a free one")
    parser.add_argument(
        "--poll-seconds", type=float, default=1.0, help="time between two looks for a new version"
    )
    parser.add_argument(
        "--load-tries",
        type=int,
        default=5,
        help="how many of them may fail to load a version before it is given up",
    )
    types = get_type_hints(Limits)
    bounds = parser.add_argument_group("limits")
    for field in dataclasses.fields(Limits):
        bounds.add_argument(
            f"--{field.name.replace('_', '-')}",
            type=types[field.name],
            default=field.default,
            help=field.metadata["explanation"],
        )
    return parser
