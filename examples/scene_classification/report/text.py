"""The sentences of a report that depend on what a run found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scene_classification.networks.depth import depth_in_words
from scene_classification.pictures.numbers import percent
from scene_classification.report.accuracy import (
    against_chance,
    chance,
    extremes,
    few,
    verdict,
)
from scene_classification.report.evidence import evidence
from scene_classification.report.made import commands, settings, versions
from scene_classification.report.naming import Named, asked_network, run_network
from scene_classification.report.network import recipe
from scene_classification.report.numbers import listed
from scene_classification.report.parts import Parts
from scene_classification.report.problems import problems
from scene_classification.report.sureness import calibration, mistakes
from scene_classification.report.training import curves, training
from scene_classification.report.verdicts import Standing


def describe(parts: Parts, folder: str) -> dict[str, Any]:
    """Return the texts by the names that the templates use.

    Args:
        parts: What the run found.
        folder: That of the run, as commands name it.
    """
    run = run_network(parts)
    return {
        "heading": heading(parts),
        "lead": lead(parts, run),
        "network": run,
        "problems": [] if parts.data is None else problems(parts.data["audit"]),
        "training": training(parts.history, parts.config),
        "curves": curves(parts.config),
        "recipe": recipe(parts.config),
        "depth": depth_in_words(),
        **_measured(parts, run),
        **_explained(parts),
        **_asked(parts),
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


def heading(parts: Parts) -> str:
    """Name the scenes and what has been done with them so far."""
    done = {"classified": parts.metrics, "explained": parts.explanations}
    said = listed([what for what, found in done.items() if found is not None])
    return f"{source(parts)}, {said}" if said else source(parts)


def lead(parts: Parts, network: Named) -> str:
    """Say what the run's network is, and what the test images show of it."""
    about = f"It is {network.about}." if network.about else ""
    if parts.metrics is None:
        scenes = f" The classes are {few(parts.classes)}." if parts.classes else ""
        return f"{network.name} has not been measured on test images yet. {about}{scenes}".strip()
    return f"{verdict(parts.metrics, network.name)} {about}".strip()


def _measured(parts: Parts, network: Named) -> dict[str, Any]:
    """Return the texts on how good the network is."""
    metrics = parts.metrics
    if metrics is None:
        return dict.fromkeys(("chance", "guess", "extremes", "calibration", "mistakes"))
    guess = chance(metrics)
    return {
        "chance": guess.share,
        "guess": f"{'by chance' if guess.how == 'guessing' else guess.how}, {percent(guess.share)}",
        "extremes": extremes(metrics),
        "calibration": calibration(metrics, network.name),
        "mistakes": mistakes(metrics),
    }


def _explained(parts: Parts) -> dict[str, Any]:
    """Return the texts on the maps."""
    found = parts.explanations
    if found is None:
        return {"shown": "", "evidence": []}
    titles = {name: one["title"] for name, one in found["methods"].items()}
    return {
        "shown": shown(found["examples"]),
        "evidence": evidence(found["evidence"], titles, parts.metrics),
    }


def shown(examples: list[dict[str, Any]]) -> str:
    """Say how many of the pictures at the top, the first of each class, were answered correctly.

    Example:
        >>> shown([{"class": "sea", "predicted": "sea"}, {"class": "forest", "predicted": "sea"}])
        'Of the 2 shown, 1 was answered correctly.'
    """
    firsts = {one["class"]: one["predicted"] for one in reversed(examples)}
    right = sum(name == answer for name, answer in firsts.items())
    if not firsts:
        return ""
    if right == len(firsts):
        return f"All {len(firsts)} shown were answered correctly."
    verb = "was" if right == 1 else "were"
    return f"Of the {len(firsts)} shown, {right or 'none'} {verb} answered correctly."


def _asked(parts: Parts) -> dict[str, Named | None]:
    """Name the networks that were asked about photographs."""
    photographs = None
    if parts.photographs:
        photographs = asked_network(parts, next(iter(parts.photographs.values())))
    served = None if parts.served is None else asked_network(parts, parts.served)
    return {
        "photographs": _cautioned(parts, photographs),
        "served": _cautioned(parts, served),
    }


def _cautioned(parts: Parts, network: Named | None) -> Named | None:
    """Warn of a network of the run that is not shown to be better than guesses."""
    if network is None or network.own is not True or parts.metrics is None:
        return network
    if against_chance(parts.metrics) is Standing.ABOVE:
        return network
    caution = "Its answers to the test images are not shown to be better than guesses."
    return network._replace(why=f"{network.why} {caution}".strip())
