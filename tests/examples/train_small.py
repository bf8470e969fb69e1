"""Trains a small run in a process of its own: `python train_small.py RUN DATA [OPTION=VALUE ...]`.

`die=STEP` kills the process without warning after that many steps of this process.
`processors=N` makes N devices of the processor, so that `strategy=mirrored` has N replicas.
"""

import os
import signal
import sys
from pathlib import Path

import keras
import tensorflow as tf

from scene_classification.data.folder import read_folder
from scene_classification.run_folder import open_run
from scene_classification.training.stages import train
from scene_classification.training.strategy import make_strategy


class Death(keras.callbacks.Callback):
    """Kills its process after some steps."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.left = after

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def main(run_folder: str, data: str, *options: str) -> None:
    given: dict = dict(option.split("=") for option in options)
    die = int(given.pop("die", 0))
    if "processors" in given:
        _divide_processor(int(given.pop("processors")))
    if "dropout" in given:
        given["dropout"] = float(given["dropout"])
    settings = {
        "source": "folder",
        "data": data,
        "size": "tiny",
        "image_size": 32,
        "batch_size": 8,
        "epochs": 2,
        "average": 0.9,
        "mix": "both",
        **given,
    }
    run, config = open_run(Path(run_folder), settings)
    distribution = make_strategy(config.strategy)
    if distribution is not None:
        print(f"replicas: {distribution.num_replicas_in_sync}")
    train(
        config,
        read_folder(Path(data)),
        run,
        distribution=distribution,
        backup_every=2,
        watch=lambda stage, epochs, steps: Death(die),
    )


def _divide_processor(devices: int) -> None:
    (processor,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(
        processor, [tf.config.LogicalDeviceConfiguration()] * devices
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
