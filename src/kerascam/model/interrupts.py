"""Keep Ctrl-C out of the middle of TensorFlow's work: it would be lost there, or leave it broken.

An interrupt may come between any two steps. Keras takes one that comes while it builds a layer
for a failed build and goes on, and TensorFlow may be left with a graph that it never closes, so
that every later call fails.
"""

import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import tensorflow as tf

from .black_box import raised_inside

_waiting: list[tuple[int, FrameType | None]] = []


@contextmanager
def held_back() -> Iterator[None]:
    """Hold back an interrupt of the main thread until the end; a second one comes at once."""
    handler = signal.getsignal(signal.SIGINT)
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or not callable(handler) or getattr(handler, "holds_back", False):
        yield
        return

    def wait(number: int, frame: FrameType | None) -> None:
        if _waiting:
            handler(number, frame)
        _waiting.append((number, frame))

    wait.holds_back = True  # type: ignore[attr-defined]
    signal.signal(signal.SIGINT, wait)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        interrupts = _waiting.copy()
        _waiting.clear()
        for number, frame in interrupts[:1]:
            handler(number, frame)


@contextmanager
def passed_on() -> Iterator[None]:
    """Raise again what Python code inside a graph was stopped by; TensorFlow makes it an error."""
    try:
        yield
    except tf.errors.UnknownError as error:
        own = raised_inside(error)
        if own is not None:
            raise own from own.__cause__  # TensorFlow's words add nothing
        stop = _stop_in(error)
        if stop is None:
            raise
        raise stop from error


def _stop_in(error: Any) -> BaseException | None:
    found = re.search(r"^\s*(KeyboardInterrupt|SystemExit)\b", str(error.message), re.MULTILINE)
    stops = {"KeyboardInterrupt": KeyboardInterrupt, "SystemExit": SystemExit}
    return stops[found[1]]() if found else None
