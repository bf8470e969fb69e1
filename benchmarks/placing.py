"""Is heat drawn where the network looks? Stretched over the image, and by the effective centre.

Patches of which the network knows the class are moved over an image, with their mirror images, and
the heat's centre is compared with the patch's: its mean is the bias, in pixels; the mass is the
heat's share inside the patch. Four small networks are trained here on moved textures, one for each
way to halve a grid; ImageNet networks are looked at if their folder is given, with two photographs.

    python benchmarks/placing.py [--pretrained FOLDER] [--epochs 6]
"""

import argparse
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # its training crashes on some strides

import cv2
import keras
import numpy as np
from keras import layers as L

import kerascam

SIDE, PATCH = 96, 32
METHODS = ("GradCAM", "LayerCAM")
Sample = tuple[np.ndarray, np.ndarray, np.ndarray]  # images, classes, masks


def texture(kind: int, rng: np.random.Generator) -> np.ndarray:
    """Draw stripes, columns, a chequerboard or discs, with a random phase and period."""
    y, x = np.mgrid[:PATCH, :PATCH] + rng.integers(0, 8, (2, 1, 1))
    period = rng.uniform(5, 8)
    rows, columns = np.sin(2 * np.pi * y / period), np.sin(2 * np.pi * x / period)
    return [rows, columns, rows * columns, np.hypot(rows, columns) - 1][kind]


def textures(count: int, seed: int) -> Sample:
    """Draw images of noise with a texture at a random place."""
    rng = np.random.default_rng(seed)
    images = rng.normal(0, 0.3, (count, SIDE, SIDE, 1))
    classes = rng.integers(0, 4, count)
    masks = np.zeros((count, SIDE, SIDE), bool)
    for image, kind, mask in zip(images, classes, masks, strict=True):
        top, left = rng.integers(0, SIDE - PATCH + 1, 2)
        spot = slice(top, top + PATCH), slice(left, left + PATCH)
        image[(*spot, 0)] += texture(kind, rng)
        mask[spot] = True
    return images.astype("float32"), classes, masks


def network(halve: Callable[[Any, int], Any], epochs: int) -> keras.Model:
    """Train a network whose grid is halved four times."""
    keras.utils.set_random_seed(0)
    images = features = keras.Input((SIDE, SIDE, 1))
    for width in (8, 16, 24, 32):
        features = L.ReLU()(L.BatchNormalization(momentum=0.9)(halve(features, width)))
    features = L.Activation("linear", name="last")(features)
    outputs = L.Dense(4, "softmax")(L.GlobalAveragePooling2D()(features))
    model = keras.Model(images, outputs)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    seen, classes, _ = textures(1500, 0)
    model.fit(seen, classes, batch_size=32, epochs=epochs, verbose=0)
    return model


def residual(features: Any, width: int) -> Any:
    """Halve the grid as ResNet does: a 3×3 convolution, and a projection of every second cell."""
    inner = L.ReLU()(L.Conv2D(width, 3, strides=2, padding="same")(features))
    inner = L.Conv2D(width, 3, padding="same")(inner)
    return inner + L.Conv2D(width, 1, strides=2)(features)


def separable(features: Any, width: int) -> Any:
    """Halve the grid as MobileNet does."""
    return L.SeparableConv2D(width, 5, strides=2, padding="same")(features)


def pooled(features: Any, width: int) -> Any:
    """Halve the grid as VGG does."""
    return L.MaxPooling2D()(L.ReLU()(L.Conv2D(width, 3, padding="same")(features)))


def symmetric(features: Any, width: int) -> Any:
    """Halve the grid as PyTorch's networks do: with pads on both sides."""
    return L.Conv2D(width, 3, strides=2)(L.ZeroPadding2D(1)(features))


def moved_photos(folder: Path) -> Iterator[Sample]:
    """Move two photographs over grey; each sample is mirrored otherwise."""
    for name, kind, (rows, columns) in (
        ("chelsea.png", 285, (slice(40, 290), slice(60, 330))),
        ("coffee.png", 967, (slice(20, 330), slice(120, 480))),
    ):
        photo = cv2.imread(str(folder / "photos" / name))[rows, columns, ::-1]
        photo = cv2.resize(np.ascontiguousarray(photo), (96, 96), interpolation=cv2.INTER_AREA)
        for patch in (photo, photo[::-1], photo[:, ::-1], photo[::-1, ::-1]):
            places = [(y, x) for y in range(16, 128, 28) for x in range(16, 128, 28)]
            images = np.full((len(places), 224, 224, 3), 124, np.float32)
            masks = np.zeros(images.shape[:3], bool)
            for image, mask, (y, x) in zip(images, masks, places, strict=True):
                image[y : y + 96, x : x + 96] = patch
                mask[y : y + 96, x : x + 96] = True
            yield images, np.full(len(places), kind), masks


