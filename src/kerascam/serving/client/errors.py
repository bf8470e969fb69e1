"""What can go wrong between a client and a model server, and when it is tried again."""

from collections.abc import Callable
from dataclasses import dataclass
from time import sleep
from typing import Any, TypeVar

import tenacity

from ...errors import reason as telling_line

T = TypeVar("T")

_LONGEST_WAIT = 10.0
_LONGEST_HEEDED = 60.0  # of the waits that a server asks for
_POLLS = 0.1, 1.0  # the first wait, and the longest


class ServingError(RuntimeError):
    """The server refused, or answered what no client of kerascam can read.

    Attributes:
        code: HTTP's status, as 400, or gRPC's, as "INVALID_ARGUMENT"; None if it is the
            answer that is wrong.
        reason: What the server said.

    Example:
        If no server answers, it is a `ServerUnavailableError`, a subclass:

        >>> from kerascam.serving import Client, ServingError
        >>> with Client("http://localhost:1", "scenes", retries=0) as client:
        ...     try:
        ...         client.status()
        ...     except ServingError as error:
        ...         print(type(error).__name__, error.code)
        ServerUnavailableError None
    """

    def __init__(self, message: str, *, code: int | str | None = None, reason: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason

    @property
    def may_blame_inputs(self) -> bool:
        """Whether another input might be answered."""
        return self.code in _OF_INPUTS


# A file that cannot be decoded is an argument's fault to TensorFlow; to a server around it, it may
# be an unexpected error.
_OF_INPUTS = frozenset(
    {400, 413, 422, 500, "INVALID_ARGUMENT", "OUT_OF_RANGE", "INTERNAL", "UNKNOWN"}
)

_MOST_SAID = 2_000  # characters


def in_short(said: str) -> str:
    r"""Return the line of a server's error, possibly TensorFlow's, that says what is wrong.

    Example:
        >>> in_short("assertion failed: [no image]\n\t [[{{node Assert}}]]")
        'assertion failed: [no image]'
    """
    said = said[:_MOST_SAID]
    return telling_line(RuntimeError(said)) if said.strip() else ""


class ServerUnavailableError(ServingError):
    """The server did not answer, after all retries.

    Example:
        >>> from kerascam.serving import Client, ServerUnavailableError
        >>> with Client("http://localhost:1", "scenes", retries=0) as client:
        ...     try:
        ...         client.status()
        ...     except ServerUnavailableError as error:
        ...         print(error)
        model 'scenes' at http://localhost:1 gave no usable answer in 1 try; the last: ...
    """


class ReplacedError(Exception):
    """A model other than the expected one answered: never seen by the user."""


class TransientError(Exception):
    """One try failed, and the next may not: never seen by the user.

    Attributes:
        reason: What happened.
        fix: What the user can do if it goes on.
        code: As a `ServingError` has it.
        retry_after: How many seconds the server asks clients to wait, if it does.
    """

    def __init__(
        self,
        reason: str,
        fix: str,
        *,
        code: int | str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.fix = fix
        self.code = code
        self.retry_after = retry_after


def retold(
    error: ServingError | TransientError, message: str, kind: type[ServingError] = ServingError
) -> ServingError:
    """Reword a failure, to be raised in its place.

    Args:
        error: The failure; it stays the cause.
        message: The words.
        kind: The new error's class.
    """
    told = kind(message, code=error.code, reason=error.reason)
    told.__cause__ = error
    return told


class TooLargeError(ValueError):
    """An answer is beyond its bound."""


def too_large(what: str, most: int) -> ServingError:
    """Word the error for an answer beyond the bound."""
    return ServingError(
        f"the answer to {what} is larger than {most} bytes; raise max_answer_bytes=, or lower "
        f"batch_size="
    )


def unreadable(what: str, error: Exception, begins: bytes | None = None) -> ServingError:
    """Word the error for an answer that is none of this protocol."""
    shown = "" if begins is None else f"; it begins {begins[:80]!r}"
    return ServingError(
        f"the answer to {what} cannot be read: {error}; check that a TensorFlow Serving "
        f"compatible server answers there{shown}"
    )


@dataclass(frozen=True)
class Retry:
    """How often and after which waits something is tried again.

    Attributes:
        retries: How often after the first try.
        backoff: The first wait in seconds. Each is twice the one before, up to ten seconds, and
            at random up to one `backoff` longer, so that clients which failed together do not
            come back together. A wait that the server asks for goes before it.
    """

    retries: int
    backoff: float

    def __call__(self, task: Callable[[], T], who: str) -> T:
        """Run a task until it succeeds.

        Args:
            task: Raises a `TransientError` if another try may help.
            who: The server that must answer, for the error.

        Raises:
            ServerUnavailableError: After the last try.
        """
        tries = 1 + self.retries
        return _run(
            task,
            tenacity.stop_after_attempt(tries),
            self._wait,
            f"{who} gave no usable answer in {tries} {'try' if tries == 1 else 'tries'}",
        )

    def _wait(self, state: tenacity.RetryCallState) -> float:
        error = None if state.outcome is None else state.outcome.exception()
        if isinstance(error, TransientError) and error.retry_after is not None:
            return min(error.retry_after, _LONGEST_HEEDED)
        grown = tenacity.wait_exponential(self.backoff, _LONGEST_WAIT)
        return grown(state) + tenacity.wait_random(0, self.backoff)(state)


def poll(task: Callable[[], T], timeout: float, who: str) -> T:
    """Run a task until it succeeds or the deadline has passed, with waits of at most a second.

    Args:
        task: Raises a `TransientError` if another try may help.
        timeout: In seconds.
        who: What the task waits for, for the error.

    Raises:
        ServerUnavailableError: When the deadline has passed.
    """
    first, longest = _POLLS
    return _run(
        task,
        tenacity.stop_before_delay(timeout),
        tenacity.wait_exponential(first, longest),
        f"{who} was not ready in {timeout:g} seconds",
    )


def _run(task: Callable[[], T], stop: Any, wait: Any, failure: str) -> T:
    retrying = tenacity.Retrying(
        stop=stop,
        wait=wait,
        retry=tenacity.retry_if_exception_type(TransientError),
        sleep=lambda seconds: sleep(seconds),
        reraise=True,
    )
    try:
        return retrying(task)
    except TransientError as error:
        message = f"{failure}; the last: {error.reason}; {error.fix}"
        raise retold(error, message, ServerUnavailableError) from error
