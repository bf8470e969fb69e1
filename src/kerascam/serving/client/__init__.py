"""The client of a model server, over REST or gRPC."""

from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, TypeVar

from ...arguments import number_in
from ...signatures import HIGHEST_VERSION
from ..words import AVAILABLE
from .batch import File, Prediction, ServedExplanation
from .connection import Bounds, conform_headers, connect, parse_place, seconds
from .errors import Retry, ServingError, TransientError, poll
from .questions import Many, Questions

T = TypeVar("T")
_MOST_BYTES = 2**31 - 1  # of a message of gRPC
_NOT_READY = "look at the server's log, or raise timeout="


class Gate:
    """Stands around everything that a client does.

    Threads and connections each have errors of their own for use after their end, or during it; the
    user sees one error for all.

    Args:
        what: What is closed, for the error.

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
        # Not if a generator is closed, nor at an interrupt: these are no Exception.
        if isinstance(error, Exception) and not self._open:
            raise self._closed() from error

    def around(self, items: Iterator[T]) -> Iterator[T]:
        """Yield an iterator's items; those ready when the gate is closed still pass."""
        try:
            yield from items
        except Exception as error:
            if self._open:
                raise
            raise self._closed() from error

    def _closed(self) -> RuntimeError:
        return RuntimeError(f"{self._what} is closed; ask before close(), or make a new one")


