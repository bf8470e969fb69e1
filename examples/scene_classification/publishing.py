"""The reference model's files: weights, figures, and the card that says what they are worth."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
import keras
import numpy as np

from scene_classification.config import Config
from scene_classification.data.folder import Scenes
from scene_classification.evaluation.metrics import measure
from scene_classification.evaluation.prediction import predict
from scene_classification.files import write_text
from scene_classification.networks.reference import load_reference_model, save_reference_model
from scene_classification.run_folder import RunFolder
from scene_classification.training.history import read_history

TEMPLATE = Path(__file__).parent / "model_card.md.jinja"


def publish(
    config: Config,
    scenes: Scenes,
    run: RunFolder,
    folder: Path,
    *,
    progress: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Write the residual network of a run as a reference model, measured as it will be loaded.

    Args:
        config: The settings of the run.
        scenes: What it was trained and is tested on.
        run: The run; it must be trained.
        folder: Where to write `weights.npz`, `reference.json`, `metrics.json` and `README.md`.
        progress: Called with the number of test images of each batch when it is done.

    Returns:
        The figures, as `metrics.measure` gives them, on the test scenes and with the weights that
        were written.

    Raises:
        ValueError: If the run trained a backbone: only the residual network has a loader.
        FileNotFoundError: If the run is not trained.
    """
    if config.backbone is not None:
        raise ValueError(
            f"backbone={config.backbone!r}: a reference model is a residual network; publish a run "
            "that trained one"
        )
    if not run.model.exists():
        raise FileNotFoundError(
            f"no trained network in {str(run.root)!r}; run the train step first"
        )
    trained = keras.models.load_model(run.model, compile=False)
    save_reference_model(trained, folder, size=config.size, classes=scenes.classes)
    probabilities = predict(load_reference_model(folder), scenes.test, progress=progress)
    figures = measure(scenes.test.labels, probabilities, scenes.classes)
    write_text(folder / "metrics.json", json.dumps(figures, indent=2) + "\n")
    write_text(folder / "README.md", model_card(config, scenes, run, figures, folder))
    return figures


def model_card(
    config: Config, scenes: Scenes, run: RunFolder, figures: dict[str, Any], folder: Path
) -> str:
    """Return the model card as Markdown: data, training, figures, limits, licence."""
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
    )
    environment.filters |= {"interval": interval, "percent": lambda share: f"{share:.1%}"}
    epochs = read_history(run).get("train", [])
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        config=config,
        figures=figures,
        classes=scenes.classes,
        train=len(scenes.train),
        test=len(scenes.test),
        counts=np.bincount(scenes.train.labels).tolist(),
        epochs=len(epochs),
        validation=max((line["val_accuracy"] for line in epochs), default=None),
        kibibytes=(folder / "weights.npz").stat().st_size / 1024,
    )


def interval(figure: dict[str, float]) -> str:
    """Return a share and its 95 % interval in per cent.

    Example:
        >>> interval({"value": 0.912, "low": 0.894, "high": 0.929})
        '91.2 (89.4–92.9)'
    """
    value, low, high = (100 * figure[name] for name in ("value", "low", "high"))
    return f"{value:.1f} ({low:.1f}–{high:.1f})"
