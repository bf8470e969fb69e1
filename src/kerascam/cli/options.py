"""Options that several commands have."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, get_args

from ..pictures import LEVELS, MAX_PIXELS, MOST_LEVELS, Style
from ..placement import Place

if TYPE_CHECKING:
    from ..pictures import Look


def add_class_names(group: argparse._ActionsContainer) -> None:
    """Add the file of class names."""
    group.add_argument(
        "--class-names",
        metavar="FILE",
        help="the class names: one per line, or JSON (a list, or a dict from index to name)",
    )


def add_layers(group: argparse._ActionsContainer) -> None:
    """Add where a map is drawn from."""
    group.add_argument(
        "--layer",
        dest="layers",
        metavar="PATH",
        action="append",
        help="where the map is drawn from (default: the last features on a grid); repeated, the "
        "layers' maps are fused; see `kerascam layers MODEL`",
    )


def add_place(group: argparse._ActionsContainer) -> None:
    """Add where the cells of a layer are drawn."""
    group.add_argument(
        "--place",
        choices=get_args(Place),
        default="stretch",
        help="draw each cell of a layer on its part of the image, or where it looks in effect, "
        "measured on the first batch: --batch-size 16 tells it well (default: %(default)s)",
    )


def add_input(group: argparse._ActionsContainer) -> None:
    """Add which of the model's inputs is explained."""
    group.add_argument(
        "--input",
        metavar="NAME_OR_INDEX",
        type=_name_or_index,
        help="which input is explained, for a model of several (default: that which the layer "
        "looks at, or the first of the most axes)",
    )


def add_fitting(group: argparse._ActionsContainer, open_size: str) -> None:
    """Add how an image becomes what the model takes.

    Args:
        group: The group to add to.
        open_size: Which size images have for a model that takes any.
    """
    group.add_argument(
        "--fit",
        choices=("stretch", "crop"),
        default="stretch",
        help="stretch the whole image to the model's size, or crop its middle in the model's "
        "proportions (default: %(default)s)",
    )
    group.add_argument(
        "--size",
        metavar="HEIGHTxWIDTH",
        type=_size,
        help=f"for a model that takes images of any size (default: {open_size})",
    )
    group.add_argument(
        "--preprocess",
        metavar="NAME",
        default="none",
        help="what the model wants: none (0 to 255), 0-1, -1-1, or a module of "
        "keras.applications such as resnet50 (default: %(default)s)",
    )


def add_images(parser: argparse.ArgumentParser, words: str) -> None:
    """Add the photographs.

    Args:
        parser: The parser to add to.
        words: What an argument may be.
    """
    parser.add_argument("images", metavar="IMAGE", nargs="+", help=words)


def add_methods(group: argparse._ActionsContainer, words: str = "") -> None:
    """Add the methods.

    Args:
        group: The group to add to.
        words: How several are given, if they may be, with a space after it.
    """
    group.add_argument(
        "--method",
        dest="methods",
        metavar="NAME",
        action="append",
        help=f"{words}(default: grad_cam); see `kerascam methods`",
    )


def add_classes(group: argparse._ActionsContainer, words: str) -> None:
    """Add the classes that are explained.

    Args:
        group: The group to add to.
        words: What is explained.
    """
    group.add_argument(
        "--class",
        dest="classes",
        metavar="INDEX_OR_NAME",
        action="append",
        help=f"{words} (default: the class that the model predicts)",
    )


def add_out(group: argparse._ActionsContainer, default: str, words: str) -> None:
    """Add the folder that is written to.

    Args:
        group: The group to add to.
        default: Its name.
        words: What happens to what is in it.
    """
    group.add_argument(
        "--out",
        metavar="FOLDER",
        default=default,
        help=f"made if it is missing; {words} (default: %(default)s)",
    )


