"""Try again, after waits that grow, for as long as it may help."""

from collections.abc import Callable
from dataclasses import dataclass
from time import sleep
from typing import Any, TypeVar

import tenacity

from .errors import ServerUnavailableError, TransientError, retold

T = TypeVar("T")

_LONGEST_WAIT = 10.0
_LONGEST_HEEDED = 60.0  # of the waits that a server asks for
_POLLS = 0.1, 1.0  # the first wait, and the longest


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
            task: Raises a `TransientError` where another try may help.
            who: Whose answer it needs, for the error.

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
    """Run a task until it succeeds or the time is over, with waits of at most a second.

    Args:
        task: Raises a `TransientError` where another try may help.
        timeout: In seconds.
        who: What the task waits for, for the error.

    Raises:
        ServerUnavailableError: When the time is over.
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
