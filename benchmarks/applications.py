"""Grad-CAM of keras.applications with random weights, beside a tape written out by hand.

For each network: the layer that is taken by default, where its cells lie, and how far its map is
from the one of a second model that ends in that layer and in the logits, as a fraction of the
map's maximum. `benchmarks/applications.txt` holds what it last printed.

    python benchmarks/applications.py [--networks ResNet50 VGG16]
"""

import argparse
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

from kerascam import GradCAM, suggest_layers

#: One of each kind, with the smallest images that leave it a grid of more than one cell.
NETWORKS = {
    "VGG16": 64, "ResNet50": 96, "ResNet50V2": 96, "InceptionV3": 139, "InceptionResNetV2": 139,
    "Xception": 96, "MobileNet": 96, "MobileNetV2": 96, "MobileNetV3Small": 96,
    "MobileNetV3Large": 96, "DenseNet121": 96, "NASNetMobile": 96, "EfficientNetB0": 96,
    "EfficientNetB3": 96, "EfficientNetV2B0": 96, "EfficientNetV2S": 96, "ConvNeXtTiny": 96,
}  # fmt: skip


def by_hand(model: keras.Model, layer: str, images: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Compute the maps with a model of two outputs and a tape."""
    (found,) = [each for each in model.operations if each.name == layer]  # + is an operation too
    both = keras.Model(model.inputs, [found.output, model.output])
    with tf.GradientTape() as tape:
        activations, logits = both([images], training=False)
        scores = tf.gather(logits, classes, batch_dims=1)
    weights = tf.reduce_mean(tape.gradient(scores, activations), (1, 2), keepdims=True)
    return np.maximum(tf.reduce_sum(weights * activations, -1), 0)


def row(name: str, side: int) -> str:
    """Explain a network, and word the result."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(0)
    network = getattr(keras.applications, name)
    model = network(
        weights=None, classes=5, classifier_activation=None, input_shape=(side, side, 3)
    )
    images = np.random.default_rng(0).normal(0, 1, (2, side, side, 3)).astype("float32")
    classes = np.array([1, 3])
    found = GradCAM(model)(images, classes)
    wanted = by_hand(model, found.layer, images, classes)
    apart = np.abs(found.maps - wanted).max() / max(wanted.max(), 1e-30)
    (cells,) = {each.cells for each in suggest_layers(model) if each.path == found.layer}
    grid = "×".join(map(str, found.maps.shape[1:]))
    return f"{name:18} {side:4} {found.layer:24} {grid:>6}  {cells:24} {apart:.1e}"


def main() -> None:
    """Print a row for each network."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="*", default=list(NETWORKS), choices=list(NETWORKS))
    print(f"{'network':18} {'size':4} {'default layer':24} {'grid':>6}  {'cells':24} difference")
    for name in parser.parse_args().networks:
        print(row(name, NETWORKS[name]), flush=True)


if __name__ == "__main__":
    main()
