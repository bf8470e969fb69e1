"""What `kerascam evaluate` takes besides images and methods."""

import argparse

from . import options

DESCRIPTION = """\
Measure which method is to be believed: several methods by several metrics on the same images,
beside maps that know nothing of the model, with intervals. Writes a web page and the figures."""

EXAMPLES = """\
examples:
  kerascam evaluate model.keras photos/ --preprocess mobilenet_v2
  kerascam evaluate model.keras photos/ --masks masks/ --method grad_cam,layer_cam,saliency
  kerascam evaluate model.keras photos/ --metric insertion,deletion,mprt_cascading

A mask is an image with the name of its photograph, such as masks/cat.png for photos/cat.jpg: what
is not black is the evidence. `kerascam metrics` lists the metrics.

exit codes: 0 all well; 1 some images could not be read; 2 wrong arguments or model"""

METHODS = ("grad_cam", "layer_cam", "saliency", "integrated_gradients")


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    measured = parser.add_argument_group("what is measured")
    measured.add_argument(
        "--metric",
        dest="metrics",
        metavar="NAME",
        action="append",
        help="one or several, with commas or repeated (default: insertion, deletion, "
        "symmetric_relevance_gain, average_drop, sparseness; and with --masks mass_in_mask, "
        "pointing_game, rank_accuracy); see `kerascam metrics`",
    )
    measured.add_argument(
        "--masks",
        metavar="FOLDER",
        help="where each photograph has a mask of the same name; it is fitted to the model as the "
        "photograph is",
    )
    measured.add_argument(
        "--seed",
        metavar="N",
        type=options.number(int, 0, None),
        default=0,
        help="of the intervals, and of what is drawn at random (default: %(default)s)",
    )
    written = parser.add_argument_group("what is written")
    options.add_out(
        written,
        "evaluation",
        "an earlier evaluation in it is replaced. Until the page is written, what is measured is "
        "kept in its folder `unfinished`: after Ctrl-C the same command goes on there",
    )
    written.add_argument(
        "--pictures",
        metavar="N",
        type=options.number(int, 0, None),
        default=4,
        help="show the maps of so many images on the page (default: %(default)s)",
    )
    options.add_colors(written)
    parser.set_defaults(overlay_side=448, place="stretch")
