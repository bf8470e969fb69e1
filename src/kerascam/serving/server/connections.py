"""Connections within bounds: how many there are, and how long a client is waited for."""

from __future__ import annotations

import asyncio
import http

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from .errors import RequestError
from .limits import Limits

HEAD, REST, ANSWER = "head", "rest", "answer"


class BoundedConnection(H11Protocol):
    """uvicorn's connection, which by itself waits forever for all but the next request.

    Here a client has a time for each of these: to send a head, from its first byte on or from the
    connection's beginning; to send the rest of a body that was refused; to take an answer. The
    time between two requests is bounded by uvicorn, and a body that is wanted by `Bodies`.
    """

    limits: Limits
    _is_new = True
    _awaited: str | None = None
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, or send it away if there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            self._refuse(
                RequestError(
                    503,
                    f"{self.limits.connections} connections are open",
                    {"Retry-After": "1"},
                )
            )
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._wait_for(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read what came, and see what is missing."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Go on to the next request; the body of this one may not be there yet."""
        self._is_new = False
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        """Begin to wait until the client has taken some of the answer."""
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        """Go on: it has."""
        super().resume_writing()
        self._watch()

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that is not used, also if its last answer was never taken."""
        super().timeout_keep_alive_handler()
        self._watch()

    def send_400_response(self, msg: str) -> None:
        """Say in the form of all errors that this is no HTTP."""
        self._refuse(RequestError(400, msg))

    def _watch(self) -> None:
        self._wait_for(self._missing())

    def _missing(self) -> str | None:
        """Return what the client is waited for by nobody else."""
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
