"""A model server for development, in a process of its own: SavedModels over REST."""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable
from urllib.parse import quote

from ..words import AVAILABLE, MODELS, STATE, VERSION_STATUS
from .limits import DEFAULT_LIMITS, Limits

LOOPBACK = "127.0.0.1"
BETWEEN_LOOKS = 0.05


@runtime_checkable
class Engine(Protocol):
    """A model server that can be started by a command: the form of what `ServerProcess` takes.

    Example:
        >>> from kerascam.serving import DevelopmentServer, Engine
        >>> isinstance(DevelopmentServer(), Engine)
        True
    """

    def command(self, base: Path, name: str, rest_port: int, grpc_port: int) -> list[str]:
        """Return the command line that serves a model on this machine.

        Args:
            base: The model's folder, with one folder for each version.
            name: The model's name.
            rest_port: The port for REST.
            grpc_port: The port for gRPC, if the server has it.

        Returns:
            A program and its arguments.
        """


@dataclass(frozen=True)
class DevelopmentServer:
    """The server of `kerascam serve`, as a command; it has no gRPC.

    Attributes:
        limits: Bounds on every request.
        poll_seconds: Time between two looks for a new version.

    Example:
        >>> line = DevelopmentServer(poll_seconds=0.5).command(Path("models"), "scenes", 8501, 8500)
        >>> "--port=8501" in line, "--poll-seconds=0.5" in line
        (True, True)
    """

    limits: Limits = DEFAULT_LIMITS
    poll_seconds: float = 1.0

    def command(self, base: Path, name: str, rest_port: int, grpc_port: int) -> list[str]:
        """Return the command line that serves a model on this machine.

        Args:
            base: The model's folder, with one folder for each version.
            name: The model's name.
            rest_port: The port for REST.
            grpc_port: Not used: there is no gRPC.

        Returns:
            A program and its arguments.
        """
        bounds = dataclasses.asdict(self.limits).items()
        return [
            sys.executable,
            "-m",
            "kerascam",
            "serve",
            str(base.resolve()),
            f"--name={name}",
            f"--port={rest_port}",
            f"--poll-seconds={self.poll_seconds}",
            *(f"--{bound.replace('_', '-')}={value}" for bound, value in bounds),
        ]


class ServerProcess:
    """A model server that was started here.

    Args:
        base: The model's folder, with one folder for each version.
        name: The model's name.
        engine: What to serve it with; by default, the development server.

    Attributes:
        url: Where it answers REST.
        grpc: Host and port at which it answers gRPC, if it does.
        process: The server's process.

    Example:
        An engine of one's own, here a program that ends at once:

        >>> from kerascam.serving import ServerProcess
        >>> class Broken:
        ...     def command(self, base, name, rest_port, grpc_port):
        ...         return ["sh", "-c", "echo no model; exit 3"]
        >>> server = ServerProcess("models/scenes", "scenes", Broken())
        >>> server.wait_until_ready(60.0)
        Traceback (most recent call last):
            ...
        RuntimeError: the server ended with status 3: no model
        >>> server.stop()
        3
    """

    def __init__(self, base: str | Path, name: str, engine: Engine | None = None) -> None:
        self.name, rest_port, grpc_port = name, free_port(), free_port()
        self.url, self.grpc = f"http://{LOOPBACK}:{rest_port}", f"{LOOPBACK}:{grpc_port}"
        self._rest_port = rest_port
        self._written = b""
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process runs
        self.process = subprocess.Popen(
            (engine or DevelopmentServer()).command(Path(base), name, rest_port, grpc_port),
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )

    def wait_until_ready(self, seconds: float) -> None:
        """Wait until a version of the model is available.

        Args:
            seconds: The longest to wait.

        Returns:
            Nothing, once it is.

        Raises:
            RuntimeError: If the process ends, or takes longer.
        """
        end = time.monotonic() + seconds
        while not self.is_ready():
            with contextlib.suppress(subprocess.TimeoutExpired):
                status = self.process.wait(BETWEEN_LOOKS)
                raise RuntimeError(f"the server ended with status {status}: {self.output()}")
            if time.monotonic() > end:
                raise RuntimeError(f"the server is not ready after {seconds:g} s: {self.output()}")

    def is_ready(self) -> bool:
        """Return whether a version of the model is available."""
        connection = http.client.HTTPConnection(LOOPBACK, self._rest_port, timeout=5)
        try:
            connection.request("GET", f"{MODELS}/{quote(self.name, safe='')}")
            answer = json.loads(connection.getresponse().read())
            return any(
                version.get(STATE) == AVAILABLE for version in answer.get(VERSION_STATUS, ())
            )
        except (OSError, http.client.HTTPException, ValueError):
            return False
        finally:
            connection.close()

    def output(self) -> str:
        """Return what the process has written so far."""
        if not self._output.closed:
            # At a position of its own: the process writes on at the end of the same file.
            size = os.fstat(self._output.fileno()).st_size
            self._written = os.pread(self._output.fileno(), size, 0)
        return self._written.decode("utf-8", errors="replace").strip()

    def stop(self, seconds: float = 60.0) -> int:
        """End the process by SIGTERM, and wait for its end.

        The development server first answers what it has in hand; TensorFlow Serving drops it.

        Args:
            seconds: The longest to wait before it is killed.

        Returns:
            Its exit status.
        """
        self.process.terminate()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            self.output()
            self._output.close()


@contextlib.contextmanager
def running_server(
    base: str | Path, name: str, *, engine: Engine | None = None, start_seconds: float = 120.0
) -> Iterator[str]:
    """Serve a model for the duration of a `with`.

    Args:
        base: The model's folder, with one folder for each version.
        name: The model's name.
        engine: What to serve it with; by default, the development server.
        start_seconds: The longest to wait until the model is available.

    Returns:
        A context manager that returns the server's URL, up to its port.

    Raises:
        RuntimeError: If the server does not become ready.

    Example:
        >>> from kerascam.serving import running_server
        >>> serving = running_server("models/scenes", "scenes")  # starts at the `with`
        >>> # with serving as url, Client(url, "scenes") as client: client.explain(images)
    """
    server = ServerProcess(base, name, engine)
    try:
        server.wait_until_ready(start_seconds)
        yield server.url
    finally:
        server.stop()


def free_port() -> int:
    """Return a port that is free at the moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
