"""What the user may type after `kerascam explain MODEL`."""

import argparse

from . import options

# Fills a large screen; a photograph of 48 megapixels in full takes 20 MB for each overlay.
_SIDE = 2048

DESCRIPTION = """\
Explain what an image classifier looked at: one overlay picture for each image, class and method,
and a manifest.json with the numbers."""

EXAMPLES = """\
examples:
  kerascam explain model.keras cat.jpg
  kerascam explain model.keras photos/ --class-names names.txt --top 3
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
    options.add_layers(question)
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
        type=options.number(int, 1, None),
        help="explain the K most probable classes of each image",
    )
    options.add_class_names(question)


def _add_reading(parser: argparse.ArgumentParser) -> None:
    reading = parser.add_argument_group("how images are read")
    options.add_fitting(reading, "each image's own")
    options.add_max_pixels(reading)
    reading.add_argument(
        "--depth",
        metavar="BITS",
        type=options.number(int, 8, 16),
        default=16,
        help="bits that the values of a 16-bit image use, such as 12 for those of many cameras "
        "and microscopes (default: %(default)s)",
    )
    reading.add_argument(
        "--batch-size",
        metavar="N",
        type=options.number(int, 1, None),
        default=8,
        help="images that are explained at a time (default: %(default)s)",
    )


def _add_drawing(parser: argparse.ArgumentParser) -> None:
    drawing = parser.add_argument_group("what is written")
    drawing.add_argument(
        "--out",
        metavar="FOLDER",
        default="explanations",
        help="made if it is missing; an earlier result in it is replaced, other files stay "
        "(default: %(default)s)",
    )
    options.add_colors(drawing)
    drawing.add_argument(
        "--overlay-side",
        metavar="N",
        type=options.side,
        default=_SIDE,
        help="pixels of an overlay's longer side, at most, or full for the photograph's own size "
        "(default: %(default)s)",
    )
