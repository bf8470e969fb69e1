"""What the user may type: the commands and their help."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from .. import __version__
from . import evaluate_arguments as evaluating
from . import options, serve
from . import survey_arguments as surveying
from .faults import encodable, harmless


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
        description="See what a Keras model looked at: Grad-CAM and related methods.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"kerascam {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    summary = "draw what the model looked at over images"
    explain = _add_command(commands, "explain", summary, EXPLAIN, EXPLAIN_EXAMPLES)
    _add_model(explain)
    _add_explain(explain)
    _add_loading(explain)
    summary = "measure which method is to be believed, on images"
    evaluate = _add_command(
        commands, "evaluate", summary, evaluating.DESCRIPTION, evaluating.EXAMPLES
    )
    _add_model(evaluate)
    options.add_images(evaluate, _IMAGES)
    _add_question(evaluate)
    options.add_reading(evaluate)
    evaluating.add(evaluate)
    _add_loading(evaluate)
    summary = "explain a whole data set: what is looked at, and where it is fooled"
    survey = _add_command(commands, "survey", summary, surveying.DESCRIPTION, surveying.EXAMPLES)
    _add_model(survey)
    options.add_images(survey, surveying.IMAGES)
    surveying.add_question(survey)
    options.add_reading(survey, "none: give one")
    surveying.add(survey)
    _add_loading(survey)
    summary = "write the model with its explanations for a model server"
    export = _add_command(commands, "export", summary, EXPORT, EXPORT_EXAMPLES)
    _add_model(export)
    _add_export(export)
    _add_loading(export)
    summary = "serve an exported model while developing"
    serve.add(_add_command(commands, "serve", summary, serve.DESCRIPTION, serve.EXAMPLES))
    layers = commands.add_parser(
        "layers",
        help="list the layers that a map can be drawn from",
        description="List the layers that a class activation map can be drawn from.",
        allow_abbrev=False,
    )
    _add_model(layers)
    options.add_input(layers)
    _add_loading(layers)
    commands.add_parser(
        "methods",
        help="list the methods",
        description="List the methods, what each computes, and its paper.",
        allow_abbrev=False,
    )
    commands.add_parser(
        "metrics",
        help="list the metrics",
        description="List the metrics, what each computes, and its paper.",
        allow_abbrev=False,
    )
    return parser


def _add_command(commands: Any, name: str, summary: str, description: str, examples: str) -> Any:
    return commands.add_parser(
        name,
        help=summary,
        description=description,
        epilog=examples,
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
        "it names, other files that it names are read, and a Keras older than 3.11.3 loads it too",
    )


# Fills a large screen; a photograph of 48 megapixels in full takes 20 MB for each overlay.
_SIDE = 2048
_IMAGES = (
    "a file, a folder (its images, not those of folders within) or a quoted pattern "
    "('photos/**/*.jpg' searches folders within)"
)

EXPLAIN = """\
Explain what an image classifier looked at: one overlay picture for each image, class and method,
an index.html that shows them beside the photographs, and a manifest.json with the numbers."""

EXPLAIN_EXAMPLES = """\
examples:
  kerascam explain model.keras cat.jpg
  kerascam explain model.keras photos/ --class-names names.txt --top 3
  kerascam explain model.keras 'photos/**/*.jpg' --method grad_cam,layer_cam --class tabby

Pictures are resized to the model's input size and passed on as RGB from 0 to 255. A model that
wants other values needs --preprocess: the library never guesses it.

exit codes: 0 all well; 1 some images could not be explained; 2 wrong arguments or model"""


def _add_explain(parser: argparse.ArgumentParser) -> None:
    """Add the images and the options."""
    options.add_images(parser, _IMAGES)
    _add_question(parser)
    options.add_reading(parser)
    _add_drawing(parser)


def _add_question(parser: argparse.ArgumentParser) -> None:
    question = parser.add_argument_group("what is explained")
    options.add_methods(question, "one or several, with commas or repeated ")
    options.add_layers(question)
    options.add_place(question)
    which = question.add_mutually_exclusive_group()
    options.add_classes(which, "explain this class, repeatable")
    which.add_argument(
        "--top",
        metavar="K",
        type=options.number(int, 1, None),
        help="explain the K most probable classes of each image",
    )
    options.add_class_names(question)


def _add_drawing(parser: argparse.ArgumentParser) -> None:
    drawing = parser.add_argument_group("what is written")
    replaced = "an earlier result in it is replaced, other files stay"
    options.add_out(drawing, "explanations", replaced)
    options.add_colors(drawing)
    drawing.add_argument(
        "--overlay-side",
        metavar="N",
        type=options.side,
        default=_SIDE,
        help="pixels of an overlay's longer side, at most, or full for the photograph's own size "
        "(default: %(default)s)",
    )


EXPORT = """\
Export a model with its explanations as one SavedModel, which TensorFlow Serving runs without
Python: it answers images, or image files of any size, with classes, heatmaps and overlays."""

EXPORT_EXAMPLES = """\
examples:
  kerascam export model.keras --out models/scenes --class-names names.txt
  kerascam export model.keras --out models/scenes --method layer_cam --preprocess resnet50

The folder gets a version, one higher than the last: models/scenes/1. A server that watches the
folder loads it. docs/serving.md says how to send requests."""


def _add_export(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    question = parser.add_argument_group("what is explained")
    question.add_argument(
        "--method", metavar="NAME", default=None, help="(default: grad_cam); see `kerascam methods`"
    )
    options.add_layers(question)
    options.add_input(question)
    question.add_argument(
        "--axes",
        metavar="LETTERS",
        help="a letter for each axis of the explained input, as in chw or tc, if the model does "
        "not show where its channels are: time t, depth d, height h, width w, frequency f, "
        "channels c",
    )
    options.add_class_names(question)
    reading = parser.add_argument_group("how the server reads image files")
    options.add_fitting(reading, "224x224")
    options.add_max_pixels(reading)
    reading.add_argument(
        "--resize",
        choices=("area", "bilinear", "antialias"),
        default="area",
        help="by the mean of the area, as `kerascam explain` does; as "
        "keras.utils.image_dataset_from_directory does; or as tf.image.resize with antialias: "
        "best is what training did (default: %(default)s)",
    )
    written = parser.add_argument_group("what is written")
    written.add_argument(
        "--out",
        metavar="FOLDER",
        required=True,
        help="the folder of the model's versions; its last part is usually the model's name",
    )
    written.add_argument(
        "--version",
        metavar="N",
        type=options.number(int, 1, None),
        help="the version (default: the next)",
    )
    written.add_argument(
        "--freeze",
        action="store_true",
        help="make the weights constants: a faster server, a larger file",
    )
    written.add_argument(
        "--raw-maps", action="store_true", help="answer with the maps on the layer's grid too"
    )
    options.add_colors(written)
    written.add_argument(
        "--overlay-side",
        metavar="N",
        type=options.number(int, 1, None),
        default=256,
        help="pixels of an overlay's longer side, at most (default: %(default)s)",
    )
