"""The reference model: a residual network trained on the Intel scenes, in the repository."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np

from scene_classification.files import write_whole
from scene_classification.networks.residual import residual_network

FOLDER = Path(__file__).parents[1] / "reference"


def load_reference_model(folder: Path = FOLDER) -> keras.Model:
    """Load the residual network that was trained on the Intel scenes.

    It takes RGB 0–255, shaped (batch, 128, 128, 3), and returns the probabilities of buildings,
    forest, glacier, mountain, sea and street, in this order, shaped (batch, 6). How well it does,
    and what it was trained on, says `reference/README.md`. The weights are kept in float16 and
    computed with in float32.

    Args:
        folder: Where `publish` wrote the model.

    Returns:
        An uncompiled model with a softmax output.

    Example:
        >>> model = load_reference_model()
        >>> model.input_shape, model.output_shape
        ((None, 128, 128, 3), (None, 6))
        >>> reference_classes()
        ('buildings', 'forest', 'glacier', 'mountain', 'sea', 'street')
    """
    about = _about(folder)
    side = about["image_size"]
    model = residual_network(
        about["size"],
        input_shape=(side, side, 3),
        classes=len(about["classes"]),
        projection=about["projection"],
    )
    with np.load(folder / "weights.npz") as weights:
        model.set_weights([weights[name].astype(np.float32) for name in weights.files])
    return model


def reference_classes(folder: Path = FOLDER) -> tuple[str, ...]:
    """Return the class names of the reference model in order of class index."""
    return tuple(_about(folder)["classes"])


def save_reference_model(
    model: keras.Model, folder: Path, *, size: str, projection: str, classes: tuple[str, ...]
) -> None:
    """Write a trained residual network so that `load_reference_model` reads it.

    Args:
        model: A network that `residual_network(size, projection=projection)` built.
        folder: Where to write `weights.npz` and `reference.json`.
        size: Its size.
        projection: How its projections come to a coarser grid.
        classes: Class names in order of class index.

    Raises:
        ValueError: If a weight does not fit into float16.
    """
    weights = model.get_weights()
    largest = max(float(np.abs(weight).max()) for weight in weights)
    most = float(np.finfo(np.float16).max)
    if not largest <= most:  # not a number either
        raise ValueError(f"model has a weight of {largest:.3g}, beyond float16's {most:.0f}")
    halves = {
        f"weight{number:03d}": weight.astype(np.float16) for number, weight in enumerate(weights)
    }
    about = {
        "size": size,
        "projection": projection,
        "image_size": model.input_shape[1],
        "classes": list(classes),
    }
    write_whole(folder / "weights.npz", lambda path: np.savez(path, allow_pickle=False, **halves))
    write_whole(
        folder / "reference.json", lambda path: path.write_text(json.dumps(about, indent=2) + "\n")
    )


def _about(folder: Path) -> dict[str, Any]:
    path = folder / "reference.json"
    if not path.is_file():
        raise FileNotFoundError(
            f"no reference model in {str(folder)!r}; publish a trained run there"
        )
    return dict(json.loads(path.read_text(encoding="utf-8")))
