"""Keep the noise of native libraries out of the terminal."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def native_messages_dropped() -> Iterator[None]:
    """Drop what TensorFlow's libraries write while they are loaded, below Python's stderr."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    own = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(own, 2)
        os.close(own)