def add_reading(parser: argparse.ArgumentParser, open_size: str = "each image's own") -> None:
    """Add how photographs are read.

    Args:
        parser: The parser to add to.
        open_size: Which size images have for a model that takes any.
    """
    reading = parser.add_argument_group("how images are read")
    add_fitting(reading, open_size)
    reading.add_argument(
        "--axes",
        choices=("hwc", "chw"),
        help="whether the channels of the model's images come last or first (default: by its "
        "shape)",
    )
    add_max_pixels(reading)
    reading.add_argument(
        "--depth",
        metavar="BITS",
        type=number(int, 8, 16),
        default=16,
        help="bits that the values of a 16-bit image use, such as 12 for those of many cameras "
        "and microscopes (default: %(default)s)",
    )
    reading.add_argument(
        "--batch-size",
        metavar="N",
        type=number(int, 1, None),
        default=8,
        help="images that are explained at once (default: %(default)s)",
    )


def add_max_pixels(group: argparse._ActionsContainer) -> None:
    """Add how large a photograph may be."""
    group.add_argument(
        "--max-pixels",
        metavar="N",
        type=number(int, 1, None),
        default=MAX_PIXELS,
        help="refuse a photograph that claims more pixels, before it is decoded "
        "(default: %(default)s)",
    )


def add_colors(group: argparse._ActionsContainer) -> None:
    """Add how an overlay is coloured."""
    group.add_argument(
        "--colormap",
        metavar="NAME",
        default="auto",
        help='a matplotlib name, or "auto": inferno (default: %(default)s)',
    )
    group.add_argument(
        "--alpha",
        metavar="A",
        type=number(float, 0, 1),
        help="opacity, 0 to 1 (default: 0.75 of the strongest evidence; with --style uniform 0.5 "
        "everywhere; with --style outline 1 of the lines)",
    )
    group.add_argument(
        "--style",
        choices=get_args(Style),
        default="heat",
        help="opacity follows the evidence, and the rest of the photo stays as it is; or is the "
        "same everywhere; or lines at --levels (default: %(default)s)",
    )
    group.add_argument(
        "--levels",
        metavar="SHARES",
        type=_levels,
        help="where the lines of --style outline run, with commas, in shares of the strongest "
        f"evidence (default: {','.join(map(str, LEVELS))})",
    )


def look_of(arguments: argparse.Namespace) -> "Look":
    """Take how overlays look from the arguments.

    Raises:
        ValueError: If there is no such colormap, or there are levels without lines.
    """
    from ..pictures import Look

    if arguments.levels and arguments.style != "outline":
        raise ValueError("--levels needs --style outline")
    return Look(arguments.colormap, arguments.alpha, arguments.style, arguments.levels)


def spelled(name: str, value: int) -> str:
    """Word an option and its value, for an error that advises it.

    Example:
        >>> spelled("max_pixels", 7)
        '--max-pixels 7'
    """
    return f"--{name.replace('_', '-')} {value}"


def side(text: str) -> int | None:
    """Take the longer side of a picture in pixels, or "full" for the photograph's own."""
    return None if text == "full" else int(number(int, 1, None)(text))


def _name_or_index(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


def _levels(text: str) -> tuple[float, ...]:
    try:
        levels = tuple(float(each) for each in text.split(","))
    except ValueError:
        levels = ()
    if not (0 < len(levels) <= MOST_LEVELS and all(0 < level < 1 for level in levels)):
        raise argparse.ArgumentTypeError(
            f"must be 1 to {MOST_LEVELS} numbers between 0 and 1 such as 0.25,0.5, not {text!r}"
        )
    return levels


def _size(text: str) -> tuple[int, int]:
    height, _, width = text.lower().partition("x")
    try:
        size = int(height), int(width or height)
    except ValueError:
        size = 0, 0
    if min(size) < 1:
        raise argparse.ArgumentTypeError(f"must be like 224 or 240x320, not {text!r}")
    return size


def number(kind: type[int] | type[float], low: float, high: float | None) -> Callable[[str], float]:
    """Make the conversion of a text to a number of a range."""

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
