"""What is trained: the network of a run, compiled for a stage of its training."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import keras

from scene_classification.config import Config
from scene_classification.networks.reference import load_reference_model
from scene_classification.networks.residual import residual_network
from scene_classification.networks.transfer import BACKBONE, transfer_network
from scene_classification.networks.which import REFERENCE
from scene_classification.training.distillation import Distillation, read_teachers
from scene_classification.training.schedule import WarmupCosine

#: The highest learning rate while only the head is trained.
HEAD_RATE = 1e-3


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
    return [Stage("head", config.head_epochs, HEAD_RATE, frozen=True), main]


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
    return residual_network(
        config.size, **common, projection=config.projection, synchronized=synchronized
    )


def begin_with(start: str, network: keras.Model) -> None:
    """Give an untrained network the weights of a trained one.

    Args:
        start: `"reference"`, or the file of a saved network.
        network: The network.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the two networks have weights of other shapes.
    """
    if start != REFERENCE and not Path(start).is_file():
        raise FileNotFoundError(f"start={start!r} does not exist; give a saved network")
    trained = (
        load_reference_model()
        if start == REFERENCE
        else keras.models.load_model(start, compile=False)
    )
    weights = trained.get_weights()
    theirs, ours = ([weight.shape for weight in each] for each in (weights, network.get_weights()))
    if theirs != ours:
        raise ValueError(
            f"start={start!r} has weights of other shapes; give a network of the same size, "
            "with the same number of classes"
        )
    network.set_weights(weights)


def compiled(config: Config, stage: Stage, network: keras.Model, steps: int) -> keras.Model:
    """Return what is trained in a stage: the network, or it and its teacher, compiled.

    Args:
        config: The run's settings.
        stage: The stage.
        network: The network whose weights are learned.
        steps: Steps in an epoch.
    """
    if config.backbone is not None:
        network.get_layer(BACKBONE).trainable = not stage.frozen
    model = network
    if config.teachers and not stage.frozen:
        model = Distillation(
            network,
            read_teachers([Path(teacher) for teacher in config.teachers], config.image_size),
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
        # On a processor, XLA's convolutions are slower than TensorFlow's own.
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