class Client:
    """Ask a TensorFlow Serving compatible server about a model that `kerascam.export` wrote.

    Any number of threads may share a client. Nothing is sent before the first question.

    Args:
        url: `http://host:port` or `https://...` for REST, with a path if the server has one;
            `grpc://host:port` or `grpcs://...` for gRPC, which is several times faster.
        model: The model's name on the server.
        version: Which version; None is the one that the server prefers, its highest.
        timeout: Seconds for each try: to connect, to send one request and to receive its whole
            answer, all together.
        retries: How often a request is sent again after the server could not be reached, was late,
            or overloaded (429, 502, 503, 504 and their like of gRPC). A refusal is final.
        backoff: Seconds before the first of these; doubled each time, up to ten seconds, and at
            random up to one `backoff` longer. If the server says how long to wait
            (Retry-After), the client waits that long, up to a minute.
        concurrency: How many requests may be under way at once.
        batch_size: How many images a request holds.
        max_answer_bytes: How large one answer may be, as it is sent and once it is unpacked;
            256 MiB by default. A larger one is refused.
        headers: What to send with each request, such as an authorisation; gRPC's metadata.
        credentials: An `ssl.SSLContext` for https, a `grpc.ChannelCredentials` for grpcs; None
            trusts the public authorities.

    Raises:
        TypeError: If what should be a number or a text is not one.
        ValueError: If `url`, a number or a header cannot be used.

    Example:
        >>> with Client("grpc://localhost:8500", "scene") as client:
        ...     print(client)
        Client(model 'scene' at grpc://localhost:8500)
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        version: int | None = None,
        timeout: float = 30.0,
        retries: int = 3,
        backoff: float = 0.1,
        concurrency: int = 4,
        batch_size: int = 8,
        max_answer_bytes: int = 2**28,
        headers: Mapping[str, str] | None = None,
        credentials: Any = None,
    ) -> None:
        version = None if version is None else number_in("version", version, 0, HIGHEST_VERSION)
        self._place = place = parse_place(url, model, version)
        self._retry = Retry(
            number_in("retries", retries, 0), seconds("backoff", backoff, zero=True)
        )
        bounds = Bounds(
            seconds("timeout", timeout, zero=False),
            number_in("max_answer_bytes", max_answer_bytes, 1, _MOST_BYTES),
        )
        batch_size = number_in("batch_size", batch_size, 1)
        concurrency = number_in("concurrency", concurrency, 1)
        sent = conform_headers(headers, rpc=place.scheme.startswith("grpc"))
        self._gate = Gate(repr(self))
        self._connection = connect(place, bounds, sent, credentials, concurrency)
        self._questions = Questions(self._connection, self._retry, str(place))
        self._many = Many(self._questions, concurrency, batch_size)

    def __repr__(self) -> str:
        return f"Client({self._place})"

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Drop requests that are not yet sent, wait for the others, and close the connections.

        Any later call, and any dropped request, raises a RuntimeError that says so.
        """
        self._gate.close()
        self._many.close()
        self._connection.close()

    def explain(self, images: Any, classes: Any = None) -> ServedExplanation:
        """Explain images, in as many requests as they need.

        Args:
            images: Shape (batch, *size, channels), in the values that the model takes; a list or
                dict of such for a model of several inputs; or a list of image files, as bytes or
                paths.
            classes: An index or class name, or one per image; None explains the predicted class.

        Returns:
            One explanation of all images, in their order, by one version of the model; should
            another be put in its place meanwhile, all are asked about again.

        Raises:
            TypeError: If images are neither numbers nor files, or classes neither integers nor
                names.
            ValueError: If a shape, a value or a class does not fit the model.
            OSError: If a file cannot be read.
            ServerUnavailableError: If the server does not answer.
            ServingError: If it refuses, and says which files; or if one version after the other
                is put in its place.
        """
        with self._gate:
            return self._many.explain(images, classes)

    def explain_each(
        self, files: Sequence[File], classes: Any = None
    ) -> Iterator[tuple[File, ServedExplanation | ServingError | OSError]]:
        """Explain image files one after the other, even if some of them fail.

        They are still sent several at a time; if the server refuses a request, its files are
        sent one by one. Only a few requests' files and answers are in memory at once.

        Args:
            files: As bytes or paths.
            classes: As for `explain`.

        Returns:
            An iterator over each file, in order, and its explanation; or, in place of that, the
            error that it met. After a `ServerUnavailableError` the next files are still tried:
            stop if that is no use.

        Raises:
            TypeError: If they are no files.
            ValueError: If there is no such class.
            ServerUnavailableError: If the server does not answer at first.
        """
        with self._gate:
            return self._gate.around(self._many.explain_each(files, classes))

    def predict(self, images: Any) -> Prediction:
        """Predict without explaining, which is faster.

        Args:
            images: As for `explain`.

        Returns:
            What one version of the model says of all images, in their order.

        Raises:
            Exception: As `explain` does.
        """
        with self._gate:
            return self._many.predict(images)

    def manifest(self) -> dict[str, Any]:
        """Ask what was exported: the method, the layer, the class names and more.

        Raises:
            ServerUnavailableError: If the server does not answer.
            ServingError: If it refuses, or serves no model of kerascam's.
        """
        with self._gate:
            return dict(self._questions.manifests.fetch().facts)

    def status(self) -> list[tuple[int, str]]:
        """Ask for the model's versions on the server, and the state of each, as "AVAILABLE".

        Raises:
            ServerUnavailableError: If the server does not answer.
            ServingError: If it knows no such model.
        """
        with self._gate:
            return self._retry(self._connection.versions, str(self._place))

    def wait_until_ready(self, timeout: float = 60.0) -> None:
        """Wait until the model can be asked.

        Args:
            timeout: In seconds; a server that hangs is waited for one try longer.

        Raises:
            ServerUnavailableError: If the deadline has passed.
            ServingError: If the server refuses to tell.
        """
        timeout = seconds("timeout", timeout, zero=True)
        with self._gate:
            poll(self._check_ready, timeout, str(self._place))

    def _check_ready(self) -> None:
        try:
            states = self._connection.versions()
        except ServingError as error:
            if error.code not in (404, "NOT_FOUND"):
                raise
            raise TransientError(str(error), _NOT_READY, code=error.code) from error
        if not any(state == AVAILABLE for _, state in states):
            raise TransientError(f"its versions are {states}", _NOT_READY)
