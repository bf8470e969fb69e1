"""How every benchmark here takes time: interleaved, in one process, as medians."""

import os
import platform
import statistics
import time
from collections.abc import Callable
from typing import Any

WARM_UPS = 3


def medians(contenders: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Time the contenders in turn, after a warm-up, and take each one's median in seconds."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for contender in contenders.values():
        for _ in range(WARM_UPS):
            contender()
    for turn in range(rounds):
        names = list(contenders) if turn % 2 else list(reversed(contenders))
        for name in names:
            start = time.perf_counter()
            contenders[name]()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(each) for name, each in times.items()}


def machine() -> dict[str, Any]:
    """Return what a report says of where it was measured."""
    import keras
    import tensorflow as tf

    return {
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
    }
