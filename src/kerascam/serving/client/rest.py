"""TensorFlow Serving's REST protocol.

Requests and answers go row by row, because TensorFlow Serving indents its answers, and an answer in
columns is indented so deep that it is more than twice as large. orjson writes a batch of
photographs in a twentieth, and reads heatmaps in a seventh, of the standard library's time; but it
knows neither NaN nor infinity, which the protocol does.
"""

import email.utils
import time
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import httpcore
import numpy as np

from ... import __version__
from ..json_words import packed, plain, read_json, unpacked, write_json
from ..words import (
    ERROR,
    INSTANCES,
    PREDICTIONS,
    SIGNATURE_NAME,
    STATE,
    VERSION,
    VERSION_STATUS,
    Kind,
    kind_of,
    version_and_state,
)
from .connection import CHECK_SERVER, TOO_BUSY, TOO_SLOW, Bounds, Connection, Place, Tensors
from .errors import ServingError, TooLargeError, TransientError, in_short, too_large, unreadable
from .http import open_pool, read_body, until

_INT32 = np.iinfo(np.int32)
_OK = 200
_BUSY = (429, 502, 503, 504)


def write_request(signature: str, inputs: Tensors) -> bytes:
    """Write what is asked, one row per image; a single input comes without its name.

    Args:
        signature: The function.
        inputs: Finite numbers, or encoded files, all of one length.

    Example:
        >>> image = np.float32([[0.1, 2]])
        >>> write_request("explain", {"image": image, "class_index": np.array([3])})
        b'{"signature_name":"explain","instances":[{"image":[0.1,2.0],"class_index":3}]}'
        >>> write_request("serving_default", {"image": image})
        b'{"signature_name":"serving_default","instances":[[0.1,2.0]]}'
    """
    columns = {name: _column(array) for name, array in inputs.items()}
    rows: Any = zip(*columns.values(), strict=True)
    rows = [dict(zip(columns, row, strict=True)) if len(columns) > 1 else row[0] for row in rows]
    return write_json({SIGNATURE_NAME: signature, INSTANCES: rows})


def _column(array: np.ndarray) -> Sequence[Any]:
    if array.dtype == object:
        return [packed(each) for each in array]
    numbers = plain(array)
    return numbers.tolist() if numbers.ndim == 1 else list(numbers)


def read_answer(signature: str, body: bytes) -> dict[str, np.ndarray]:
    """Read the outputs that kerascam knows.

    Args:
        signature: What was asked. A function's only output comes without a name; of ours only
            the manifest is one, and it has its signature's.
        body: JSON.

    Raises:
        ValueError: If it is no JSON of that form.

    Example:
        >>> body = b'{"predictions": [{"score": NaN, "class_index": 3}]}'
        >>> read_answer("explain", body)
        {'score': array([nan], dtype=float32), 'class_index': array([3], dtype=int32)}
    """
    content = read_json(body)
    rows = content.get(PREDICTIONS) if isinstance(content, dict) else None
    if not isinstance(rows, list):
        raise ValueError(f'it has no list "{PREDICTIONS}"')
    named = set(map(type, rows)) == {dict}
    names = list(rows[0]) if named else [signature]
    if named and any(row.keys() != rows[0].keys() for row in rows):
        raise ValueError(f'its "{PREDICTIONS}" do not all have the same names')
    columns = {name: [row[name] for row in rows] if named else rows for name in names}
    kinds = {name: kind for name in names if (kind := kind_of(name)) is not None}
    if b"true" in body or b"false" in body:  # it may be a text's
        for name, kind in kinds.items():
            if kind is Kind.NUMBER and _holds_truths(columns[name]):
                raise ValueError(f"its {name!r} holds values that are not numbers")
    return {name: _READERS[kind](name, columns[name]) for name, kind in kinds.items()}


def _wholes(name: str, values: list[Any]) -> np.ndarray:
    if not set(map(type, values)) <= {int}:
        raise ValueError(f"its {name!r} holds values that are not whole numbers")
    if values and not (_INT32.min <= min(values) and max(values) <= _INT32.max):
        raise ValueError(f"its {name!r} holds numbers beyond 32 bits")
    return np.array(values, np.int32)


def _numbers(name: str, values: list[Any]) -> np.ndarray:
    try:
        exact = np.array(values)
    except ValueError:
        raise ValueError(f"its {name!r} has rows of different lengths") from None
    if exact.dtype.kind not in "iuf":
        raise ValueError(f"its {name!r} holds values that are not numbers")
    with np.errstate(over="ignore"):
        single = exact.astype(np.float32)
    if not np.isfinite(single).all() and (np.isinf(single) & np.isfinite(exact)).any():
        raise ValueError(f"its {name!r} holds a number that is too large for 32 bits")
    return single


def _holds_truths(values: list[Any]) -> bool:
    """Tell whether true or false is anywhere in nested lists: NumPy takes them for 1 and 0."""
    while list in (kinds := set(map(type, values))):
        values = list(chain.from_iterable(each for each in values if type(each) is list))
    return bool in kinds


def _texts(name: str, values: list[Any]) -> np.ndarray:
    if not set(map(type, values)) <= {str}:
        raise ValueError(f"its {name!r} holds values that are not text")
    return np.array(values, object)


def _files(name: str, values: list[Any]) -> np.ndarray:
    try:
        files = [unpacked(each) for each in values]
    except ValueError:
        raise ValueError(f'its {name!r} holds values that are not {{"b64": ...}}') from None
    return np.array(files, object)


_READERS = {Kind.WHOLE: _wholes, Kind.NUMBER: _numbers, Kind.TEXT: _texts, Kind.FILE: _files}


class RestConnection(Connection):
    """Asks over HTTP.

    Args:
        place: The model.
        bounds: On each request and its answer.
        headers: The headers to send with each request.
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
            raise ServingError(f"{what} could not be requested: {error}") from error
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
