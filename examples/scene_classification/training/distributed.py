"""The training loop under tf.distribute.

`keras.Model.fit` fails in Keras 3 under `MultiWorkerMirroredStrategy` (keras-team/keras#20585), so
steps are run on all replicas by hand, as TensorFlow's guide to custom training loops does it. A
network, an optimizer, metrics and callbacks are used as `fit` would use them.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


def fit(
    model: keras.Model,
    distribution: Any,
    batches: tf.data.Dataset,
    *,
    validation_data: tf.data.Dataset,
    initial_epoch: int,
    epochs: int,
    steps_per_epoch: int,
    callbacks: list[keras.callbacks.Callback],
    **_: Any,
) -> None:
    """Train a compiled model on all replicas of a strategy.

    Every worker goes through the same batches and takes its share of each, so the batch size is
    that of all workers together.

    Args:
        model: A model that was built and compiled in the scope of `distribution`.
        distribution: The strategy.
        batches: The training batches of all epochs.
        validation_data: The batches to validate on after every epoch.
        initial_epoch: Number of the first epoch.
        epochs: Number of the epoch to stop before.
        steps_per_epoch: Batches in an epoch.
        callbacks: As for `keras.Model.fit`, whose other arguments are accepted and ignored.
    """
    listeners = keras.callbacks.CallbackList(
        callbacks, model=model, epochs=epochs, steps=steps_per_epoch
    )

    @tf.function
    def train_step(batch: Any) -> None:
        distribution.run(model.train_step, args=(batch,))

    @tf.function
    def test_step(batch: Any) -> None:
        distribution.run(model.test_step, args=(batch,))

    served = iter(_shared(distribution, batches))
    held = _shared(distribution, validation_data)
    model.stop_training = False
    listeners.on_train_begin()
    for epoch in range(initial_epoch, epochs):
        listeners.on_epoch_begin(epoch)
        model.reset_metrics()
        for step in range(steps_per_epoch):
            train_step(next(served))
            listeners.on_train_batch_end(step)
        logs = _figures(model)
        listeners.on_test_begin()
        model.reset_metrics()
        for batch in held:
            test_step(batch)
        logs |= {f"val_{name}": value for name, value in _figures(model).items()}
        listeners.on_test_end()
        listeners.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    listeners.on_train_end()


def _shared(distribution: Any, dataset: tf.data.Dataset) -> Any:
    options = tf.data.Options()
    # Of every batch each worker takes its part: all of them read all files.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return distribution.experimental_distribute_dataset(dataset.with_options(options))


def _figures(model: keras.Model) -> dict[str, float]:
    return {name: float(value) for name, value in model.get_metrics_result().items()}
