"""Which test images are explained, and what the network answered for them."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import keras
import numpy as np
from numpy.typing import NDArray

from scene_classification.data.folder import Scenes
from scene_classification.evaluation.prediction import predict


class Answers(NamedTuple):
    """What the network answered for the test images, in the order of `scenes.test`.

    Attributes:
        probabilities: Shaped (images, classes).
        labels: The true class index of each image.
    """

    probabilities: NDArray[np.floating]
    labels: NDArray[np.int64]

    @property
    def predicted(self) -> NDArray[np.int64]:
        """The most probable class of each image."""
        return self.probabilities.argmax(axis=1)


def ask(model: keras.Model, scenes: Scenes) -> Answers:
    """Ask the network about every test image.

    Not read from the evaluation's `predictions.npz`: those may be of another network, or of other
    images of the same names, and would stand beside maps that they do not belong to.
    """
    return Answers(predict(model, scenes.test), scenes.test.labels)


def examples(answers: Answers, count: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Draw images of every class blindly from those answered correctly.

    Where a class has too few of those, wrongly answered ones fill up.

    Args:
        answers: For all test images.
        count: Images of each class.
        generator: The source of the random draw.

    Returns:
        Positions in the test split, class by class.
    """
    chosen: list[NDArray[np.int64]] = []
    for label in np.unique(answers.labels):
        order = generator.permutation(np.flatnonzero(answers.labels == label))
        wrong = answers.predicted[order] != label
        chosen.append(order[np.argsort(wrong, kind="stable")][:count])
    return np.concatenate(chosen)


def with_masks(scenes: Scenes, count: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Draw test images that have an evidence mask, as many of every class.

    Args:
        scenes: The data set.
        count: Images over all classes, at most, but one of each class at least.
        generator: The source of the random draw.

    Returns:
        Positions in the test split, class by class; none where no image has a mask.
    """
    masked = np.array([scenes.mask_path(path) is not None for path in scenes.test.paths])
    per_class = max(1, count // len(scenes.classes))
    chosen = [
        generator.permutation(np.flatnonzero(masked & (scenes.test.labels == label)))[:per_class]
        for label in range(len(scenes.classes))
    ]
    return np.concatenate(chosen)


def read_mask(scenes: Scenes, position: int, side: int) -> NDArray[np.bool_] | None:
    """Read the evidence mask of a test image, or None where it has none.

    Args:
        scenes: The data set.
        position: The image's position in the test split.
        side: Height and width to resize to, in pixels.

    Returns:
        True where the image shows the evidence, shaped (side, side).

    Raises:
        ValueError: If the file cannot be decoded.
    """
    path = scenes.mask_path(scenes.test.paths[position])
    if path is None:
        return None
    mask = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_GRAYSCALE)
    if mask is None:
        raise ValueError(f"mask {str(path)!r} cannot be decoded; draw the scenes again")
    sharp = cv2.resize(mask, (side, side), interpolation=cv2.INTER_NEAREST_EXACT)
    return np.asarray(sharp > 127)
