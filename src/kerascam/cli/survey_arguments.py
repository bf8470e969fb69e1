"""What `kerascam survey` takes besides the model and photographs."""

import argparse

from . import options

DESCRIPTION = """\
Explain a whole data set: what the model looks at, class by class, and what it
may be fooled by, on one web page; and a table with one row per photograph, its
raw map and what each feature adds to it, in Parquet files."""

EXAMPLES = """\
examples:
  kerascam survey model.keras photos/ --class-names names.txt --out survey
  kerascam survey model.keras 'shots/**/*.jpg' --preprocess resnet50
  kerascam survey model.keras photos/ --ray auto --gpus-per-worker 1

A survey that was stopped, by Ctrl-C, a kill or a loss of power, goes on where
it was if the same command is given again. If photos/ has a folder per class,
their names are the true classes. Needs pyarrow: kerascam's extra "survey"; with
--ray its extra "ray".

exit codes: 0 all well; 1 some images could not be read; 2 wrong arguments or
model"""


IMAGES = "a folder with all folders within, a file, or a quoted pattern ('photos/**/*.jpg')"


def add_question(parser: argparse.ArgumentParser) -> None:
    """Add what is explained."""
    question = parser.add_argument_group("what is explained")
    options.add_methods(question)
    options.add_layers(question)
    options.add_place(question)
    options.add_classes(question, "explain this class of every image")
    options.add_class_names(question)


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    written = parser.add_argument_group("what is written")
    options.add_out(written, "survey", "files of others in it are never touched")
    written.add_argument(
        "--labels",
        choices=("folder", "none"),
        help="whether the folder of a photograph is its true class (default: folder for those of "
        "folders, none for files)",
    )
    written.add_argument(
        "--shard-size",
        metavar="N",
        type=options.number(int, 1, None),
        default=1024,
        help="photographs per file of the table, which are lost at most if it is stopped "
        "(default: %(default)s)",
    )
    written.add_argument(
        "--threads",
        metavar="N",
        type=options.number(int, 1, None),
        help="how many read photographs (default: two per processor, eight at most)",
    )
    written.add_argument(
        "--no-study",
        dest="study",
        action="store_false",
        help="write the table alone, without clusters, suspects and the web page survey.html",
    )
    _add_workers(parser.add_argument_group("who explains"))
    parser.set_defaults(
        top=None,
        batch_size=32,
        colormap="auto",
        alpha=None,
        style="heat",
        levels=None,
        overlay_side=448,
    )


def _add_workers(group: argparse._ActionsContainer) -> None:
    group.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="explain in several processes by Ray: local for this machine, auto for the cluster "
        "that it belongs to, or HOST:PORT; photographs and --out are in folders that all share "
        "(default: this process alone)",
    )
    group.add_argument(
        "--workers",
        metavar="N",
        type=options.number(int, 1, None),
        help="how many processes (default: as many as the GPUs are enough for, or one per machine)",
    )
    group.add_argument(
        "--gpus-per-worker",
        metavar="X",
        type=options.number(float, 0, None),
        help="GPUs of each: a whole number, or a share of one (default: none)",
    )
