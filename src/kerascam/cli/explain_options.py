"""What the user may type behind `kerascam explain MODEL`."""

import argparse
from collections.abc import Callable

DESCRIPTION = """\
Explain what an image classifier looked at: one overlay picture for each image, class and method,
and a manifest.json with the numbers."""

EXAMPLES = """\
examples:
  kerascam explain model.keras cat.jpg
  kerascam explain model.keras photos/ --labels names.txt --top 3
  kerascam explain model.keras 'photos/**/*.jpg' --method grad_cam,layer_cam --class tabby

Pictures are resized to the model's input size and handed over as RGB from 0 to 255. A model that
wants other values needs --preprocess: the library never guesses it.

exit codes: 0 all well; 1 some images could not be explained; 2 wrong arguments or model"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add the images and the options."""
    parser.add_argument(
        "images",
        metavar="IMAGE",
        nargs="+",
        help="a file, a folder (its images, not those of folders within) or a quoted pattern "
        "('photos/**/*.jpg' searches folders within)",
    )
    _add_question(parser)
    _add_reading(parser)
    _add_drawing(parser)


def _add_question(parser: argparse.ArgumentParser) -> None:
    question = parser.add_argument_group("what is explained")
    question.add_argument(
        "--method",
        dest="methods",
        metavar="NAME",
        action="append",
        help="one or several, with commas or repeated (default: grad_cam); see `kerascam methods`",
    )
    question.add_argument(
        "--layer",
        dest="layers",
        metavar="PATH",
        action="append",
        help="where the map is drawn from (default: the last features on a grid); repeated, the "
        "layers' maps are fused; see `kerascam layers MODEL`",
    )
    which = question.add_mutually_exclusive_group()
    which.add_argument(
        "--class",
        dest="classes",
        metavar="INDEX_OR_NAME",
        action="append",
        help="explain this class, repeatable (default: the class that the model predicts)",
    )
    which.add_argument(
        "--top",
        metavar="K",
        type=_number(int, 1, None),
        help="explain the K most probable classes of each image",
    )
    question.add_argument(
        "--labels",
        metavar="FILE",
        help="the class names: one a line, or JSON (a list, or a dict from index to name)",
    )


def _add_reading(parser: argparse.ArgumentParser) -> None:
    reading = parser.add_argument_group("how images are read")
    reading.add_argument(
        "--fit",
        choices=("stretch", "crop"),
        default="stretch",
        help="stretch the whole image to the model's size, or crop its middle in the model's "
        "proportions (default: %(default)s)",
    )
    reading.add_argument(
        "--size",
        metavar="HEIGHTxWIDTH",
        type=_size,
        help="for a model that takes images of any size (default: each image's own)",
    )
    reading.add_argument(
        "--preprocess",
        metavar="NAME",
        default="none",
        help="what the model wants: none (0 to 255), 0-1, -1-1, or a module of "
        "keras.applications such as resnet50 (default: %(default)s)",
    )
    reading.add_argument(
        "--batch-size",
        metavar="N",
        type=_number(int, 1, None),
        default=8,
        help="images that are explained at a time (default: %(default)s)",
    )


def _add_drawing(parser: argparse.ArgumentParser) -> None:
    drawing = parser.add_argument_group("what is written")
    drawing.add_argument(
        "--out",
        metavar="FOLDER",
        default="explanations",
        help="made where it is missing (default: %(default)s)",
    )
    drawing.add_argument(
        "--colormap", metavar="NAME", default="auto", help="a matplotlib name (default: inferno)"
    )
    drawing.add_argument(
        "--alpha",
        metavar="A",
        type=_number(float, 0, 1),
        default=0.5,
        help="opacity of the map, 0 to 1 (default: %(default)s)",
    )


def _size(text: str) -> tuple[int, int]:
    height, _, width = text.lower().partition("x")
    try:
        size = int(height), int(width or height)
    except ValueError:
        size = 0, 0
    if min(size) < 1:
        raise argparse.ArgumentTypeError(f"must be like 224 or 240x320, not {text!r}")
    return size


def _number(
    kind: type[int] | type[float], low: float, high: float | None
) -> Callable[[str], float]:
    def convert(text: str) -> float:
        try:
            number = kind(text)
        except ValueError:
            number = None
        if number is None or not low <= number or (high is not None and number > high):
            what = "a whole number" if kind is int else "a number"
            span = f"of at least {low}" if high is None else f"from {low} to {high}"
            raise argparse.ArgumentTypeError(f"must be {what} {span}, not {text!r}")
        return number

    return convert
