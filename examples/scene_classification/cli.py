"""`python -m scene_classification`: one command for each step, and `run` for all of them."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

from rich.console import Console

from scene_classification.config import PATHS, Config, DataConfig
from scene_classification.options import ExportOptions, RequestOptions, ServeOptions
from scene_classification.quiet import native_messages_dropped
from scene_classification.run_folder import RunFolder, open_run
from scene_classification.settings import Settings

DESCRIPTION = """\
Train a residual network on six classes of scenes, measure it, explain it with kerascam, serve it,
and report.
Each step reads and writes one run folder; what a run was made with is kept in its config.json, so
later steps need no options again."""


#: The commands that train.
TRAINING = ("train", "run")
METAVARS = {int: "N", float: "X", str: "PATH"}


@dataclass(frozen=True)
class Command:
    """One command: the function of its name in `steps`.

    Attributes:
        summary: What it does, in one line.
        settings: The settings that it takes; None if it takes those of the run as they are.
        options: What else it may be told, which is not kept with the run.
        needs_run: Whether it works in a run's folder.
    """

    summary: str
    settings: type[DataConfig] | None = None
    options: type[Settings] | None = None
    needs_run: bool = True


COMMANDS = {
    "data": Command("get the scenes, look for problems, and show them", DataConfig),
    "train": Command("train the network, or go on where it was stopped", Config),
    "evaluate": Command("measure the network on the test scenes"),
    "explain": Command("show what the network looks at, and measure it"),
    "survey": Command("say what the network looks at in all test images, and what may fool it"),
    "photographs": Command(
        "explain two real photographs, by the reference network where the run's saw only drawings"
    ),
    "export": Command("write the network for a model server", options=ExportOptions),
    "serve": Command("serve the exported network until it is stopped", options=ServeOptions),
    "request": Command(
        "ask a server about an image, and write the overlay that it draws",
        options=RequestOptions,
        needs_run=False,
    ),
    "rehearse": Command("start a development server, ask it about a photograph, and stop it"),
    "report": Command("put everything into one HTML file"),
    "run": Command("all of these but serve and request, one after the other", Config),
    "publish": Command("write the run's network as the reference network", DataConfig),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: The command line without the program's name; by default, this process's.

    Returns:
        The exit status: 0; 1 with one line that says what is wrong; 130 when interrupted.
    """
    given = vars(_parser().parse_args(arguments))
    name = given.pop("command")
    command = COMMANDS[name]
    console = Console(highlight=False)
    try:
        if command.options is None:
            _work(name, console, *_open(command, given))
        else:
            taken = [field.name for field in dataclasses.fields(command.options)]
            told = command.options(**{key: given.pop(key) for key in taken if key in given})
            opened = _open(command, given) if command.needs_run else (None, None)
            _work(name, console, *opened, told)
    except (ImportError, OSError, ValueError, RuntimeError) as error:
        console.print("[bold red]error:[/]", end=" ")
        console.print(str(error), markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print("stopped; the same command goes on from here")
        return 130
    finally:
        console.show_cursor()  # a bar hides it
    return 0


def _open(command: Command, given: dict[str, Any]) -> tuple[Config, RunFolder]:
    root = Path(given.pop("run"))
    if command.settings is None and not (root / "config.json").exists():
        raise FileNotFoundError(f"run={str(root)!r} is not there; begin it with data or train")
    run, config = open_run(root, _found_from_anywhere(given))
    return config, run


def _found_from_anywhere(options: dict[str, Any]) -> dict[str, Any]:
    """Make paths absolute: a run may be gone on with from another folder."""
    paths = PATHS & options.keys()
    named = {name for name in paths if options[name] in ("reference", "resnet50")}
    return {
        **options,
        **{name: str(Path(options[name]).resolve()) for name in paths - named},
    }


def _work(
    command: str, console: Console, config: Config | None, run: RunFolder | None, *told: Settings
) -> None:
    # Here and not above, so that --help and a wrong option wait for no TensorFlow.
    with native_messages_dropped():
        from scene_classification import steps
        from scene_classification.progress import Reporter
        from scene_classification.training.strategy import make_strategy
        from scene_classification.workplace import Workplace

        # Made before TensorFlow runs anything, and only to train on.
        distribution = make_strategy(config.strategy) if config and command in TRAINING else None
    reporter = Reporter(console)
    if config is None or run is None:
        getattr(steps, command)(reporter, *told)
        return
    workplace = Workplace(config, run, reporter, distribution)
    getattr(steps, command)(workplace, *told)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scene_classification", description=DESCRIPTION)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        sub = commands.add_parser(
            name,
            help=command.summary,
            description=f"{command.summary[0].upper()}{command.summary[1:]}.",
            usage=_usage(command),
        )
        if command.needs_run:
            sub.add_argument(
                "--run",
                default="runs/scenes",
                metavar="FOLDER",
                help="the run (default: %(default)s)",
            )
        for settings in filter(None, (command.settings, command.options)):
            _add_settings(sub, settings)
    return parser


def _usage(command: Command) -> str:
    words = ["%(prog)s"]
    words += ["[--run FOLDER]"] if command.needs_run else []
    words += ["[OPTION ...]"] if command.settings or command.options else []
    words += [field.name.upper() for field in _positional(command.options)]
    return " ".join(words)


def _positional(options: type[Settings] | None) -> list[dataclasses.Field[Any]]:
    fields = () if options is None else dataclasses.fields(options)
    return [field for field in fields if field.default is dataclasses.MISSING]


def _add_settings(parser: argparse.ArgumentParser, settings: type[Settings]) -> None:
    types = get_type_hints(settings)
    data = {field.name for field in dataclasses.fields(DataConfig)}
    groups = {True: parser.add_argument_group("data"), False: parser}
    if settings is Config:
        groups[False] = parser.add_argument_group("network and training")
    for field in _positional(settings):
        parser.add_argument(
            field.name, metavar=field.name.upper(), help=field.metadata["explanation"]
        )
    for field in dataclasses.fields(settings):
        if field in _positional(settings):
            continue
        kind = next(kind for kind in METAVARS if kind in _options_of(types[field.name]))
        default = "" if field.default is None else f" (default: {field.default})"
        groups[field.name in data].add_argument(
            f"--{field.name.replace('_', '-')}",
            type=kind,
            choices=field.metadata["choices"] or None,
            # Left out unless given, so that the settings of a run that exists hold.
            default=argparse.SUPPRESS,
            metavar=None if field.metadata["choices"] else METAVARS[kind],
            help=field.metadata["explanation"] + default,
        )


def _options_of(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) or (annotation,)
