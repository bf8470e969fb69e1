"""What an explanation costs beside a prediction, asked from the same server.

Serves models with the engine that is here (TensorFlow Serving's binary or image, or else the
development server), asks over REST with ready-made bodies, and takes the time until the last byte
of the answer. Two ways to ask: images as JSON numbers, and one JPEG photograph as a file, whose
explanation brings the overlay as PNG. Prints a table of ratios and writes them as JSON.

    python benchmarks/serving.py [--rounds 30] [--engine auto] [--json serving.json]
"""

import argparse
import base64
import json
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from timing import machine, medians

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

BATCHES = (1, 8)
CLIENTS = 4  # at once, for the throughput
ASKED = ("predict", "explain")
WAYS = {"numbers": "", "files": "_bytes"}


def models() -> Iterator[tuple[str, Any]]:
    """Yield models of random weights, and the reference model of the scenes."""
    import keras

    from scene_classification import load_reference_model

    keras.utils.set_random_seed(0)
    yield "ResNet50, 224×224", keras.applications.ResNet50(weights=None)
    yield "MobileNetV2, 224×224", keras.applications.MobileNetV2(weights=None)
    yield "scene reference, 128×128", load_reference_model()


def body(asked: str, way: str, batch: int, side: int) -> bytes:
    """Write a request's body."""
    import numpy as np

    signature = {"predict": "serving_default", "explain": "explain"}[asked] + WAYS[way]
    photograph = files("sklearn.datasets.images").joinpath("china.jpg").read_bytes()
    images = np.random.default_rng(0).integers(0, 256, (batch, side, side, 3))
    inputs: dict[str, Any] = (
        {"image": images.tolist()}
        if way == "numbers"
        else {"image_bytes": [{"b64": base64.b64encode(photograph).decode()}] * batch}
    )
    if asked == "explain":
        inputs["class_index"] = [-1] * batch
    return json.dumps({"signature_name": signature, "inputs": inputs}).encode()


@contextmanager
def served(model: Any, engine: str) -> Iterator[str]:
    """Export and serve a model, and yield the address of its predictions."""
    from kerascam import GradCAM, export
    from kerascam.serving import running_server
    from scene_classification.serving.engines import choose_engine

    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder, "model")
        export(GradCAM(model), base)
        with running_server(base, "model", engine=choose_engine(engine)) as url:
            yield f"{url}/v1/models/model:predict"


def asking(url: str, content: bytes) -> Callable[[], bytes]:
    """Make a client that sends one body over a connection that is kept."""
    import httpx

    client = httpx.Client(timeout=120)

    def ask() -> bytes:
        answer = client.post(url, content=content)
        answer.raise_for_status()
        return answer.content

    return ask


def throughput(url: str, content: bytes, requests: int) -> float:
    """Count requests per second, asked by several clients at once."""
    asks = [asking(url, content) for _ in range(CLIENTS)]
    for ask in asks:
        ask()
    threads = [
        threading.Thread(target=lambda ask=ask: [ask() for _ in range(requests // CLIENTS)])
        for ask in asks
    ]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return requests / (time.perf_counter() - start)


def measure(name: str, model: Any, engine: str, rounds: int) -> list[dict[str, Any]]:
    """Compare explain with predict, for each way to ask and each batch."""
    rows = []
    with served(model, engine) as url:
        for way in WAYS:
            for batch in BATCHES:
                bodies = {asked: body(asked, way, batch, model.input_shape[1]) for asked in ASKED}
                times = medians({asked: asking(url, bodies[asked]) for asked in ASKED}, rounds)
                rate = {asked: [] for asked in ASKED}
                for turn in range(3):
                    for asked in ASKED if turn % 2 else reversed(ASKED):
                        rate[asked].append(throughput(url, bodies[asked], max(rounds, CLIENTS)))
                middle = {asked: sorted(each)[1] for asked, each in rate.items()}
                rows.append(
                    {
                        "model": name,
                        "way": way,
                        "batch": batch,
                        "predict_ms": 1e3 * times["predict"],
                        "explain_ms": 1e3 * times["explain"],
                        "latency_ratio": times["explain"] / times["predict"],
                        "predict_rate": middle["predict"],
                        "explain_rate": middle["explain"],
                        "throughput_ratio": middle["predict"] / middle["explain"],
                    }
                )
                print(row(rows[-1]), flush=True)
    return rows


TITLES = "| model | asked with | batch | predict | explain | ratio | throughput ratio |"


def row(one: dict[str, Any]) -> str:
    """Write one line of the table."""
    return (
        f"| {one['model']} | {one['way']} | {one['batch']} | {one['predict_ms']:.1f} ms | "
        f"{one['explain_ms']:.1f} ms | {one['latency_ratio']:.2f} | {one['throughput_ratio']:.2f} |"
    )


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    from scene_classification.serving.engines import choose_engine

    engine = choose_engine(arguments.engine).title
    print(f"{machine()}, {engine}")
    print(TITLES)
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    rows = [
        one
        for name, model in models()
        for one in measure(name, model, arguments.engine, arguments.rounds)
    ]
    if arguments.json:
        found = {"machine": machine(), "engine": engine, "rows": rows}
        arguments.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
