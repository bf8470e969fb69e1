"""The reference model's files: weights, figures, and the card that says what they are worth."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
import keras
import numpy as np

from scene_classification.classes import CLASSES
from scene_classification.config import Config
from scene_classification.data.audit import Audit
from scene_classification.data.batches import decode_images
from scene_classification.data.folder import Scenes, validation_split
from scene_classification.evaluation.conditions import by_brightness, by_crop
from scene_classification.evaluation.metrics import measure
from scene_classification.evaluation.prediction import image_side, predict
from scene_classification.evaluation.temperature import fit_temperature, with_temperature
from scene_classification.explanation.borders import common_maps, draw_means
from scene_classification.files import UNFINISHED, write_text
from scene_classification.networks.reference import load_reference_model, save_reference_model
from scene_classification.networks.which import REFERENCE
from scene_classification.pictures.numbers import interval
from scene_classification.pictures.saving import save
from scene_classification.report.accuracy import verdict
from scene_classification.report.made import commands
from scene_classification.report.sureness import calibration
from scene_classification.run_folder import RunFolder
from scene_classification.training.history import read_history

TEMPLATE = Path(__file__).parent / "model_card.md.jinja"
#: Written by a person: what the settings cannot tell of the weights.
PROVENANCE = "provenance.md"


def publish(
    network: keras.Model,
    config: Config,
    audit: Audit,
    scenes: Scenes,
    run: RunFolder,
    folder: Path,
    *,
    progress: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Write the residual network of a run as a reference model, measured as it will be loaded.

    Args:
        network: The trained network.
        config: The settings of its run.
        audit: What was found in the scenes.
        scenes: What it was trained and is tested on.
        run: The run.
        folder: Where to write `weights.npz`, `reference.json`, `metrics.json`, `conditions.json`,
            `mean_maps.png` and `README.md`. They are made elsewhere first: what stands there stays
            until all are done.
        progress: Called with the number of test images of each batch when it is done.

    Returns:
        The figures, as `metrics.measure` returns them, on the test scenes and with the weights that
        were written.

    Raises:
        ValueError: If the run trained a backbone: only the residual network has a loader.
    """
    if config.backbone is not None:
        raise ValueError(
            f"backbone={config.backbone!r}: a reference model is a residual network; publish a run "
            "that trained one"
        )
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=folder) as beside:
        made = Path(beside)
        temperature = _temperature(network, config, scenes)
        save_reference_model(
            with_temperature(network, temperature),
            made,
            size=config.size,
            projection=config.projection,
            classes=scenes.classes,
        )
        shipped = load_reference_model(made)
        probabilities = predict(shipped, scenes.test, progress=progress)
        figures = measure(scenes.test.labels, probabilities, scenes.classes, seed=config.seed)
        write_text(made / "metrics.json", json.dumps(figures, indent=2) + "\n")
        before = measure(
            scenes.test.labels, predict(network, scenes.test), scenes.classes, seed=config.seed
        )
        conditions = {
            "temperature": temperature,
            "calibration_error_without": before["expected_calibration_error"],
            **_conditions(shipped, scenes, probabilities, config.seed, made),
        }
        write_text(made / "conditions.json", json.dumps(conditions, indent=2) + "\n")
        size = (made / "weights.npz").stat().st_size
        provenance = folder / PROVENANCE
        told = provenance.read_text(encoding="utf-8") if provenance.is_file() else ""
        card = model_card(config, audit, scenes, run, figures, conditions, size, told)
        write_text(made / "README.md", card)
        for path in made.iterdir():
            os.replace(path, folder / path.name)
    return figures


def _temperature(network: keras.Model, config: Config, scenes: Scenes) -> float:
    """Fit the temperature on the photographs that were held out of training."""
    _, held = validation_split(scenes.train, config.validation_share, config.seed)
    return fit_temperature(predict(network, held), held.labels)


