"""The whole server: a socket, threads, the versions of a model, and the order of their ends."""

from __future__ import annotations

import logging
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import uvicorn

from scene_classification.serving.app import make_app
from scene_classification.serving.connections import connection_within
from scene_classification.serving.ending import Counted, PatientServer
from scene_classification.serving.limits import DEFAULT_LIMITS, Limits
from scene_classification.serving.servable import Servable
from scene_classification.serving.versions import Versions

KEEP_ALIVE_SECONDS = 75
logger = logging.getLogger(__name__)


class ModelServer:
    """Serves one model; it listens as soon as it is made, and answers once it runs.

    Args:
        base: The model's folder, with one folder for each version.
        name: Of the model.
        host: Address to listen on.
        port: To listen on; 0 takes a free one.
        limits: Bounds on every request.
        poll_seconds: Time between two looks for a new version.

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
    ) -> None:
        _check(base, name, port, poll_seconds)
        load = partial(Servable, run_seconds=limits.run_seconds)
        self._versions = Versions(base, name, load, poll_seconds)
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
        self._listener = _listen(host, port)
        shown_host = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown_host}:{self._listener.getsockname()[1]}"

    def run(self) -> None:
        """Serve until SIGTERM, SIGINT or `stop`; then finish what is in hand."""
        self._versions.start()
        try:
            self._server.run(sockets=[self._listener])
        finally:
            self._pool.shutdown(wait=True)
            self._versions.close()
            logger.info(
                "answered %d of %d predict requests", self._counted.answered, self._counted.received
            )

    def stop(self) -> None:
        """Ask for the end, from another thread."""
        self._server.should_exit = True


def _check(base: Path, name: str, port: int, poll_seconds: float) -> None:
    if not base.is_dir():
        raise ValueError(
            f"base={str(base)!r} is no folder; give the one that holds <version>/saved_model.pb"
        )
    if not name or set(name) & set("/:"):
        raise ValueError(f"name={name!r} cannot be part of a path; leave out '/' and ':'")
    if not 0 <= port < 2**16:
        raise ValueError(f"port={port!r} is out of range; give 0 to {2**16 - 1}")
    if not poll_seconds > 0:
        raise ValueError(f"poll_seconds={poll_seconds!r} is out of range; give more than 0")


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Said to be TCP: else asyncio does not know it for that, leaves Nagle's algorithm on, and every
    # answer waits 40 ms for the acknowledgement of its head.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere it would let two servers have one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise ValueError(
            f"cannot listen on host={host!r}, port={port!r}: {error}; give others, or port=0 for a "
            "free one"
        ) from error
    return listener
