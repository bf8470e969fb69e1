"""The step that shows where the network looks, and measures whether that is where it should."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure

from kerascam import (
    EigenCAM,
    Explainer,
    Explanation,
    GradCAM,
    GradCAMPlusPlus,
    GuidedBackprop,
    GuidedGradCAM,
    LayerCAM,
    suggest_layers,
)
from scene_classification.data.folder import Scenes
from scene_classification.evaluation.mistakes import worst_positions
from scene_classification.evaluation.prediction import image_side
from scene_classification.explanation.gallery import draw_examples, draw_mistakes, read_shown
from scene_classification.explanation.images import ask, examples
from scene_classification.explanation.measurement import measure_maps, read_sample, summarize
from scene_classification.explanation.pictures import draw_evidence_share
from scene_classification.files import write_text
from scene_classification.networks.which import OWN
from scene_classification.pictures.saving import save
from scene_classification.run_folder import RunFolder

# Behind global pooling and one dense layer the gradient is the same at every place. There HiResCAM
# is Grad-CAM, which is why it is left out, and LayerCAM at the last features is almost Grad-CAM++:
# it fuses finer features with them, which is what it was made for.
METHODS: tuple[type[Explainer], ...] = (
    GradCAM,
    GradCAMPlusPlus,
    LayerCAM,
    EigenCAM,
    GuidedBackprop,
    GuidedGradCAM,
)
MISTAKES = 6


def explain(
    model: keras.Model,
    scenes: Scenes,
    run: RunFolder,
    *,
    network: str = OWN,
    seed: int = 0,
    per_class: int = 3,
    measured: int = 300,
    progress: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Draw what the network looks at, and measure it where scenes have evidence masks.

    Writes `pictures/explain_<class>.png`, `pictures/methods.png`, `pictures/explain_mistakes.png`
    where there are mistakes, `pictures/evidence_share.png` where there are masks, and last
    `explanations.json`.

    Args:
        model: The trained classifier, with a fixed square input of RGB 0–255.
        scenes: The data set; its test images are explained.
        run: Where everything is kept.
        network: Its name in `explanations.json`, as `networks.which.network_of` returns it.
        seed: The seed of the choice of images and of the bootstrap.
        per_class: Example images of each class, at least 1.
        measured: Test images to measure on, at most, over all classes.
        progress: Called with 1 after each of `METHODS`.

    Returns:
        What `explanations.json` holds: `"network"`, `"seed"`, `"methods"` (title, citation, layer
        and notes of each, by name), `"examples"` and `"mistakes"` (images with the answers), and
        `"evidence"` (see `measurement.summarize`), which is None without masks.

    Raises:
        ValueError: If `per_class` or `measured` is below 1, or the model's input is not a fixed
            square.
    """
    for name, number in (("per_class", per_class), ("measured", measured)):
        if number < 1:
            raise ValueError(f"{name} must be at least 1, got {number}")
    side, generator = image_side(model), np.random.default_rng(seed)
    answers = ask(model, scenes)
    shown = read_shown(scenes, answers, examples(answers, per_class, generator), side)
    sample = read_sample(scenes, side, measured, generator)
    explainers = build_explainers(model, scenes.classes)
    titles = {each.method.name: _title(each) for each in explainers}
    explanations: list[Explanation] = []
    for explainer in explainers:
        explanations.append(explainer(shown.photos, shown.labels))
        if progress is not None:
            progress(1)
    pictures = draw_examples(shown, scenes.classes, explanations, list(titles.values()))
    worst = worst_positions(answers.labels, answers.probabilities, MISTAKES)
    wrong = read_shown(scenes, answers, worst, side)
    if len(wrong.labels):
        pictures["explain_mistakes"] = draw_mistakes(wrong, scenes.classes, explainers[0])
    measures = None
    if sample is not None:
        measures = summarize(measure_maps(explainers, sample, seed), scenes.classes)
        pictures["evidence_share"] = draw_evidence_share(measures, titles)
    _save(pictures, run)
    found = {
        "network": network,
        "seed": seed,
        "methods": {
            explainer.method.name: _facts(explainer, explanation)
            for explainer, explanation in zip(explainers, explanations, strict=True)
        },
        "examples": shown.records(scenes.classes),
        "mistakes": wrong.records(scenes.classes),
        "evidence": measures,
    }
    write_text(run.root / "explanations.json", json.dumps(found, indent=2, allow_nan=False) + "\n")
    return found


def build_explainers(model: keras.Model, classes: Sequence[str]) -> list[Explainer]:
    """Build one explainer for each of `METHODS`."""
    return [
        LayerCAM(model, _two_depths(model), class_names=classes)
        if method is LayerCAM
        else method(model, class_names=classes)
        for method in METHODS
    ]


def _two_depths(model: keras.Model) -> list[str]:
    """Return the last features before the grid last became coarser, and the last of all."""
    layers = [layer for layer in suggest_layers(model) if "Padding" not in layer.kind]
    last = next(layer for layer in layers if layer.reason)
    finer = [layer.path for layer in layers if _cells(layer.shape) > _cells(last.shape)]
    return [*finer[-1:], last.path]


def _cells(shape: tuple[int | None, ...]) -> int:
    return math.prod(length or 0 for length in shape[1:-1])


def _title(explainer: Explainer) -> str:
    layers = (explainer.layer or "").split(" + ")
    title: str = explainer.method.title
    return title if len(layers) == 1 else f"{title}, {len(layers)} layers"


def _facts(explainer: Explainer, explanation: Explanation) -> dict[str, Any]:
    method = explainer.method
    return {
        "title": _title(explainer),
        "summary": method.summary,
        "citation": method.citation and method.citation.short,
        "url": method.citation and method.citation.url,
        "layer": explanation.layer,
        "notes": list(explanation.notes),
    }


def _save(pictures: dict[str, Figure], run: RunFolder) -> None:
    """Write the pictures, and drop those of an earlier explanation that this one has not."""
    for name in ("explain_mistakes", "evidence_share"):
        if name not in pictures:
            (run.pictures / f"{name}.png").unlink(missing_ok=True)
    for name, figure in pictures.items():
        save(figure, run.pictures / f"{name}.png")
