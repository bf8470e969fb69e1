"""Say in one way that a client is closed, wherever that is met."""

from collections.abc import Iterator
from types import TracebackType
from typing import TypeVar

T = TypeVar("T")


class Gate:
    """Stands around whatever a client does.

    Threads and connections each have an error of their own for what comes after their end, and
    others for what is under way meanwhile; the user meets one.

    Args:
        what: Whose end it is, for the error.

    Example:
        >>> gate = Gate("this client")
        >>> gate.close()
        >>> with gate:
        ...     print("asking")
        Traceback (most recent call last):
            ...
        RuntimeError: this client is closed; ask before close(), or make a new one
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._open = True

    def close(self) -> None:
        """Let nothing through from now on."""
        self._open = False

    def __enter__(self) -> None:
        if not self._open:
            raise self._closed()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Not where a generator is ended, nor at an interrupt: these are no Exception.
        if isinstance(error, Exception) and not self._open:
            raise self._closed() from error

    def around(self, items: Iterator[T]) -> Iterator[T]:
        """Give what an iterator gives; what it has when the gate is closed still passes."""
        try:
            yield from items
        except Exception as error:
            if self._open:
                raise
            raise self._closed() from error

    def _closed(self) -> RuntimeError:
        return RuntimeError(f"{self._what} is closed; ask before close(), or make a new one")
