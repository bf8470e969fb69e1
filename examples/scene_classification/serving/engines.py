"""What a model is served with: TensorFlow Serving if it is found, or kerascam's own server."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kerascam.serving import DevelopmentServer
from kerascam.serving import Engine as Startable

BINARY = "tensorflow_model_server"
IMAGE = "tensorflow/serving:2.21.0"
DOCKER_SECONDS = 10.0
CHOICES = ("auto", "binary", "docker", "embedded")


class Engine(Startable, Protocol):
    """A model server that can be started, and what is said of it."""

    @property
    def title(self) -> str:
        """What it is, in a few words."""

    def warning(self, rest_port: int, grpc_port: int) -> str | None:
        """Return what whoever starts it must know of who can reach it, or None.

        Args:
            rest_port: As for `command`.
            grpc_port: As for `command`.
        """


@dataclass(frozen=True)
class Binary:
    """TensorFlow Serving's own program.

    Attributes:
        path: Where it is.
    """

    path: str
    title = "TensorFlow Serving"

    def command(self, base: Path, name: str, rest_port: int, grpc_port: int) -> list[str]:
        """Return the command line; see `Engine`."""
        return [
            self.path,
            f"--rest_api_port={rest_port}",
            f"--port={grpc_port}",
            f"--model_name={name}",
            f"--model_base_path={base.resolve()}",
            "--enable_model_warmup=true",
        ]

    def warning(self, rest_port: int, grpc_port: int) -> str | None:
        """Return that everybody can reach it: it has no option for an address of REST."""
        return (
            "listens on all interfaces, without authentication: keep ports "
            f"{rest_port} and {grpc_port} behind a firewall"
        )


@dataclass(frozen=True)
class Docker:
    """TensorFlow Serving's image.

    Attributes:
        path: Where Docker's program is.
        image: Name and tag; at least as new as the TensorFlow that exported the model.
    """

    path: str
    image: str = IMAGE
    title = "TensorFlow Serving in Docker"

    def command(self, base: Path, name: str, rest_port: int, grpc_port: int) -> list[str]:
        """Return the command line; see `Engine`."""
        return [
            self.path,
            "run",
            "--rm",
            "--init",  # without it SIGTERM ends neither the image's shell script nor the server
            "-p",
            f"127.0.0.1:{rest_port}:8501",
            "-p",
            f"127.0.0.1:{grpc_port}:8500",
            "--mount",  # -v would take a ":" in the path for its own
            _fields("type=bind", f"source={base.resolve()}", f"target=/models/{name}", "readonly"),
            "-e",
            f"MODEL_NAME={name}",
            self.image,
            "--enable_model_warmup=true",
        ]

    def warning(self, rest_port: int, grpc_port: int) -> str | None:
        """Return None: its ports are those of this machine alone."""
        return None


class Embedded(DevelopmentServer):
    """The development server of kerascam; it has no gRPC."""

    title = "the development server"

    def warning(self, rest_port: int, grpc_port: int) -> str | None:
        """Return None: it listens on this machine alone."""
        return None


def _fields(*fields: str) -> str:
    """Return the value of `--mount`, which Docker reads as a line of CSV."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(fields)
    return line.getvalue()


def choose_engine(wanted: str = "auto") -> Engine:
    """Find what to serve a model with.

    Args:
        wanted: "binary", "docker" or "embedded"; "auto" takes the first of them that is here.

    Raises:
        ValueError: If `wanted` is none of these.
        RuntimeError: If it is not on this machine.
    """
    if wanted not in CHOICES:
        raise ValueError(f"wanted={wanted!r} is unknown; choose one of {list(CHOICES)}")
    if wanted in ("auto", "binary"):
        if program := shutil.which(BINARY):
            return Binary(program)
        if wanted == "binary":
            raise RuntimeError(
                f"wanted='binary': there is no {BINARY} on the PATH; install TensorFlow Serving, "
                "or take 'docker' or 'embedded'"
            )
    if wanted in ("auto", "docker"):
        found = _docker()
        if isinstance(found, Docker):
            return found
        if wanted == "docker":
            raise RuntimeError(f"wanted='docker': {found}, or take 'binary' or 'embedded'")
    return Embedded()


def _docker() -> Docker | str:
    """Return Docker if its engine answers, or else what is wrong and how to fix it."""
    program = shutil.which("docker")
    if program is None:
        return "there is no docker on the PATH; install it"
    try:
        done = subprocess.run(
            [program, "info"], capture_output=True, timeout=DOCKER_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return f"{program} info did not answer in {DOCKER_SECONDS:g} s; start Docker's engine"
    if done.returncode:
        return f"{program} info failed with status {done.returncode}; start Docker's engine"
    return Docker(program)
