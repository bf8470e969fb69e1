"""Connections, and the bodies of requests, within bounds of number, size and time."""

from __future__ import annotations

import asyncio
import contextlib
import http
from collections.abc import AsyncIterator

import h11
from fastapi import Request
from starlette.requests import ClientDisconnect
from uvicorn.protocols.http.h11_impl import H11Protocol

from ...errors import brief
from .limits import Limits, RequestError, too_busy

HEAD, REST, ANSWER = "head", "rest", "answer"


class BoundedConnection(H11Protocol):
    """uvicorn's connection with more time limits: its own is on the wait for the next request.

    Here a client has a time for each of these: to send a head, from its first byte on or from the
    connection's beginning; to send the rest of a body that was refused; to take an answer. The
    time between two requests is bounded by uvicorn, and a body that is wanted by `Bodies`.
    """

    limits: Limits
    _is_new = True
    _awaited: str | None = None
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept the connection, or refuse it if there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            self._refuse(too_busy(f"{self.limits.connections} connections are open"))
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._wait_for(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read the data, and check what is missing."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Continue with the next request; the body of this one may not be complete yet."""
        self._is_new = False
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        """Start waiting for the client to read some of the answer."""
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        """Continue: it has."""
        super().resume_writing()
        self._watch()

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that is not used, also if its last answer was never taken."""
        super().timeout_keep_alive_handler()
        self._watch()

    def send_400_response(self, msg: str) -> None:
        """Answer data that is not HTTP with an error of the usual form."""
        self._refuse(RequestError(400, msg))

    def _watch(self) -> None:
        self._wait_for(self._missing())

    def _missing(self) -> str | None:
        """Return what the client is expected to do next that nothing else waits for."""
        if self.transport.is_closing():
            return ANSWER if self.transport.get_write_buffer_size() else None
        if self.flow.write_paused:
            return ANSWER
        if self.conn.their_state is h11.IDLE:
            return HEAD if self._is_new or self.conn.trailing_data[0] else None
        answered = self.conn.our_state is h11.DONE
        return REST if answered and self.conn.their_state is h11.SEND_BODY else None

    def _wait_for(self, awaited: str | None) -> None:
        if awaited == self._awaited:
            return  # its time is running: one more byte does not lengthen it
        self._awaited = awaited
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if awaited is not None:
            limits = self.limits
            seconds = limits.head_seconds if awaited == HEAD else limits.body_seconds
            self._timer = self.loop.call_later(seconds, self._give_up, awaited)

    def _give_up(self, awaited: str) -> None:
        self._awaited = self._timer = None
        if awaited != HEAD:
            self.transport.abort()
            return
        self._refuse(
            RequestError(
                408, f"the head of the request did not arrive in {self.limits.head_seconds:g} s"
            )
        )
        self._watch()

    def _refuse(self, error: RequestError) -> None:
        """Answer an error in place of the application, and close."""
        if self.cycle is not None:  # it may be at work on a request whose rest is no HTTP
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            headers = {
                "Content-Type": "application/json",
                "Content-Length": str(len(error.body)),
                "Connection": "close",
                **error.headers,
            }
            reason = http.HTTPStatus(error.status).phrase
            for event in (
                h11.Response(
                    status_code=error.status, headers=list(headers.items()), reason=reason
                ),
                h11.Data(data=error.body),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


def connection_within(limits: Limits) -> type[BoundedConnection]:
    """Return the class of the connections of a server with these bounds."""
    return type("Connection", (BoundedConnection,), {"limits": limits})


class Bodies:
    """Receives bodies, and knows how many bytes of them are in hand.

    What counts is what has arrived: a client that sends little, and slowly, takes little room.

    Args:
        limits: Bounds on sizes and time.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._held = 0

    @contextlib.asynccontextmanager
    async def receive(self, request: Request) -> AsyncIterator[bytearray]:
        """Receive a whole body, sent in one piece or in chunks; it is in hand until the exit.

        Args:
            request: A request of which nothing was read.

        Raises:
            RequestError: If the body is compressed, too large or too slow, if there is no room for
                it, or if the client has disconnected.
        """
        encoding = request.headers.get("content-encoding", "identity")
        if encoding.lower() != "identity":  # its bounds would say nothing of what comes out of it
            raise RequestError(400, f"the body is encoded as {brief(encoding)}; send it as it is")
        declared = request.headers.get("content-length", "")
        self._check(int(declared[:20]) if declared.isdecimal() else 0, 0)
        body = bytearray()
        try:
            await self._fill(body, request)
            yield body
        finally:
            self._held -= len(body)

    async def _fill(self, body: bytearray, request: Request) -> None:
        seconds = self._limits.body_seconds
        try:
            await asyncio.wait_for(self._fill_in_time(body, request), seconds)
        except asyncio.TimeoutError:
            raise RequestError(
                408,
                f"the body did not arrive in {seconds:g} s",
                {"Connection": "close"},  # what is still to come would be taken for a new request
            ) from None
        except ClientDisconnect:
            raise RequestError(499, "the client has disconnected") from None

    async def _fill_in_time(self, body: bytearray, request: Request) -> None:
        async for chunk in request.stream():
            self._check(len(body) + len(chunk), len(body))
            body += chunk
            self._held += len(chunk)

    def _check(self, size: int, held_of_it: int) -> None:
        most, together = self._limits.body_bytes, self._limits.bodies_bytes
        if size > most:
            raise RequestError(
                413, f"the body is larger than {most} bytes; send fewer or smaller images"
            )
        if self._held - held_of_it + size > together:
            raise too_busy(f"{self._held} bytes of requests are in memory")
