"""The paths of TensorFlow Serving's REST interface, answered by the versions of one model."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from fastapi import FastAPI, Request, Response
from numpy.typing import NDArray
from starlette.exceptions import HTTPException

from ...collection import collection_paused
from ...signatures import HIGHEST_VERSION
from ..json_words import packed, plain, write_json
from ..words import COLUMNS, MODELS, PREDICTIONS, VERSION_STATUS, holds_files
from .connections import Bodies
from .images import Images
from .limits import Limits, RequestError, servable_not_found, status_not_found, too_busy
from .requests import columns, read_question, to_array
from .servable import metadata
from .versions import Versions

# As in TensorFlow Serving, a "?" and what follows it are part of the path: `:predict?x=1` is no
# path that there is, and `scenes?x=1` is the name of another model.
_PREDICT = re.compile(
    rf"{MODELS}/([^/:]+)(?:/versions/([0-9]+))?:(predict)", re.IGNORECASE | re.ASCII
)
_TELL = re.compile(
    rf"{MODELS}(?:/([^/:]+))?(?:/versions/([0-9]+))?(?:/(metadata))?", re.IGNORECASE | re.ASCII
)
_INTERFACE = re.compile("/v1/.*", re.IGNORECASE | re.ASCII)
JSON = "application/json"
HTML = "text/html"
NOT_FOUND = """<html><head><title>404 Not Found</title></head><body><h1>Not Found</h1></body></html>
"""
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asked:
    """What a request asks.

    Attributes:
        what: "predict", "metadata" or "status".
        name: The model's name.
        number: The version, if it names one.
    """

    what: str
    name: str
    number: int | None


def is_outside(target: str) -> bool:
    """Return whether a path belongs to no model, so that TensorFlow Serving looks no further."""
    return _INTERFACE.fullmatch(target) is None


def read_path(method: str, target: str) -> Asked:
    """Read what is asked.

    Args:
        method: The HTTP method.
        target: The path, with "?" and what follows if there is such.

    Raises:
        RequestError: If there is no such question.
    """
    pattern = {"POST": _PREDICT, "GET": _TELL}.get(method)
    found = pattern.fullmatch(target) if pattern is not None else None
    if found is None:
        raise RequestError(400, f"Malformed request: {method} {target}")
    name, version, what = found.groups()
    if name is None:
        raise RequestError(400, "Missing model name in request.")
    if version is not None and (len(version) > 30 or int(version) > HIGHEST_VERSION):
        raise RequestError(400, "")  # as TensorFlow Serving has it: without a word
    return Asked((what or "status").lower(), name, None if version is None else int(version))


class Desk:
    """Receives requests, accepts as many as the limits allow, and runs them in threads.

    Args:
        versions: The model's versions.
        limits: Bounds on every request.
        pool: Its threads; TensorFlow would hold up the event loop.
    """

    def __init__(self, versions: Versions, limits: Limits, pool: ThreadPoolExecutor) -> None:
        self._versions, self._limits, self._pool = versions, limits, pool
        self._bodies = Bodies(limits)
        self._reading = threading.Lock()
        self._inside = 0

    async def predict(self, request: Request, number: int | None) -> bytes:
        """Receive a request and answer it.

        Raises:
            RequestError: If there is no room, or the request is wrong.
        """
        self._check_room()  # before a body is received for nothing
        # Received first: a client that sends slowly does not block others.
        async with self._bodies.receive(request) as body:
            with self._place():
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(self._pool, self._answer, body, number)

    @contextlib.contextmanager
    def _place(self) -> Iterator[None]:
        self._check_room()
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1

    def _check_room(self) -> None:
        if self._inside >= self._limits.threads + self._limits.waiting:
            raise too_busy(f"{self._inside} requests are in progress")

    def _answer(self, body: bytearray, number: int | None) -> bytes:
        with contextlib.ExitStack() as held:
            # One at a time, as the interpreter has it anyway: until it is an array, what was sent
            # takes many times the room of its body.
            # A million lists take a tenth of a second to read, and a second and a half with it.
            with self._reading, collection_paused():
                question = read_question(body, self._limits.values)
                _, servable = held.enter_context(self._versions.lease(number))
                signature = servable.signature(question.signature)
                images = Images(self._limits)
                inputs = {
                    name: to_array(name, signature.inputs[name], values, self._limits, images)
                    for name, values in columns(question, signature.inputs.keys()).items()
                }
                name, by_rows = question.signature, question.by_rows
                del question
            outputs = servable.run(name, inputs)
        return make_answer(outputs, by_rows=by_rows)


def make_app(versions: Versions, limits: Limits, pool: ThreadPoolExecutor) -> FastAPI:
    """Return the application that serves one model.

    Args:
        versions: The model's versions.
        limits: Bounds on every request.
        pool: The threads that work on requests.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    desk = Desk(versions, limits, pool)

    @app.api_route("/{path:path}", methods=["GET", "POST"])
    async def answer(request: Request) -> Response:
        if is_outside(_target(request)):
            return Response(NOT_FOUND, 404, media_type=HTML)
        asked = read_path(request.method, _target(request))
        if asked.what == "predict":
            return await predict(request, asked)
        return _json(metadata_of(asked) if asked.what == "metadata" else statuses_of(asked))

    async def predict(request: Request, asked: Asked) -> Response:
        if asked.name != versions.name:
            raise servable_not_found(asked.name, asked.number)
        try:
            return Response(await desk.predict(request, asked.number), media_type=JSON)
        except RequestError:
            raise
        except Exception as error:  # a fault of this server, answered in the same form
            logger.exception("%s %s failed", request.method, request.url.path)
            raise RequestError(500, f"internal error: {type(error).__name__}") from error

    def metadata_of(asked: Asked) -> Any:
        if asked.name != versions.name:
            raise servable_not_found(asked.name, asked.number)
        with versions.lease(asked.number) as (served, servable):
            return metadata(asked.name, served, servable.signatures)

    def statuses_of(asked: Asked) -> Any:
        if asked.name != versions.name:
            raise status_not_found(asked.name, asked.number)
        return {VERSION_STATUS: versions.statuses(asked.number)}

    @app.exception_handler(RequestError)
    async def say(request: Request, error: RequestError) -> Response:
        return Response(error.body, error.status, headers=error.headers, media_type=JSON)

    @app.exception_handler(HTTPException)
    async def say_malformed(request: Request, error: HTTPException) -> Response:
        """Answer what has a method or a path that no route takes."""
        try:
            return await answer(request)
        except RequestError as malformed:
            return await say(request, malformed)

    return app


