"""`kerascam serve`: exported models behind the REST interface of TensorFlow Serving."""

import argparse
import dataclasses
import logging
import signal
from pathlib import Path
from types import FrameType
from typing import get_type_hints

from ..serving import LONGEST_SECONDS, Limits
from . import options

DESCRIPTION = """\
Serve an exported model as TensorFlow Serving does over REST, until Ctrl+C or SIGTERM. For
development only: use TensorFlow Serving in production."""

EXAMPLES = """\
examples:
  kerascam export model.keras --out models/scenes
  kerascam serve models/scenes
  kerascam serve models/scenes --name pets --port 8600

A version that is exported in the meantime is served as soon as it is loaded. Needs the packages of
kerascam's extra "serving". docs/serving.md says how to send requests."""

#: The exit status of TensorFlow Serving if the version to begin with cannot be loaded.
CANNOT_SERVE = 255


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "models",
        metavar="MODELS",
        help="the folder that `kerascam export --out` wrote: it holds one folder for each version",
    )
    parser.add_argument(
        "--name", help="the name to serve the model under (default: the folder's own)"
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="the address to listen on; 0.0.0.0 lets other machines in (default: %(default)s)",
    )
    parser.add_argument(
        "--port",
        metavar="N",
        type=options.number(int, 0, 2**16 - 1),
        default=8501,
        help="the port to listen on; 0 takes a free one (default: %(default)s)",
    )
    parser.add_argument(
        "--poll-seconds",
        metavar="S",
        type=options.number(float, 0.001, LONGEST_SECONDS),
        default=1.0,
        help="the time between two checks for a new version (default: %(default)s)",
    )
    parser.add_argument(
        "--load-tries",
        metavar="N",
        type=options.number(int, 1, None),
        default=5,
        help="how many attempts to load a version may fail before it is skipped "
        "(default: %(default)s)",
    )
    kinds = get_type_hints(Limits)
    bounds = parser.add_argument_group("limits")
    for field in dataclasses.fields(Limits):
        bounds.add_argument(
            f"--{field.name.replace('_', '-')}",
            metavar="S" if kinds[field.name] is float else "N",
            type=options.number(kinds[field.name], field.metadata["least"], field.metadata["most"]),
            default=field.default,
            help=f"{field.metadata['explanation']} (default: %(default)s)",
        )


def serve(arguments: argparse.Namespace) -> bool:
    """Serve until SIGTERM or SIGINT.

    Raises:
        ValueError: If there is no model to serve, or a limit, the name or the address is wrong.
        ImportError: If a package that the server needs is not installed.
        SystemExit: If the version to begin with cannot be loaded.
    """
    from ..serving import CannotServeError, ModelServer

    _log()
    base = _model_folder(Path(arguments.models))
    bounds = {each.name: getattr(arguments, each.name) for each in dataclasses.fields(Limits)}
    before = signal.signal(signal.SIGTERM, _interrupt)  # until the server handles it itself
    try:
        server = ModelServer(
            base,
            base.resolve().name if arguments.name is None else arguments.name,
            host=arguments.host,
            port=arguments.port,
            limits=Limits(**bounds),
            poll_seconds=arguments.poll_seconds,
            load_tries=arguments.load_tries,
        )
        server.run(lambda: _announce(base, server.model_url))
    except KeyboardInterrupt:
        pass  # asked to end before it began
    except CannotServeError as error:
        from . import terminal  # only after a mistake: --help stays light

        terminal.error(str(error))
        raise SystemExit(CANNOT_SERVE) from error
    finally:
        signal.signal(signal.SIGTERM, before)
    return True


def _model_folder(path: Path) -> Path:
    """Return the folder of a model's versions, which `path` is, or which is the only one in it.

    Raises:
        ValueError: If it is another kind of folder, or none.
    """
    from ..serving import MODEL_FILE, newest_version  # imports TensorFlow

    if path.is_file():
        raise ValueError(
            f"{path} is a file: `kerascam export {path} --out FOLDER` writes what can be served"
        )
    if not path.is_dir():
        raise ValueError(f"{path} is not a folder; give the one that `kerascam export --out` wrote")
    if (path / MODEL_FILE).is_file():
        raise ValueError(
            f"{path} is one version of a model; give the folder of all versions: "
            f"{path.resolve().parent}"
        )
    if newest_version(path) is not None:
        return path
    models = sorted(each for each in path.iterdir() if newest_version(each) is not None)
    if len(models) > 1:
        listed = ", ".join(str(each) for each in models)
        raise ValueError(f"{path} holds {len(models)} models; give one of them: {listed}")
    return models[0] if models else path  # a first version may still come


def _log() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    for name in ("tensorflow", "uvicorn"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _announce(base: Path, url: str) -> None:
    from . import terminal

    terminal.done(
        f"serving {base} at {url} (for development only: use TensorFlow Serving in production)",
        str(base),
    )


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
