"""`python -m scene_classification`: one command for each step, and `run` for all of them."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

from rich.console import Console

from scene_classification import steps
from scene_classification.config import Config, DataConfig
from scene_classification.progress import Reporter
from scene_classification.run_folder import open_run
from scene_classification.steps import Workplace
from scene_classification.strategy import make_strategy

DESCRIPTION = """\
Train a residual network on six classes of scenes, measure it, explain it with kerascam, and report.
Each step reads and writes one run folder; what a run was made with is kept in its config.json, so
later steps need no options again."""


@dataclass(frozen=True)
class Command:
    """One command.

    Attributes:
        summary: What it does, in one line.
        work: Does it.
        settings: The settings that it takes; None if it takes those of the run as they are.
    """

    summary: str
    work: Callable[[Workplace], None]
    settings: type[DataConfig] | None = None


COMMANDS = {
    "data": Command("get the scenes, look for problems, and show them", steps.data, DataConfig),
    "train": Command("train the network, or go on where it was stopped", steps.train, Config),
    "evaluate": Command("measure the network on the test scenes", steps.evaluate),
    "explain": Command("show what the network looks at, and measure it", steps.explain),
    "report": Command("put everything into one HTML file", steps.report),
    "run": Command("all of these, one after the other", steps.everything, Config),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: The command line without the program's name; by default, this process's.

    Returns:
        The exit status: 0; 1 with one line that says what is wrong; 130 when interrupted.
    """
    options = vars(_parser().parse_args(arguments))
    command = COMMANDS[options.pop("command")]
    root = Path(options.pop("run"))
    console = Console()
    try:
        run, config = open_run(root, options)
        distribution = make_strategy(config.strategy)  # before TensorFlow runs anything
        command.work(Workplace(config, run, Reporter(console), distribution))
    except (OSError, ValueError, RuntimeError) as error:
        console.print("[bold red]error:[/]", end=" ")
        console.print(str(error), highlight=False, markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print("stopped; the same command goes on from here", highlight=False)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scene_classification", description=DESCRIPTION)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        sub = commands.add_parser(
            name, help=command.summary, description=f"{name.capitalize()}: {command.summary}."
        )
        sub.add_argument(
            "--run", default="runs/scenes", metavar="FOLDER", help="the run (default: %(default)s)"
        )
        if command.settings is not None:
            _add_settings(sub, command.settings)
    return parser


def _add_settings(parser: argparse.ArgumentParser, settings: type[DataConfig]) -> None:
    types = get_type_hints(settings)
    for field in dataclasses.fields(settings):
        kind = next(kind for kind in (int, float, str) if kind in _options_of(types[field.name]))
        default = "" if field.default is None else f" (default: {field.default})"
        parser.add_argument(
            f"--{field.name.replace('_', '-')}",
            type=kind,
            choices=field.metadata["choices"] or None,
            # Left out unless given, so that the settings of a run that exists hold.
            default=argparse.SUPPRESS,
            metavar=None if field.metadata["choices"] else kind.__name__.upper(),
            help=field.metadata["explanation"] + default,
        )


def _options_of(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) or (annotation,)
