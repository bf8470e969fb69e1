"""Training: one or two stages of epochs, each of which can be stopped and gone on with."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from scene_classification.config import Config
from scene_classification.data.augmentation import Augmenter, crop_size
from scene_classification.data.batches import (
    decode_images,
    evaluation_batches,
    steps_per_epoch,
    training_batches,
)
from scene_classification.data.folder import Scenes, validation_split
from scene_classification.files import write_whole
from scene_classification.run_folder import RunFolder
from scene_classification.training import distributed
from scene_classification.training.average import MovingAverage
from scene_classification.training.build import (
    Stage,
    begin_with,
    build_network,
    compiled,
    precision,
    stages,
)
from scene_classification.training.checkpoint import Backup
from scene_classification.training.lesson import note_lesson
from scene_classification.training.strategy import meet

Watch = Callable[[str, int, int], keras.callbacks.Callback]


class Arrays(NamedTuple):
    """Decoded images, RGB 0–255 shaped (images, side, side, 3), and the class index of each."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]


@dataclass(frozen=True)
class Training:
    """What the stages of a training share.

    Attributes:
        config: The settings of the run.
        run: Its folder.
        classes: Number of classes.
        training: The images to learn from.
        validation: The images to validate on.
        distribution: A `tf.distribute` strategy, or None.
        backup_every: Steps from one backup to the next within an epoch.
        watch: Makes a callback that shows the progress of a stage, or None.
    """

    config: Config
    run: RunFolder
    classes: int
    training: Arrays
    validation: Arrays
    distribution: Any | None
    backup_every: int
    watch: Watch | None


def train(
    config: Config,
    scenes: Scenes,
    run: RunFolder,
    *,
    distribution: Any | None = None,
    backup_every: int = 50,
    watch: Watch | None = None,
) -> keras.Model:
    """Train the network of a run, or go on with it, and save the best as `model.keras`.

    Args:
        config: The run's settings.
        scenes: The data.
        run: Where everything is kept.
        distribution: A `tf.distribute` strategy, or None.
        backup_every: Steps from one backup to the next within an epoch.
        watch: Makes a callback that shows the progress of a stage, from its name, its epochs and
            the steps of an epoch.

    Returns:
        The network with the weights of the best validation accuracy, in float32, for images of
        `config.image_size`.

    Raises:
        ValueError: If training began with other images or classes.
        RuntimeError: If machines that train together do not go on from the same step.
    """
    note_lesson(scenes, run)
    _check_share(config, distribution)
    keras.utils.set_random_seed(config.seed)
    training, validation = (
        Arrays(decode_images(split, config.image_size), split.labels)
        for split in validation_split(scenes.train, config.validation_share, config.seed)
    )
    classes = len(scenes.classes)
    common = Training(config, run, classes, training, validation, distribution, backup_every, watch)
    scope = contextlib.nullcontext() if distribution is None else distribution.scope()
    with precision(config.precision), scope:
        network = build_network(config, classes, synchronized=distribution is not None)
        if config.start is not None:
            begin_with(config.start, network)
        for stage in stages(config):
            done = _train_stage(common, stage, network)
            if distribution is not None:
                meet(distribution, done)  # the best weights are written now
            network.load_weights(run.best_weights(stage.name))
    final = build_network(config, classes, side=config.image_size)
    final.set_weights(network.get_weights())
    if run.writes:
        write_whole(run.model, final.save)
    return final


def _check_share(config: Config, distribution: Any | None) -> None:
    replicas = 1 if distribution is None else distribution.num_replicas_in_sync
    if config.batch_size % replicas:
        raise ValueError(
            f"batch_size={config.batch_size} cannot be shared equally among {replicas} replicas; "
            f"give a multiple of {replicas}"
        )


def _train_stage(common: Training, stage: Stage, network: keras.Model) -> int:
    """Train a stage, or what is left of it, and return the number of steps done."""
    steps = steps_per_epoch(len(common.training.images), common.config.batch_size)
    model = compiled(common.config, stage, network, steps)
    momentum = common.config.average
    average = MovingAverage(network, momentum) if momentum else None
    backup = Backup(
        common.run.state(stage.name),
        common.run.own_best_weights(stage.name),
        network=network,
        average=average,
        steps_per_epoch=steps,
        every=common.backup_every,
        patience=common.config.patience,
        writes=common.run.writes,
    )
    backup.restore(model.optimizer)
    if common.distribution is not None:
        meet(common.distribution, backup.progress.step)
    callbacks = [
        *([] if average is None else [average]),
        keras.callbacks.CSVLogger(common.run.log(stage.name), append=True),
        keras.callbacks.TensorBoard(common.run.tensorboard / stage.name, write_graph=False),
        backup,
        *([] if common.watch is None else [common.watch(stage.name, stage.epochs, steps)]),
    ]
    for first, last in _segments(backup.progress.step, steps, stage.epochs):
        if not backup.patient_no_more:
            _fit(common, model, first, last, steps, callbacks)
    return backup.progress.step


def _segments(done: int, steps: int, epochs: int) -> list[tuple[int, int]]:
    """Return the steps left, the rest of an epoch that was broken off apart from whole ones."""
    total, whole = steps * epochs, -(-done // steps) * steps
    return [pair for pair in ((done, whole), (whole, total)) if pair[0] < pair[1]]


def _fit(
    common: Training,
    model: keras.Model,
    first_step: int,
    last_step: int,
    steps: int,
    callbacks: list[keras.callbacks.Callback],
) -> None:
    """Train a compiled model from one step to another, whole epochs or a part of one."""
    config, size = common.config, common.config.batch_size
    crop = crop_size(config.image_size)
    batches = training_batches(
        *common.training,
        common.classes,
        batch_size=size,
        augmenter=Augmenter(config.augment, config.mix, size=crop, seed=config.seed),
        seed=config.seed,
        first_step=first_step,
        last_step=last_step,
    )
    fit = model.fit
    if common.distribution is not None:
        fit = partial(distributed.fit, model, common.distribution)
    fit(
        batches,
        validation_data=evaluation_batches(*common.validation, common.classes, batch_size=size),
        initial_epoch=first_step // steps,
        epochs=-(-last_step // steps),
        steps_per_epoch=min(steps, last_step - first_step),
        callbacks=callbacks,
        shuffle=False,  # the batches are shuffled already
        verbose=0,
    )