def crops(folder: Path) -> np.ndarray:
    """Cut four parts out of each photograph, to measure the shift of an ImageNet network on."""
    found = []
    for path in sorted(folder.iterdir()):
        photo = cv2.imread(str(path))[..., ::-1]
        height, width = (length * 3 // 4 for length in photo.shape[:2])
        found += [
            cv2.resize(np.ascontiguousarray(part), (224, 224), interpolation=cv2.INTER_AREA)
            for part in (
                photo[:height, :width], photo[:height, -width:],
                photo[-height:, :width], photo[-height:, -width:],
            )
        ]  # fmt: skip
    return np.array(found, np.float32)


def centres(weights: np.ndarray) -> np.ndarray:
    """Return the centre of each map, (batch, 2)."""
    total = np.maximum(weights.sum((1, 2)), 1e-12)
    return np.stack(
        [
            (weights.sum(3 - axis) * np.arange(weights.shape[axis])).sum(1) / total
            for axis in (1, 2)
        ],
        axis=1,
    )


def row(name: str, explain: Any, samples: list[Sample]) -> str:
    """Measure one explainer: bias in pixels with its standard error, and mass in the patch."""
    biases, masses = [], []
    for images, classes, masks in samples:
        heatmaps = explain(images, classes).heatmaps
        heat = np.where(heatmaps > 0.3, heatmaps, 0)
        seen = heat.sum((1, 2)) > 0
        biases.append((centres(heat) - centres(masks.astype(float)))[seen].mean(0))
        masses.append((heatmaps * masks).sum((1, 2))[seen] / heatmaps.sum((1, 2))[seen])
    mean, mass = np.mean(biases, 0), np.concatenate(masses)
    error = np.std(biases, 0, ddof=1) / np.sqrt(len(biases))
    return (
        f"| {name} | {mean[0]:+.1f} ± {error[0]:.1f}, {mean[1]:+.1f} ± {error[1]:.1f} "
        f"| {np.hypot(*mean):.1f} | {mass.mean():.3f} ± {mass.std() / np.sqrt(len(mass)):.3f} |"
    )


def compare(
    name: str, model: keras.Model, layer: str, samples: list[Sample], photos: np.ndarray
) -> None:
    """Print the rows of a network: each method, stretched and by the effective centre."""
    for method in METHODS:
        for place in ("stretch", "effective"):
            explain = getattr(kerascam, method)(model, layer, place=place)
            explain(photos)  # what the shift is measured on
            print(row(f"{name} | {method} | {place}", explain, samples), flush=True)
    (shift,) = explain.programs.recipe.question.shifts
    both = zip(shift.pixels, shift.errors, strict=True)
    words = ", ".join(f"{pixels:+.1f} ± {error:.1f}" for pixels, error in both)
    print(f"| {name} | | measured shift | {words} | | |", flush=True)


def main() -> None:
    """Train, measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pretrained", type=Path, help="folder of ImageNet networks and photos")
    parser.add_argument("--epochs", type=int, default=6, help="of each small network")
    arguments = parser.parse_args()
    print("| network | method | place | bias: rows, columns (px) | length | mass in the patch |")
    print("| --- | --- | --- | ---: | ---: | ---: |")
    tested = [textures(64, seed) for seed in range(1, 9)]
    for halve in (residual, separable, pooled, symmetric):
        model = network(halve, arguments.epochs)
        accuracy = np.mean([model.evaluate(x, y, verbose=0)[1] for x, y, _ in tested])
        compare(f"{halve.__name__} ({accuracy:.0%})", model, "last", tested, textures(16, 99)[0])
    if arguments.pretrained is not None:
        samples = list(moved_photos(arguments.pretrained))
        photos = crops(arguments.pretrained / "photos")
        for name, layer in (
            ("mobilenet_v2_imagenet", "features_18_relu"),
            ("efficientnet_lite0_imagenet", "act_head"),
        ):
            model = keras.saving.load_model(arguments.pretrained / f"{name}.keras")
            compare(name.removesuffix("_imagenet"), model, layer, samples, photos)


if __name__ == "__main__":
    main()
