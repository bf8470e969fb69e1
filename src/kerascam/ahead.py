"""Make what comes next while this is used: an iterator in a thread of its own."""

import queue
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")
_END = object()


@contextmanager
def ahead(source: Iterable[T], most: int) -> Iterator[Iterator[T]]:
    """Go through an iterable in a thread, some elements ahead of who uses them.

    Args:
        source: Gone through once.
        most: How many elements wait at most.

    Yields:
        Its elements in order; an error of its own is raised where its next element would be.

    Example:
        >>> with ahead(range(3), 1) as numbers:
        ...     list(numbers)
        [0, 1, 2]
    """
    waiting: queue.Queue[Any] = queue.Queue(most)
    stopped = threading.Event()

    def put(each: Any) -> None:
        while not stopped.is_set():
            try:
                return waiting.put(each, timeout=0.1)
            except queue.Full:
                continue

    def go() -> None:
        try:
            for each in source:
                put((each, None))
                if stopped.is_set():
                    break
        except BaseException as error:
            put((None, error))
        finally:
            close = getattr(source, "close", None)
            if close is not None:
                close()
            put((_END, None))

    def taken() -> Iterator[T]:
        while True:
            each, error = waiting.get()
            if error is not None:
                raise error
            if each is _END:
                return
            yield each

    thread = threading.Thread(target=go, name="kerascam-ahead", daemon=True)
    thread.start()
    try:
        yield taken()
    finally:
        stopped.set()
        thread.join()
