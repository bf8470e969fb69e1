"""TensorFlow Serving's REST protocol."""

import email.utils
import ssl
import time
from collections.abc import Mapping

import httpx
import numpy as np

from .connection import CHECK_SERVER, TOO_BUSY, TOO_SLOW, Connection, Tensors
from .errors import ServingError, TransientError, in_short
from .json_form import read_answer, read_json, write_request
from .place import Place

_BUSY = (429, 502, 503, 504)


class RestConnection(Connection):
    """Asks over HTTP.

    Args:
        place: The model.
        timeout: Seconds for one request and its whole answer.
        headers: To send with each request.
        credentials: What to trust and to show; None trusts the public authorities.
        kept: How many idle connections to keep.
    """

    def __init__(
        self,
        place: Place,
        timeout: float,
        headers: Mapping[str, str],
        credentials: ssl.SSLContext | None,
        kept: int,
    ) -> None:
        self._place = place
        self._timeout = timeout
        self._http = httpx.Client(
            headers=dict(headers),
            timeout=timeout,
            verify=True if credentials is None else credentials,
            # The client bounds what is in flight; a second bound here would only time out.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=kept),
        )

    def ask(self, signature: str, inputs: Tensors) -> dict[str, np.ndarray]:
        """Run one of the model's functions."""
        what = f"{signature!r} of {self._place}"
        body = self._send("POST", ":predict", write_request(signature, inputs), what)
        try:
            return read_answer(signature, body)
        except ValueError as error:
            raise self._unreadable(what, body, error) from error

    def versions(self) -> list[tuple[int, str]]:
        """List the model's versions on the server, and the state of each."""
        what = f"the status of {self._place}"
        body = self._send("GET", "", None, what)
        try:
            listed = read_json(body)["model_version_status"]
            return [(int(each["version"]), str(each["state"])) for each in listed]
        except (ValueError, TypeError, KeyError) as error:
            raise self._unreadable(what, body, error) from error

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def _send(self, verb: str, ending: str, content: bytes | None, what: str) -> bytes:
        deadline = time.monotonic() + self._timeout
        parts = []
        try:
            with self._http.stream(
                verb,
                self._place.rest_url + ending,
                content=content,
                headers={"Content-Type": "application/json"} if content else None,
            ) as response:
                for part in response.iter_bytes():
                    parts.append(part)
                    # httpx bounds each wait; this bounds a server that drips.
                    if time.monotonic() > deadline:
                        raise httpx.ReadTimeout("the answer came too slowly")
        except httpx.ConnectTimeout as error:
            raise TransientError(
                f"no connection in {self._timeout:g} seconds", CHECK_SERVER
            ) from error
        except httpx.TimeoutException as error:
            raise TransientError(f"no answer in {self._timeout:g} seconds", TOO_SLOW) from error
        except (httpx.NetworkError, httpx.ProxyError, httpx.RemoteProtocolError) as error:
            reason = str(error) or type(error).__name__
            raise TransientError(reason, CHECK_SERVER) from error
        except httpx.HTTPError as error:
            raise ServingError(f"{what} could not be asked for: {error}") from error
        body = b"".join(parts)
        if response.status_code != httpx.codes.OK:
            raise _refusal(response, body, what)
        return body

    def _unreadable(self, what: str, body: bytes, error: Exception) -> ServingError:
        return ServingError(
            f"the answer to {what} cannot be read: {error}; check that a TensorFlow Serving "
            f"compatible server answers there; it begins {body[:80]!r}"
        )


def _refusal(response: httpx.Response, body: bytes, what: str) -> ServingError | TransientError:
    code, said = response.status_code, _message(body)
    if code in _BUSY:
        wait = _seconds(response.headers.get("retry-after"))
        return TransientError(f"{code} {said}".strip(), TOO_BUSY, code=code, retry_after=wait)
    return ServingError(f"the server refused {what}: {code} {said}", code=code, reason=said)


def _message(body: bytes) -> str:
    try:
        content = read_json(body)
    except ValueError:
        content = None
    if isinstance(content, dict) and "error" in content:
        return in_short(str(content["error"]))
    return body[:200].decode(errors="replace").strip()


def _seconds(retry_after: str | None) -> float | None:
    """Read the header Retry-After: seconds, or a date; None where it is neither.

    Example:
        >>> _seconds("2"), _seconds("Wed, 21 Oct 2015 07:28:00 GMT"), _seconds("soon")
        (2.0, 0.0, None)
    """
    if retry_after is None:
        return None
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        date = email.utils.parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max(0.0, date.timestamp() - time.time())
