"""Training on one device, on several, or on several machines (tf.distribute)."""

from __future__ import annotations

import os
from typing import Any

import tensorflow as tf


def make_strategy(name: str) -> Any:
    """Make a distribution strategy; it must be made before TensorFlow runs anything.

    Args:
        name: `"single"`, which needs none; `"mirrored"`, all GPUs of this machine, a copy of the
            network on each; or `"multiworker"`, one process on each machine, which find each other
            by `TF_CONFIG`.

    Raises:
        ValueError: If `name` is another, or `TF_CONFIG` is not set for several machines.
    """
    if name == "single":
        return None
    if name == "mirrored":
        return tf.distribute.MirroredStrategy()
    if name == "multiworker":
        if "TF_CONFIG" not in os.environ:
            raise ValueError(
                "strategy='multiworker' needs TF_CONFIG in every worker's environment, such as "
                '{"cluster": {"worker": ["host1:9000", "host2:9000"]}, '
                '"task": {"type": "worker", "index": 0}}'
            )
        return tf.distribute.MultiWorkerMirroredStrategy()
    raise ValueError(f"strategy={name!r} is unknown; choose 'single', 'mirrored' or 'multiworker'")


def meet(distribution: Any, step: int) -> None:
    """Wait for all machines, and see that they stand at the same step.

    Args:
        distribution: The strategy.
        step: Steps done on this machine.

    Raises:
        RuntimeError: If another machine has done more or fewer.
    """
    count = distribution.num_replicas_in_sync
    steps = distribution.run(lambda: tf.constant([float(step), float(step) ** 2], tf.float64))
    total, squares = distribution.reduce("SUM", steps, axis=None).numpy()
    if not abs(squares / count - (total / count) ** 2) < 0.5:
        raise RuntimeError(
            f"this machine goes on from step {step} and others do not; the run folder must lie on "
            "a disk that all machines see"
        )
