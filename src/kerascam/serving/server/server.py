"""The whole server: a socket, threads, the versions of a model, and a graceful shutdown."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from urllib.parse import quote

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..words import LONGEST_SECONDS, MODELS
from .app import make_app
from .connections import connection_within
from .limits import DEFAULT_LIMITS, CannotServeError, Limits
from .servable import Servable
from .versions import Versions, newest_version

#: Time that clients have, after the end was asked for, to see that a connection is to be left.
LINGER_SECONDS = 0.5
KEEP_ALIVE_SECONDS = 75
BETWEEN_LOOKS = 0.02
logger = logging.getLogger(__name__)


class Counted:
    """A wrapper of an application: it counts requests, and at shutdown asks clients to disconnect.

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
    """A server that at shutdown leaves connections that are kept open time for a last request.

    uvicorn closes those at once, even if a request is on its way.

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
        """Stop on SIGINT and SIGTERM.

        Unlike uvicorn's own, it does not raise them again afterwards: the process exits normally.
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


class ModelServer:
    """Serves one model; its port is taken when it is made, and opens when a version is loaded.

    Args:
        base: The model's folder, with one folder for each version.
        name: The model's name.
        host: Address to listen on.
        port: The port to listen on; 0 takes a free one.
        limits: Bounds on every request.
        poll_seconds: Time between two looks for a new version.
        load_tries: How many looks in a row may fail to load a version before it is given up.

    Attributes:
        url: Where it answers, up to its port.
        model_url: Where it answers about the model.

    Raises:
        ValueError: If there is no such folder, or the name or the address cannot be served.
    """

    def __init__(
        self,
        base: Path,
        name: str,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        limits: Limits = DEFAULT_LIMITS,
        poll_seconds: float = 1.0,
        load_tries: int = 5,
    ) -> None:
        _check(base, name, port, poll_seconds, load_tries)
        self._base = base
        load = partial(Servable, run_seconds=limits.run_seconds)
        self._versions = Versions(base, name, load, poll_seconds, load_tries)
        self._pool = ThreadPoolExecutor(limits.threads, thread_name_prefix="run")
        self._counted = Counted(make_app(self._versions, limits, self._pool))
        config = uvicorn.Config(
            self._counted,
            http=connection_within(limits),
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=limits.stop_seconds,
        )
        self._server = PatientServer(config, self._counted)
        self._listener = _bound(host, port)
        shown_host = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown_host}:{self._listener.getsockname()[1]}"
        self.model_url = f"{self.url}{MODELS}/{quote(name, safe='')}"

    def run(self, ready: Callable[[], None] = lambda: None) -> None:
        """Serve until SIGTERM, SIGINT or `stop`; then finish the requests in progress.

        Args:
            ready: Called when the port is open.

        Raises:
            CannotServeError: If the version to begin with cannot be loaded.
            ValueError: If another server has taken the port meanwhile.
        """
        self._versions.start()
        try:
            if self._is_loaded():
                self._open()
                ready()
                self._server.run(sockets=[self._listener])
        finally:
            self._listener.close()
            self._pool.shutdown(wait=True)
            self._versions.close()
            logger.info(
                "answered %d of %d predict requests", self._counted.answered, self._counted.received
            )

    def _is_loaded(self) -> bool:
        """Wait for the first version, with a port that is not open yet, as TensorFlow Serving does.

        Returns:
            Whether there is one; False if the server was stopped before.
        """
        if newest_version(self._base) is None:
            logger.info("waiting for a version in %s", self._base)
        while not self._server.should_exit:
            if self._versions.is_serving():
                return True
            if reason := self._versions.failure():
                raise CannotServeError(f"cannot load {reason.rstrip('.')}; export it again")
            time.sleep(BETWEEN_LOOKS)
        return False

    def _open(self) -> None:
        try:
            self._listener.listen(1024)
        except OSError as error:
            host, port = self._listener.getsockname()[:2]
            raise _taken(host, port, error) from error

    def stop(self) -> None:
        """Stop the server, from another thread."""
        self._server.should_exit = True


def _check(base: Path, name: str, port: int, poll_seconds: float, load_tries: int) -> None:
    if not base.is_dir():
        raise ValueError(
            f"base={str(base)!r} is not a folder; give the one that holds <version>/saved_model.pb"
        )
    if not name or set(name) & set("/:"):
        raise ValueError(f"name={name!r} cannot be part of a path; leave out '/' and ':'")
    if not _is_unicode(name):  # a folder's name may be any bytes
        raise ValueError(f"name={name!r} is not Unicode, as an address must be; give another")
    if not 0 <= port < 2**16:
        raise ValueError(f"port={port!r} is out of range; give 0 to {2**16 - 1}")
    if not 0 < poll_seconds <= LONGEST_SECONDS:
        raise ValueError(
            f"poll_seconds={poll_seconds!r} is out of range; give more than 0 and at most "
            f"{LONGEST_SECONDS}"
        )
    if load_tries < 1:
        raise ValueError(f"load_tries={load_tries!r} is out of range; give 1 or more")


def _is_unicode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _bound(host: str, port: int) -> socket.socket:
    """Return a socket that has a port and does not listen yet: connections are refused."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Said to be TCP: else asyncio does not know it for that, leaves Nagle's algorithm on, and every
    # answer waits 40 ms for the acknowledgement of its head.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere it would let two servers have one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except (OSError, UnicodeError) as error:  # the latter of a name that can be no host's
        listener.close()
        raise _taken(host, port, error) from error
    return listener


def _taken(host: str, port: int, error: Exception) -> ValueError:
    return ValueError(
        f"cannot listen on host={host!r}, port={port!r}: {error}; give others, or port=0 for a "
        "free one"
    )
