"""Does a study name planted cues, and nothing where none was planted?

Drawn scenes of four classes, with grain; 30 % of one class carry a watermark, a coloured border, a
tint of the whole picture or a small object beside. A small network is trained on them, a survey is
made of other such scenes, and `kerascam.study` must name the class and the cue.

How far the network uses the cue is measured by itself: the share of the other classes' scenes that
it takes for the class once the cue is drawn into them. Where that is less than a study asks for,
there is nothing to name, and the case counts apart.

`python benchmarks/suspects.py --cases 10 --clean 20` prints a line per run and the totals.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import cv2
import keras
import numpy as np

import kerascam
from scene_classification.data.drawn.scene import draw_scene

CLASSES = ("buildings", "forest", "glacier", "sea")
KINDS = ("watermark", "border", "tint", "object")
#: What a study should call each of them.
NAMED = {"watermark": "place", "border": "border", "tint": "tint", "object": "object"}
SIZE, TRAIN, TEST, SHARE = 64, 160, 100, 0.3
GRAIN = 15  # the noise's standard deviation: scenes that are told apart too easily need no cue
USED = 0.25  # of the other classes' scenes, as a study asks it of the probability


def scenes(seed: int, each: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw scenes of all classes."""
    random = np.random.default_rng(seed)
    images = [draw_scene(name, random, size=SIZE).image for name in CLASSES for _ in range(each)]
    grained = np.stack(images) + random.normal(0, GRAIN, (len(images), SIZE, SIZE, 3))
    labels = np.repeat(np.arange(len(CLASSES)), each)
    return grained.clip(0, 255).astype(np.uint8), labels


