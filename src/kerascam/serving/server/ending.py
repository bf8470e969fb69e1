"""An end that cuts nobody off: every request that was received gets its answer."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Time that clients have, after the end was asked for, to see that a connection is to be left.
LINGER_SECONDS = 0.5


class Counted:
    """An application around another: it counts, and at the end asks clients to leave.

    Args:
        app: The other.

    Attributes:
        received: Number of predict requests.
        answered: Number of those whose answer was handed over whole.
        ending: Whether every answer is the last of its connection.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.received, self.answered, self.ending = 0, 0, False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        counts = int(scope["method"] == "POST")
        self.received += counts

        async def send_and_count(message: Message) -> None:
            if message["type"] == "http.response.start" and self.ending:
                message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                self.answered += counts

        await self._app(scope, receive, send_and_count)


class PatientServer(uvicorn.Server):
    """A server that, when it is to end, gives connections that are kept open time for a last word.

    uvicorn closes those at once, also when a request is on its way.

    Args:
        config: What it serves and how.
        counted: What it serves.
    """

    def __init__(self, config: uvicorn.Config, counted: Counted) -> None:
        super().__init__(config)
        self._counted = counted

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no connection, answer what comes over those that are open, then close them."""
        self._counted.ending = True
        for server in self.servers:
            server.close()
        loop = asyncio.get_running_loop()
        end = loop.time() + LINGER_SECONDS
        while self.server_state.connections and loop.time() < end:
            await asyncio.sleep(0.02)
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Let SIGINT and SIGTERM ask for the end.

        Unlike uvicorn's own it does not raise them again afterwards: the process ends well.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {
            number: signal.signal(number, self.handle_exit)
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
