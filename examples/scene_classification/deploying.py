"""From a network to a server that explains: export, ask, and rehearse the whole way."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import tensorflow as tf

from kerascam import GradCAM, export
from kerascam.serving import Client, ServedExplanation, running_server
from scene_classification.explanation.pictures import Panel, draw_panels
from scene_classification.files import write_text, write_whole
from scene_classification.pictures.numbers import percent
from scene_classification.pictures.saving import save
from scene_classification.run_folder import RunFolder

#: The model's name on the server; the deployment files know it too.
NAME = "scenes"
PHOTOGRAPH = "china.jpg"
TIMES = 5
#: Of an overlay, in pixels: the photograph of the rehearsal is as wide.
SIDE = 640
HEADING = "One photograph, sent to the server as a file, and the overlay that it drew"
PANEL = 3.4  # inches


def export_network(model: keras.Model, classes: Sequence[str], run: RunFolder) -> Path:
    """Export a network with Grad-CAM as the next version below `run.models`.

    Args:
        model: A classifier that takes RGB 0–255.
        classes: Names in order of class index.
        run: Where it is kept.

    Returns:
        The version's folder.
    """
    explainer = GradCAM(model, class_names=classes)
    # As `data.batches.resize` does, in whole numbers: what the network has learned from.
    return export(
        explainer,
        run.models / NAME,
        resize="antialias",
        preprocess=tf.round,
        overlay_side=SIDE,
    )


def ask(
    server: str, name: str, image: Path, out: Path, label: str | None = None
) -> ServedExplanation:
    """Ask a server about one image file, and write the overlay that it drew.

    Args:
        server: "http://host:port", or "grpc://host:port".
        name: The model's name there.
        image: A JPEG, PNG or WebP file.
        out: Where the overlay is written, a PNG file.
        label: The class to explain, by name or index; None for the most probable.

    Returns:
        The explanation.

    Raises:
        ValueError: If `out` does not end in .png, or there is no such class.
        OSError: If `image` cannot be read.
        ServingError: If the server refuses, or cannot be reached.
    """
    if out.suffix.lower() != ".png":
        raise ValueError(f"out={str(out)!r} must end in .png")
    wanted = int(label) if label is not None and label.isdecimal() else label
    with Client(server, name) as client:
        explanation = client.explain([image], wanted)
    write_whole(out, lambda path: path.write_bytes(explanation.overlays[0]))
    return explanation


def exported_version(run: RunFolder) -> Path:
    """Return the folder of the version that a server runs, the newest.

    Raises:
        FileNotFoundError: If none was exported.
    """
    base = run.models / NAME
    versions = [
        file.parent for file in base.glob("*/saved_model.pb") if file.parent.name.isdecimal()
    ]
    if not versions:
        raise FileNotFoundError(f"no exported network in {str(base)!r}; run the export step first")
    return max(versions, key=lambda version: int(version.name))


def rehearse(
    version: Path, run: RunFolder, *, progress: Callable[[int], None] | None = None
) -> dict[str, Any]:
    """Start the development server, ask it about one photograph over REST, and stop it.

    Writes `served.json` and `pictures/served.png`: the photograph, and the overlay as it came.

    Args:
        version: What `export_network` wrote.
        run: Where both are kept.
        progress: Called with 1 when the server is ready, and after each request.

    Returns:
        What `served.json` holds: the `"photograph"`, `"class"`, `"probability"`, `"method"`,
        `"layer"`, `"version"`, the median `"seconds"` of `"requests"` requests, and how many
        `"bytes"` the overlay has.

    Raises:
        RuntimeError: If the server does not become ready, or refuses.
    """
    photograph = files("sklearn.datasets.images").joinpath(PHOTOGRAPH).read_bytes()
    done = progress or (lambda count: None)
    with (
        running_server(version.parent, NAME) as url,
        Client(url, NAME) as client,
    ):
        done(1)
        seconds = []
        for _ in range(TIMES):
            start = time.perf_counter()
            explanation = client.explain([photograph])
            seconds.append(time.perf_counter() - start)
            done(1)
        manifest = client.manifest()
    overlay = explanation.overlays[0]
    found = {
        "photograph": PHOTOGRAPH,
        "class": explanation.class_name(0),
        "probability": float(explanation.probabilities[0]),
        "method": manifest["title"],
        "layer": explanation.layer,
        "version": version.name,
        "requests": TIMES,
        "seconds": statistics.median(seconds),
        "bytes": len(overlay),
    }
    _draw(photograph, overlay, found, run)
    write_text(run.root / "served.json", json.dumps(found, indent=2) + "\n")
    return found


def _draw(photograph: bytes, overlay: bytes, found: dict[str, Any], run: RunFolder) -> None:
    panels = [
        Panel(_decode(photograph), "Sent"),
        Panel(_decode(overlay), f"Received: {found['method']}"),
    ]
    caption = f"{found['photograph']}\n{found['class']}\n{percent(found['probability'])}"
    save(draw_panels([panels], HEADING, [caption], panel=PANEL), run.pictures / "served.png")


def _decode(data: bytes) -> np.ndarray:
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))
