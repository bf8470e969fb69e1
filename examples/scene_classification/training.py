"""Training: one or two stages of epochs, each of which can be stopped and gone on with."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from scene_classification import distributed
from scene_classification.augmentation import Augmenter, crop_size
from scene_classification.average import MovingAverage
from scene_classification.batches import (
    decode_images,
    evaluation_batches,
    steps_per_epoch,
    training_batches,
)
from scene_classification.checkpoint import Backup
from scene_classification.config import Config
from scene_classification.distillation import Distillation, read_teacher
from scene_classification.files import write_whole
from scene_classification.folder import Scenes, validation_split
from scene_classification.model import residual_network
from scene_classification.run_folder import RunFolder
from scene_classification.schedule import WarmupCosine
from scene_classification.transfer import BACKBONE, transfer_network


class Stage(NamedTuple):
    """Some epochs under one learning rate schedule.

    Attributes:
        name: Names its files.
        epochs: Passes over the training images.
        learning_rate: The highest.
        frozen: Whether the backbone keeps its weights.
    """

    name: str
    epochs: int
    learning_rate: float
    frozen: bool = False


def stages(config: Config) -> list[Stage]:
    """Return what training consists of: with a backbone, its head comes first."""
    main = Stage("train", config.epochs, config.learning_rate)
    if config.backbone is None or config.head_epochs == 0:
        return [main]
    return [Stage("head", config.head_epochs, 1e-3, frozen=True), main]


def build_network(
    config: Config, classes: int, *, side: int | None = None, synchronized: bool = False
) -> keras.Model:
    """Build the untrained network of a run.

    Args:
        config: The run's settings.
        classes: Number of classes.
        side: Height and width that it takes, in pixels; None leaves them free.
        synchronized: Whether replicas normalize together.
    """
    common: dict[str, Any] = {
        "input_shape": (side, side, 3),
        "classes": classes,
        "dropout": config.dropout,
    }
    if config.backbone is not None:
        return transfer_network(config.backbone, **common)
    return residual_network(config.size, **common, synchronized=synchronized)


def train(
    config: Config,
    scenes: Scenes,
    run: RunFolder,
    *,
    distribution: Any | None = None,
    backup_every: int = 50,
    watch: Callable[[str, int, int], keras.callbacks.Callback] | None = None,
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
    """
    keras.utils.set_random_seed(config.seed)
    training, validation = validation_split(scenes.train, config.validation_share, config.seed)
    arrays = [
        Arrays(decode_images(split, config.image_size), split.labels)
        for split in (training, validation)
    ]
    classes = len(scenes.classes)
    scope = contextlib.nullcontext() if distribution is None else distribution.scope()
    with precision(config.precision), scope:
        network = build_network(config, classes, synchronized=distribution is not None)
        for stage in stages(config):
            _train_stage(
                config, stage, network, *arrays, classes, run, distribution, backup_every, watch
            )
            network.load_weights(run.best_weights(stage.name))
    final = build_network(config, classes, side=config.image_size)
    final.set_weights(network.get_weights())
    write_whole(run.model, final.save)
    return final


class Arrays(NamedTuple):
    """Decoded images, RGB 0–255 shaped (images, side, side, 3), and the class index of each."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]


def _train_stage(
    config: Config,
    stage: Stage,
    network: keras.Model,
    training: Arrays,
    validation: Arrays,
    classes: int,
    run: RunFolder,
    distribution: Any | None,
    backup_every: int,
    watch: Callable[[str, int, int], keras.callbacks.Callback] | None,
) -> None:
    steps = steps_per_epoch(len(training.images), config.batch_size)
    model = _compiled(config, stage, network, steps)
    average = MovingAverage(network, config.average) if config.average else None
    backup = Backup(
        run.state(stage.name),
        run.best_weights(stage.name),
        network=network,
        average=average,
        steps_per_epoch=steps,
        every=backup_every,
        patience=config.patience,
    )
    backup.restore(model.optimizer)
    augmenter = Augmenter(
        config.augment, config.mix, size=crop_size(config.image_size), seed=config.seed
    )
    callbacks = [
        *([] if average is None else [average]),
        keras.callbacks.CSVLogger(run.log(stage.name), append=True),
        keras.callbacks.TensorBoard(run.tensorboard / stage.name, write_graph=False),
        backup,
        *([] if watch is None else [watch(stage.name, stage.epochs, steps)]),
    ]
    held = evaluation_batches(*validation, classes, batch_size=config.batch_size)
    for first, last in _segments(backup.progress.step, steps, stage.epochs):
        if backup.patient_no_more:
            break
        batches = training_batches(
            *training,
            classes,
            batch_size=config.batch_size,
            augmenter=augmenter,
            seed=config.seed,
            first_step=first,
            last_step=last,
        )
        epochs, count = (first // steps, -(-last // steps)), min(steps, last - first)
        if distribution is not None:
            distributed.fit(
                model,
                distribution,
                batches,
                validation=held,
                first_epoch=epochs[0],
                epochs=epochs[1],
                steps=count,
                callbacks=callbacks,
            )
        else:
            model.fit(
                batches,
                initial_epoch=epochs[0],
                epochs=epochs[1],
                steps_per_epoch=count,
                validation_data=held,
                callbacks=callbacks,
                shuffle=False,  # the batches are shuffled already
                verbose=0,
            )


def _segments(done: int, steps: int, epochs: int) -> list[tuple[int, int]]:
    """Return the steps left, the rest of an epoch that was broken off apart from whole ones."""
    total, whole = steps * epochs, -(-done // steps) * steps
    return [pair for pair in ((done, whole), (whole, total)) if pair[0] < pair[1]]


def _compiled(config: Config, stage: Stage, network: keras.Model, steps: int) -> keras.Model:
    if config.backbone is not None:
        network.get_layer(BACKBONE).trainable = not stage.frozen
    model = network
    if config.teacher is not None and not stage.frozen:
        model = Distillation(
            network,
            read_teacher(Path(config.teacher), crop_size(config.image_size)),
            weight=config.teacher_weight,
            temperature=config.temperature,
        )
    schedule = WarmupCosine(
        stage.learning_rate, round(config.warmup_epochs * steps), steps * stage.epochs
    )
    optimizer = keras.optimizers.AdamW(
        schedule, weight_decay=config.weight_decay, global_clipnorm=1.0
    )
    # Normalization and biases are left free: decay would only shrink the scale of the features.
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    model.compile(
        optimizer,
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=config.label_smoothing),
        metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
        # XLA is slower than oneDNN for convolutions on a processor.
        jit_compile=False,
    )
    model.optimizer.build(model.trainable_variables)
    return model


@contextlib.contextmanager
def precision(policy: str) -> Iterator[None]:
    """Build and train under a dtype policy, for the time of a `with`."""
    before = keras.mixed_precision.global_policy()
    keras.mixed_precision.set_global_policy(policy)
    try:
        yield
    finally:
        keras.mixed_precision.set_global_policy(before)
