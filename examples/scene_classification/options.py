"""What the commands of deployment may be told; not kept with the run."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from scene_classification.settings import Settings, setting


@dataclass(frozen=True)
class ExportOptions(Settings):
    """What is exported."""

    network: str = setting(
        "auto",
        "the run's own network, or the reference network; auto: its own, unless the run has seen "
        "only drawn scenes, as a server is asked about photographs",
        ("auto", "own", "reference"),
    )


@dataclass(frozen=True)
class ServeOptions(Settings):
    """What serves the exported network, and where."""

    engine: str = setting(
        "auto",
        "TensorFlow Serving's binary or Docker image, or the development server; auto: the first "
        "of these that is here",
        ("auto", "binary", "docker", "embedded"),
    )
    port: int = setting(8501, "where REST is answered", least=1, most=65535)
    grpc_port: int = setting(
        8500, "where gRPC is answered, not by the development server", least=1, most=65535
    )


@dataclass(frozen=True)
class RequestOptions(Settings):
    """What a server is asked."""

    image: str = setting(dataclasses.MISSING, "a JPEG, PNG or WebP file")
    out: str = setting("overlay.png", "where the overlay is written, a PNG file")
    server: str = setting(
        "http://127.0.0.1:8501", "the server: http:// or https:// for REST, grpc:// for gRPC"
    )
    name: str = setting("scenes", "the model's name on the server")
    label: str | None = setting(
        None, "explain this class, by name or index (default: the most probable)"
    )
