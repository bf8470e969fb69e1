"""The sentences of a report that depend on what a run found."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scene_classification.config import Config
from scene_classification.pictures.numbers import percent
from scene_classification.report.made import commands, settings, versions
from scene_classification.report.numbers import listed, plural
from scene_classification.report.parts import Parts
from scene_classification.report.problems import problems
from scene_classification.training.history import Line

#: What the stages of training train.
STAGES = {"head": "for the new head alone", "train": "for the whole network"}


def describe(parts: Parts, folder: str) -> dict[str, Any]:
    """Return the texts by the names that the templates use.

    Args:
        parts: What the run found.
        folder: That of the run, as commands name it.
    """
    return {
        "heading": f"{source(parts)}, classified and explained",
        "lead": lead(parts),
        "problems": [] if parts.data is None else problems(parts.data["audit"]),
        "training": training(parts.history),
        "extremes": None if parts.metrics is None else extremes(parts.metrics),
        "settings": [] if parts.config is None else settings(parts.config),
        "commands": commands(parts.config, folder),
        "versions": versions(),
    }


def source(parts: Parts) -> str:
    """Return what the scenes are called, at the start of a sentence."""
    config = parts.config
    if config is None:
        return "Scenes"
    if config.source == "folder" and config.data is not None:
        return Path(config.data).name or "Scenes"
    return {"drawn": "Drawn scenes", "kaggle": "The Intel scenes"}.get(config.source, "Scenes")


def lead(parts: Parts) -> str:
    """Say in two sentences what was trained and measured."""
    first = "A network tells classes of scenes from each other"
    if parts.config is not None:
        first = f"{network(parts.config)} tells {_classes(parts.classes)} from each other"
    if parts.data is not None and _trained(parts) and "training" in parts.data["used"]:
        training_images = sum(parts.data["used"]["training"].values())
        first += f", after training on {plural(training_images, 'image')}"
    if parts.metrics is None:
        return first + "."
    tested = plural(parts.metrics["images"], "test image")
    return f"{first}. Here is how often it is right on {tested}, and where it looks."


def network(config: Config) -> str:
    """Name the network, at the start of a sentence.

    Example:
        >>> network(Config(size="tiny")), network(Config(backbone="resnet50"))
        ('A tiny residual network', 'A fine-tuned resnet50')
    """
    if config.model == "reference":
        return "The reference network"
    if config.model is not None:
        return f"The network {Path(config.model).name}"
    if config.backbone is not None:
        return f"A fine-tuned {Path(config.backbone).stem}"
    taught = "" if config.teacher is None else f", taught by {Path(config.teacher).name},"
    return f"A {config.size} residual network{taught}"


def training(history: dict[str, list[Line]]) -> str | None:
    """Say how long training took and which epoch's weights were kept; None without an epoch."""
    if not history:
        return None
    lines = list(history.values())[-1]
    times = {name: plural(len(own), "epoch") for name, own in history.items()}
    took = listed([f"{time} {STAGES.get(name, name)}" for name, time in times.items()])
    sentence = f"Training took {took if len(times) > 1 else listed(list(times.values()))}."
    measured = [line for line in lines if math.isfinite(line.get("val_accuracy", math.nan))]
    if not measured:
        return sentence
    best = max(measured, key=lambda line: line["val_accuracy"])
    return (
        f"{sentence} The best validation accuracy, {percent(best['val_accuracy'])}, came after "
        f"epoch {int(best['epoch']) + 1} of {len(lines)}; its weights were kept."
    )


def extremes(metrics: dict[str, Any]) -> str:
    """Name the classes recognized best and worst, and the most frequent mistake."""
    scores = {
        name: one["f1"]["value"]
        for name, one in metrics["per_class"].items()
        if one["f1"]["value"] is not None
    }
    sentences = []
    if len(scores) > 1:
        best, worst = (pick(scores, key=scores.__getitem__) for pick in (max, min))
        sentences.append(
            f"Recognized best: {best}, with an F1 of {percent(scores[best])}. "
            f"Hardest: {worst}, with {percent(scores[worst])}."
        )
    for pair in metrics["confused_pairs"][:1]:
        sentences.append(
            f"The most frequent mistake is to take {pair['true']} for {pair['predicted']}: "
            f"{plural(pair['count'], 'image')}, {percent(pair['share'])} of that class."
        )
    return " ".join(sentences)


def _trained(parts: Parts) -> bool:
    return bool(parts.history) and (parts.config is None or parts.config.model is None)


def _classes(names: Sequence[str]) -> str:
    return listed(names) if 0 < len(names) <= 8 else f"{len(names) or 'its'} classes"