def _conditions(
    network: keras.Model, scenes: Scenes, probabilities: Any, seed: int, folder: Path
) -> dict[str, Any]:
    """Measure where the network is right and where its heat lies, and draw the mean maps."""
    images, labels = decode_images(scenes.test, image_side(network)), scenes.test.labels

    def answer(batch: Any) -> Any:
        return np.asarray(network.predict(batch, verbose=0))

    common = common_maps(network, images, labels, seed)
    save(draw_means(common.means, scenes.classes), folder / "mean_maps.png")
    right = probabilities.argmax(1) == labels
    return {
        "brightness": by_brightness(images, right, seed),
        "crop": by_crop(answer, images, labels, seed),
        "border": {"heat": common.border, "area": common.area},
    }


def model_card(
    config: Config,
    audit: Audit,
    scenes: Scenes,
    run: RunFolder,
    figures: dict[str, Any],
    conditions: dict[str, Any],
    size: int,
    provenance: str = "",
) -> str:
    """Return the model card as Markdown: figures, data, training, limits, licence.

    Args:
        config: The settings of the run.
        audit: What was found in the scenes.
        scenes: What the network was trained and is tested on.
        run: The run, for its logs.
        figures: As `metrics.measure` returns them.
        conditions: What `publish` writes as `conditions.json`.
        size: The size of the weights, in bytes.
        provenance: What the settings cannot tell, as Markdown.
    """
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
    )
    environment.filters |= {"interval": interval, "percent": lambda share: f"{share:.1%}"}
    epochs = read_history(run).get("train", [])
    found = audit.to_json()
    dropped = found["dropped"]["train"]
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        config=config,
        figures=figures,
        conditions=conditions,
        verdict=verdict(figures),
        calibration=calibration(figures),
        classes=scenes.classes,
        intel=scenes.classes == CLASSES,
        size_of_images=_most_common_size(found["sizes"]),
        train=len(scenes.train),
        test=len(scenes.test),
        counts=np.bincount(scenes.train.labels, minlength=len(scenes.classes)).tolist(),
        dropped={why: count for why, count in dropped.items() if count},
        epochs=len(epochs),
        validation=max((line["val_accuracy"] for line in epochs), default=None),
        training=training_commands(config),
        provenance=provenance,
        kibibytes=size / 1024,
    )


def _most_common_size(sizes: list[dict[str, int]]) -> str | None:
    """Return the size of more than half of the images, if there is one."""
    images = sum(one["images"] for one in sizes)
    most = [one for one in sizes[:1] if 2 * one["images"] > images]
    return f"{most[0]['width']} × {most[0]['height']}" if most else None


def training_commands(config: Config) -> list[str]:
    r"""Return the command lines that train a network, its teachers' first where it has some.

    Example:
        >>> print(*training_commands(Config(source="folder", data="/home/me/scenes", epochs=9)))
        python -m scene_classification train --run runs/reference \
            --source folder \
            --data DATA \
            --epochs 9
    """
    lines = []
    for teacher, run in _teachers(config).items():
        beside = Path(teacher).parent / "config.json"
        if beside.exists():
            lines.append(_command(Config.read(beside), run))
    return [*lines, _command(config, "runs/reference")]


def _teachers(config: Config) -> dict[str, str]:
    """Return the run in which each teacher is trained, by the teacher's file."""
    names = ["runs/teacher", "runs/teacher2"]
    return dict(zip(config.teachers, names, strict=False))


def _command(config: Config, run: str) -> str:
    taught = {teacher: f"{run}/model.keras" for teacher, run in _teachers(config).items()}
    shown = config.updated(
        {
            "data": "DATA",
            "teacher": taught.get(config.teacher or ""),
            "second_teacher": taught.get(config.second_teacher or ""),
            "backbone": None if config.backbone is None else "BACKBONE",
            "start": "START" if config.start not in (None, REFERENCE) else config.start,
        }
    )
    return commands(shown, run)["run"].replace(" run ", " train ", 1)
