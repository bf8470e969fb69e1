"""What can go wrong between a client and a model server."""

from ...errors import reason as telling_line


class ServingError(RuntimeError):
    """The server refused, or answered what no client of kerascam can read.

    Attributes:
        code: HTTP's status, as 400, or gRPC's, as "INVALID_ARGUMENT"; None if it is the
            answer that is wrong.
        reason: What the server said.

    Example:
        Where nobody answers it is a `ServerUnavailableError`, which is one too:

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
# be an error that nobody expected.
_OF_INPUTS = frozenset(
    {400, 413, 422, 500, "INVALID_ARGUMENT", "OUT_OF_RANGE", "INTERNAL", "UNKNOWN"}
)

_MOST_SAID = 2_000  # characters


def in_short(said: str) -> str:
    r"""Take from a server's error, which may be TensorFlow's own, the line that says what is wrong.

    Example:
        >>> in_short("assertion failed: [no image]\n\t [[{{node Assert}}]]")
        'assertion failed: [no image]'
    """
    said = said[:_MOST_SAID]
    return telling_line(RuntimeError(said)) if said.strip() else ""


class ServerUnavailableError(ServingError):
    """The server gave no answer, however often it was asked.

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
    """Another model answered than the one that was asked about: never seen by the user."""


class TransientError(Exception):
    """One try failed, and the next may not: never seen by the user.

    Attributes:
        reason: What happened.
        fix: What the user can do if it goes on.
        code: As a `ServingError` has it.
        retry_after: How many seconds the server wants to be left alone, if it said so.
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
    """Tell of a failure in other words, to be raised in its place.

    Args:
        error: The failure; it stays the cause.
        message: The words.
        kind: Of the new error.
    """
    told = kind(message, code=error.code, reason=error.reason)
    told.__cause__ = error
    return told
