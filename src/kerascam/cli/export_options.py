"""What the user may type after `kerascam export MODEL`."""

import argparse

from . import options

DESCRIPTION = """\
Export a model with its explanations as one SavedModel, which TensorFlow Serving runs without
Python: it answers images, or image files of any size, with classes, heatmaps and overlays."""

EXAMPLES = """\
examples:
  kerascam export model.keras --out models/scenes --class-names names.txt
  kerascam export model.keras --out models/scenes --method layer_cam --preprocess resnet50

The folder gets a version, one higher than the last: models/scenes/1. A server that watches the
folder takes it up. See docs/serving.md for how it is asked."""


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    question = parser.add_argument_group("what is explained")
    question.add_argument(
        "--method", metavar="NAME", default=None, help="(default: grad_cam); see `kerascam methods`"
    )
    options.add_layers(question)
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
        "best what training did (default: %(default)s)",
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
