"""Pause Python's garbage collector while very many objects are made at once."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collection_paused() -> Iterator[None]:
    """Pause the collector, and let it go on at the end, also after an error.

    A graph, or a large request, consists of very many objects that live as long as it does. While
    they are made, the collector looks at all of them again and again, and finds nothing to free.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