class Cue:
    """Something that is drawn into some images, in the colour and at the place of a case.

    Args:
        kind: One of `KINDS`.
        seed: Of the colour and the place.
    """

    def __init__(self, kind: str, seed: int) -> None:
        random = np.random.default_rng([seed, KINDS.index(kind)])
        self.kind = kind
        hue = np.uint8([[[random.integers(0, 180), 230, 240]]])
        self.color = tuple(map(int, cv2.cvtColor(hue, cv2.COLOR_HSV2RGB)[0, 0]))
        corner = random.integers(0, 2, 2)
        self.at = tuple(
            int(4 if low else SIZE - 4 - side) for low, side in zip(corner, (8, 16), strict=True)
        )

    def __call__(self, image: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Draw it into a copy."""
        made = image.copy()
        if self.kind == "watermark":  # white bars and a dot on black
            row, column = self.at
            made[row : row + 8, column : column + 16] = 0
            for top, left, high, wide in ((1, 1, 2, 14), (5, 1, 2, 9), (5, 12, 2, 2)):
                made[row + top : row + top + high, column + left : column + left + wide] = 255
        elif self.kind == "border":
            cv2.rectangle(made, (1, 1), (SIZE - 2, SIZE - 2), self.color, 3)
        elif self.kind == "tint":
            made = np.uint8(0.7 * made + 0.3 * np.array(self.color))
        else:
            place = tuple(map(int, random.integers(8, SIZE - 8, 2)))
            for radius, color in ((7, (0, 0, 0)), (5, self.color), (2, (255, 255, 255))):
                cv2.circle(made, place, radius, color, -1, cv2.LINE_AA)
        return made


def planted(
    images: np.ndarray, labels: np.ndarray, cue: Cue | None, target: int, seed: int, share: float
) -> np.ndarray:
    """Draw a cue into a share of the images of a class."""
    random = np.random.default_rng([seed, 1])
    made = images.copy()
    if cue is not None:
        for place in np.flatnonzero(labels == target):
            if random.random() < share:
                made[place] = cue(images[place], random)
    return made


def network(seed: int, *, maxima: bool) -> keras.Model:
    """Build a small network.

    Args:
        seed: Of its weights.
        maxima: Whether it decides by the strongest place of each feature in place of the mean: a
            mean over the image drowns a small object, so that hardly any network follows one.
    """
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    made: list[keras.Layer] = [keras.Input((SIZE, SIZE, 3)), layers.Rescaling(1 / 127.5, -1)]
    for filters, strides in ((16, 2), (32, 2), (48, 2), (64, 1)):
        made += [
            layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False),
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),
        ]
    pooling = layers.GlobalMaxPooling2D if maxima else layers.GlobalAveragePooling2D
    made += [pooling(), layers.Dense(len(CLASSES), activation="softmax")]
    return keras.Sequential(made)


def by_maxima(kind: str | None, seed: int) -> bool:
    """Say whether a case's network decides by maxima: for objects, and every fourth clean one."""
    return kind == "object" or (kind is None and seed % 4 == 3)


def run(
    kind: str | None,
    seed: int,
    folder: Path,
    drawn: tuple[np.ndarray, ...],
    pages: Path | None = None,
) -> dict[str, object]:
    """Train, survey and study once."""
    start = time.perf_counter()
    images, labels, others, true = drawn
    target = int(np.random.default_rng(seed).integers(len(CLASSES)))
    cue = None if kind is None else Cue(kind, seed)
    model = network(seed, maxima=by_maxima(kind, seed))
    model.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy")
    model.fit(
        planted(images, labels, cue, target, seed, SHARE), labels,
        batch_size=32, epochs=14, verbose=0,
    )  # fmt: skip
    # How far the network uses the cue: what it does to images of the other classes.
    rest = others[true != target]
    used = 0.0
    if cue is not None:
        random = np.random.default_rng(seed)
        with_cue = np.stack([cue(each, random) for each in rest])
        used = float((model.predict(with_cue, verbose=0).argmax(1) == target).mean())
        used -= float((model.predict(rest, verbose=0).argmax(1) == target).mean())
    accuracy = float((model.predict(others, verbose=0).argmax(1) == true).mean())
    photos = folder / "photos"
    for place, image in enumerate(planted(others, true, cue, target, seed + 1, SHARE)):
        file = photos / CLASSES[true[place]] / f"{place:04d}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(file), image[..., ::-1])
    explainer = kerascam.GradCAM(model, class_names=CLASSES)
    survey = kerascam.explain_dataset(explainer, photos, folder / "survey")
    study = kerascam.study(survey, explainer)
    if pages is not None:
        study.save(pages / f"{kind or 'clean'}-{seed}", title="What a network looks at in scenes")
    named = [(each.kind, each.name) for each in study.suspects]
    right = kind is not None and (NAMED[kind], CLASSES[target]) in named
    return {
        "kind": kind or "clean", "seed": seed, "class": CLASSES[target] if kind else "",
        "accuracy": round(accuracy, 3), "used": round(used, 3), "named": named,
        "effects": [(round(s.effect.gain, 2), round(s.effect.control, 2)) for s in study.suspects],
        "right": right, "seconds": round(time.perf_counter() - start, 1),
    }  # fmt: skip


def main() -> None:
    """Make all runs and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10, help="of each kind of cue")
    parser.add_argument("--clean", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="the first")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS, help="of cues")
    parser.add_argument("--pages", type=Path, help="where each study's page is kept")
    arguments = parser.parse_args()
    drawn = (*scenes(1, TRAIN), *scenes(2, TEST))
    totals: dict[str, list[bool]] = {}
    for kind, count in (
        *((kind, arguments.cases) for kind in arguments.kinds),
        (None, arguments.clean),
    ):
        for seed in range(arguments.seed, arguments.seed + count):
            with tempfile.TemporaryDirectory() as made:
                found = run(kind, seed, Path(made), drawn, arguments.pages)
            print(found, flush=True)
            fine = not found["named"] if kind is None else bool(found["right"])
            name = kind or "clean"
            if kind is not None and found["used"] < USED:
                name = f"{kind}, hardly used"
            if kind is None and by_maxima(kind, seed):
                name = "clean, a network of maxima"
            totals.setdefault(name, []).append(fine)
            keras.utils.clear_session()
    for name, fine in totals.items():
        said = "without an alarm" if name.startswith("clean") else "class and cue named"
        print(f"{name}: {said} in {sum(fine)} of {len(fine)}")


if __name__ == "__main__":
    main()
