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
