"""What the network sees: training images as they come out of the augmentation."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure
from numpy.typing import NDArray

from scene_classification.config import Config
from scene_classification.data.augmentation import Augmenter, crop_size
from scene_classification.data.batches import decode
from scene_classification.data.folder import Scenes
from scene_classification.data.pictures import draw_lots
from scene_classification.pictures.contact_sheet import Row, Section, Tile, draw_sheet
from scene_classification.pictures.numbers import percent

#: Images of each class in the batch, images shown, and steps that they are shown in.
EACH, IMAGES, STEPS = 2, 5, 6


class Batch(NamedTuple):
    """Images, RGB shaped (batch, height, width, 3), and their class shares, (batch, classes)."""

    images: NDArray[np.uint8]
    shares: NDArray[np.float32]


def draw_seen(scenes: Scenes, config: Config) -> Figure:
    """Show some training images and what the run's augmentation makes of them in some steps.

    Args:
        scenes: The data set, without unreadable files.
        config: The run's settings.
    """
    batch = _batch(scenes, config)
    size, crop = config.image_size, crop_size(config.image_size)
    heading = (
        f"An image, and what the network sees of it ({config.augment}, {crop} of {size} pixels)"
    )
    sections = [Section(heading, _varied(batch, config))]
    if config.mix != "none":
        heading = f"Blended in pairs ({config.mix}): the most evenly blended of {STEPS} batches"
        sections.append(Section(heading, [_blended(batch, config, scenes.classes)]))
    return draw_sheet(sections)


def augmented(batch: Batch, config: Config, mix: str) -> list[Batch]:
    """Return a batch as it comes out of the augmentation in the first steps of a run."""
    size = crop_size(config.image_size)
    augmenter = Augmenter(config.augment, mix, size=size, seed=config.seed)
    steps = []
    for step in tf.range(STEPS, dtype=tf.int64):
        images, shares = augmenter(step, tf.constant(batch.images), tf.constant(batch.shares))
        steps.append(Batch(np.rint(images).astype(np.uint8), np.asarray(shares)))
    return steps


def _batch(scenes: Scenes, config: Config) -> Batch:
    """Decode some training images, one of each class after the other."""
    lots = [
        draw_lots(scenes.train, label, EACH, config.seed) for label in range(len(scenes.classes))
    ]
    drawn = [
        (label, paths[turn % len(paths)])
        for turn in range(EACH)
        for label, paths in enumerate(lots)
    ]
    images = [decode(str(path), config.image_size).numpy() for _, path in drawn]
    shares = np.eye(len(scenes.classes), dtype=np.float32)[[label for label, _ in drawn]]
    return Batch(np.stack(images), shares)


def _varied(batch: Batch, config: Config) -> list[Row]:
    shown = Batch(batch.images[:IMAGES], batch.shares[:IMAGES])
    steps = augmented(shown, config, "none")
    return [
        Row([Tile(image), *(Tile(step.images[number]) for step in steps)])
        for number, image in enumerate(shown.images)
    ]


def _blended(batch: Batch, config: Config, classes: tuple[str, ...]) -> Row:
    # One of each step, so that where two kinds take turns both are seen.
    evenest = [
        (step, int(step.shares.max(axis=1).argmin()))
        for step in augmented(batch, config, config.mix)
    ]
    return Row(
        [Tile(step.images[place], _caption(step.shares[place], classes)) for step, place in evenest]
    )


def _caption(shares: NDArray[np.float32], classes: tuple[str, ...]) -> str:
    """Write the larger shares, as in "60 % sea" above "40 % forest"."""
    largest = [label for label in np.argsort(-shares)[:2] if shares[label] >= 0.005]
    return "\n".join(f"{percent(shares[label], 0)} {classes[label]}" for label in largest)