def _target(request: Request) -> str:
    # Not from `request.url`, where a "?" that belongs to a name would begin the query.
    path, query = request.scope["path"], request.scope["query_string"].decode("latin-1")
    return f"{path}?{query}" if query else path


def _json(content: Any) -> Response:
    return Response(json.dumps(content, indent=1).encode("utf-8"), media_type=JSON)


def make_answer(outputs: Mapping[str, NDArray[Any]], *, by_rows: bool) -> bytes:
    """Write the outputs of a run as JSON.

    Args:
        outputs: The outputs by name.
        by_rows: Whether to answer row by row ("predictions") or by columns ("outputs").

    Raises:
        RequestError: If rows are asked for and the outputs do not have as many of them.
    """
    only = next(iter(outputs)) if len(outputs) == 1 else None
    if not by_rows:
        columns = {name: _column(name, np.asarray(array)) for name, array in outputs.items()}
        return write_json({COLUMNS: columns if only is None else columns[only]})
    _check_rows(outputs)
    rows = {name: _rows(name, array) for name, array in outputs.items()}
    if only is not None:
        return write_json({PREDICTIONS: rows[only]})
    names = list(rows)
    together = zip(*rows.values(), strict=True)
    return write_json({PREDICTIONS: [dict(zip(names, row, strict=True)) for row in together]})


def _check_rows(outputs: Mapping[str, NDArray[Any]]) -> None:
    expected: int | None = None
    for name, array in outputs.items():
        if not np.ndim(array):
            raise RequestError(
                400,
                f"Tensor name: {name} has no batch axis; ask with 'inputs' instead of 'instances'",
            )
        if expected is not None and len(array) != expected:
            raise RequestError(
                400,
                f"Tensor name: {name} has inconsistent batch size: {len(array)} expecting: "
                f"{expected}; ask with 'inputs' instead of 'instances'",
            )
        expected = len(array)


def _rows(name: str, array: NDArray[Any]) -> Any:
    """Return one value per row, each in a form that orjson writes."""
    if array.dtype == np.object_ or not array.size:
        return _column(name, array)
    array = _plain(array)
    if array.ndim == 1:
        return _column(name, array) if _is_finite(array) else [_column(name, row) for row in array]
    return [_column(name, row) for row in array]


def _column(name: str, array: Any) -> Any:
    array = np.asarray(array)
    if array.dtype == np.object_:
        return _texts(array.tolist(), as_bytes=holds_files(name))
    array = _plain(array)
    if not _is_finite(array):  # orjson would write null
        return orjson.Fragment(json.dumps(array.tolist()))
    # Neither an array without axes nor one without values is among those that orjson writes.
    return array if array.ndim and array.size else array.tolist()


def _texts(value: Any, *, as_bytes: bool) -> Any:
    if isinstance(value, list):
        return [_texts(each, as_bytes=as_bytes) for each in value]
    data = value if isinstance(value, bytes) else str(value).encode("utf-8")
    if as_bytes:
        return packed(data)
    return data.decode("utf-8", errors="replace")


def _plain(array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype.kind == "c":
        raise RequestError(400, f"Failed to write JSON value for tensor type: {array.dtype.name}")
    return plain(array)


def _is_finite(array: NDArray[Any]) -> bool:
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())
