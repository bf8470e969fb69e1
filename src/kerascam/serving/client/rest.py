"""TensorFlow Serving's REST protocol."""

import email.utils
import time
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import httpcore
import numpy as np

from ... import __version__
from ..json_words import read_json
from ..words import ERROR, STATE, VERSION, VERSION_STATUS
from .connection import (
    CHECK_SERVER,
    TOO_BUSY,
    TOO_SLOW,
    Bounds,
    Connection,
    Tensors,
    TooLargeError,
    too_large,
    unreadable,
    version_and_state,
)
from .errors import ServingError, TransientError, in_short
from .json_form import read_answer, write_request
from .route import open_pool, until
from .settings import Place

_GZIP = 16 + zlib.MAX_WBITS
_OK = 200
_BUSY = (429, 502, 503, 504)


def read_body(parts: Iterable[bytes], encoding: str, most: int) -> bytes:
    """Receive a body.

    Args:
        parts: As they come.
        encoding: What its header says that it is packed with.
        most: How many bytes it may have, as it comes and as it is unpacked.

    Raises:
        TooLargeError: As soon as it has more; some kilobytes of gzip can hold gigabytes.
        ValueError: If it cannot be unpacked.

    Example:
        >>> read_body([b"ab", b"c"], "", 3)
        b'abc'
    """
    packed = encoding.strip().lower()
    if packed in ("gzip", "x-gzip"):
        return _unpacked(_bounded(parts, most), most)
    if packed not in ("", "identity"):
        raise ValueError(f"it is encoded as {encoding!r}, which was not asked for")
    return b"".join(_bounded(parts, most))


def _bounded(parts: Iterable[bytes], most: int) -> Iterable[bytes]:
    size = 0
    for part in parts:
        size += len(part)
        if size > most:
            raise TooLargeError
        yield part


def _unpacked(parts: Iterable[bytes], most: int) -> bytes:
    unpacker, pieces, left = zlib.decompressobj(_GZIP), [], most
    try:
        for part in parts:
            piece = unpacker.decompress(part, left + 1)  # never 0, which is no bound at all
            pieces.append(piece)
            left -= len(piece)
            if left < 0:
                raise TooLargeError
    except zlib.error as error:
        raise ValueError(f"it is not gzip data: {error}") from None
    if not unpacker.eof and (pieces or left < most):
        raise ValueError("its gzip data is cut off")
    return b"".join(pieces)


class RestConnection(Connection):
    """Asks over HTTP.

    Args:
        place: The model.
        bounds: On each request and its answer.
        headers: To send with each request.
        credentials: An `ssl.SSLContext`: what to trust and to show; None trusts the public
            authorities.
        kept: How many idle connections to keep.
    """

    def __init__(
        self,
        place: Place,
        bounds: Bounds,
        headers: Mapping[str, str],
        credentials: Any,
        kept: int,
    ) -> None:
        self._place = place
        self._bounds = bounds
        self._pool = open_pool(place, credentials, kept)
        usual = {
            "host": place.host,
            "user-agent": f"kerascam/{__version__}",
            "content-type": "application/json",
            # Packing takes longer than sending to this very machine.
            "accept-encoding": "identity" if place.is_loopback else "gzip",
        }
        own = {name.lower(): value for name, value in headers.items()}
        self._headers = list((usual | own).items())

    def ask(self, signature: str, inputs: Tensors) -> dict[str, np.ndarray]:
        """Run one of the model's functions."""
        what = f"{signature!r} of {self._place}"
        body = self._send("POST", ":predict", write_request(signature, inputs), what)
        try:
            return read_answer(signature, body)
        except ValueError as error:
            raise unreadable(what, error, body) from error

    def versions(self) -> list[tuple[int, str]]:
        """List the model's versions on the server, and the state of each."""
        what = f"the status of {self._place}"
        body = self._send("GET", "", None, what)
        try:
            return _versions(read_json(body))
        except ValueError as error:
            raise unreadable(what, error, body) from error

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()

    def _send(self, verb: str, ending: str, content: bytes | None, what: str) -> bytes:
        timeout, most = self._bounds.timeout, self._bounds.answer_bytes
        try:
            with self._pool.stream(
                verb,
                self._place.rest_url + ending,
                headers=self._headers,
                content=content,
                extensions={"timeout": until(time.monotonic() + timeout)},
            ) as response:
                head = _Head(response)
                body = read_body(response.iter_stream(), head.get("content-encoding"), most)
        except httpcore.ConnectTimeout as error:
            raise TransientError(f"no connection in {timeout:g} seconds", CHECK_SERVER) from error
        except httpcore.TimeoutException as error:
            raise TransientError(f"no answer in {timeout:g} seconds", TOO_SLOW) from error
        except (httpcore.NetworkError, httpcore.ProxyError, httpcore.RemoteProtocolError) as error:
            reason = str(error) or type(error).__name__
            raise TransientError(reason, CHECK_SERVER) from error
        except (httpcore.ProtocolError, httpcore.UnsupportedProtocol) as error:
            raise ServingError(f"{what} could not be asked for: {error}") from error
        except TooLargeError as error:
            raise too_large(what, most) from error
        except ValueError as error:
            raise unreadable(what, error) from error
        if head.status != _OK:
            raise _refusal(head, body, what)
        return body


class _Head:
    """The status and the headers of an answer."""

    def __init__(self, response: httpcore.Response) -> None:
        self.status = response.status
        self._headers = {name.lower(): value for name, value in response.headers}

    def get(self, name: str) -> str:
        """Return a header's value, or an empty text."""
        return self._headers.get(name.encode(), b"").decode("latin-1")


def _versions(content: Any) -> list[tuple[int, str]]:
    listed = content.get(VERSION_STATUS) if isinstance(content, dict) else None
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise ValueError(f'it has no list "{VERSION_STATUS}"')
    return [version_and_state(each.get(VERSION), each.get(STATE)) for each in listed]


def _refusal(head: _Head, body: bytes, what: str) -> ServingError | TransientError:
    code, said = head.status, _message(body)
    if code in _BUSY:
        wait = _seconds(head.get("retry-after"))
        return TransientError(f"{code} {said}".strip(), TOO_BUSY, code=code, retry_after=wait)
    return ServingError(f"the server refused {what}: {code} {said}", code=code, reason=said)


def _message(body: bytes) -> str:
    try:
        content = read_json(body)
    except ValueError:
        content = None
    said = content.get(ERROR) if isinstance(content, dict) else None
    if isinstance(said, str):
        return in_short(said)
    return body[:200].decode(errors="replace").strip()


def _seconds(retry_after: str) -> float | None:
    """Read the header Retry-After: seconds, or a date; None if it is neither.

    Example:
        >>> _seconds("2"), _seconds("Wed, 21 Oct 2015 07:28:00 GMT"), _seconds("soon")
        (2.0, 0.0, None)
    """
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        wait = email.utils.parsedate_to_datetime(retry_after).timestamp() - time.time()
    except (ValueError, TypeError, IndexError, OverflowError, OSError):
        return None
    return max(0.0, wait)
