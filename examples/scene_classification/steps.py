"""The steps of a run: each reads the run folder, does one thing, and writes into it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import keras

from scene_classification.config import Config
from scene_classification.data.audit import Audit, audit
from scene_classification.data.findings import report_data
from scene_classification.data.folder import Scenes
from scene_classification.data.sources import open_scenes, scenes_to_make
from scene_classification.evaluation.step import draw_training
from scene_classification.evaluation.step import evaluate as evaluate_network
from scene_classification.explanation.photographs import explain_photographs
from scene_classification.explanation.step import METHODS
from scene_classification.explanation.step import explain as explain_network
from scene_classification.files import write_text
from scene_classification.networks.reference import FOLDER, load_reference_model, reference_classes
from scene_classification.pictures.numbers import interval
from scene_classification.progress import Reporter, TrainingProgress
from scene_classification.publishing import publish as publish_network
from scene_classification.report.step import write_report
from scene_classification.run_folder import RunFolder
from scene_classification.training.lesson import learned_classes
from scene_classification.training.stages import train as train_network


@dataclass
class Workplace:
    """What the steps of one command share.

    Attributes:
        config: The settings of the run.
        run: Its folder.
        reporter: Shows progress.
        distribution: A `tf.distribute` strategy, or None.
    """

    config: Config
    run: RunFolder
    reporter: Reporter
    distribution: Any = None

    @cached_property
    def audited(self) -> tuple[Scenes, Audit]:
        """The scenes as they were found, and what is wrong with them."""
        with self.reporter.bar("scenes", scenes_to_make(self.config)) as progress:
            scenes = open_scenes(self.config, self.run, progress)
        with self.reporter.bar("checking", len(scenes)) as progress:
            return scenes, audit(scenes, progress=progress)

    @cached_property
    def scenes(self) -> Scenes:
        """The scenes that can be read and learned from."""
        scenes, found = self.audited
        return found.clean(scenes)

    @cached_property
    def network(self) -> keras.Model:
        """The network to measure: the run's own, or the one that its settings name."""
        if self.config.model == "reference":
            return load_reference_model()
        if self.config.model is not None:
            return keras.models.load_model(self.config.model, compile=False)
        if not self.run.model.exists():
            raise FileNotFoundError(
                f"no trained network in {str(self.run.root)!r}; run the train step first"
            )
        return keras.models.load_model(self.run.model, compile=False)

    def examine(self) -> tuple[keras.Model, Scenes]:
        """Return the network to measure and the scenes to measure it on; their classes agree."""
        network, scenes = self.network, self.scenes
        if self.config.model is None:
            known = learned_classes(self.run)
        elif self.config.model == "reference":
            known = reference_classes()
        elif network.output_shape[-1] == len(scenes.classes):
            known = scenes.classes  # a saved classifier does not say what its classes are called
        else:
            raise ValueError(
                f"model={self.config.model!r} has {network.output_shape[-1]} classes and the "
                f"scenes {len(scenes.classes)}"
            )
        if known != scenes.classes:
            raise ValueError(
                f"the network knows {list(known)} and the scenes are {list(scenes.classes)}; it "
                "can only be measured on its own classes"
            )
        return network, scenes


def data(place: Workplace) -> None:
    """Get the scenes, look for problems, and show them."""
    scenes, found = place.audited
    report_data(scenes, found, place.config, place.run)
    for line in found.lines():
        place.reporter.line(f"  {line}")


def train(place: Workplace) -> None:
    """Train the network, or go on where it was stopped."""
    if place.config.model is not None:
        place.reporter.line(f"  nothing to train: this run measures {place.config.model!r}")
        return
    if place.run.model.exists():
        place.reporter.line(f"  trained already: {place.run.model}")
        return
    train_network(
        place.config,
        place.scenes,
        place.run,
        distribution=place.distribution,
        watch=lambda stage, epochs, steps: TrainingProgress(
            place.reporter.console, stage, epochs, steps
        ),
    )
    draw_training(place.run)


def evaluate(place: Workplace) -> None:
    """Measure the network on the test scenes."""
    network, scenes = place.examine()
    with place.reporter.bar("test scenes", len(scenes.test)) as progress:
        figures = evaluate_network(
            network, scenes, place.run, seed=place.config.seed, progress=progress
        )
    accuracy, f1 = interval(figures["accuracy"]), interval(figures["macro"]["f1"])
    place.reporter.line(f"  accuracy {accuracy} %, macro F1 {f1} % (95 % intervals)")


def explain(place: Workplace) -> None:
    """Show what the network looks at, and measure it against the evidence where it is known."""
    network, scenes = place.examine()
    with place.reporter.bar("methods", len(METHODS)) as progress:
        found = explain_network(
            network, scenes, place.run, seed=place.config.seed, progress=progress
        )
    if found["evidence"] is None:
        return
    shares = {**found["evidence"]["methods"], **found["evidence"]["baselines"]}
    for name in ("grad_cam", "uniform", "centered_gaussian"):
        place.reporter.line(
            f"  share of the map inside the evidence, {name.replace('_', ' ')}: "
            f"{interval(shares[name]['share_inside'])} %"
        )


def photographs(place: Workplace) -> None:
    """Show what the reference model looks at in photographs that scikit-learn ships."""
    with place.reporter.bar("photographs", None) as progress:
        answers = explain_photographs(
            load_reference_model(), reference_classes(), place.run, progress=progress
        )
    write_text(place.run.root / "photographs.json", json.dumps(answers, indent=2) + "\n")
    for name, answer in answers.items():
        place.reporter.line(f"  {name}: {answer['class']} {answer['probability']:.1%}")


def report(place: Workplace) -> None:
    """Put everything into one HTML file."""
    place.reporter.line(f"report: {write_report(place.run)}")


def publish(place: Workplace) -> None:
    """Write the run's network as the reference model, with its card."""
    if place.config.source == "drawn":
        raise ValueError("source='drawn': the reference model is one of real photographs")
    network, scenes = place.examine()
    with place.reporter.bar("test scenes", len(scenes.test)) as progress:
        figures = publish_network(
            network, place.config, place.audited[1], scenes, place.run, FOLDER, progress=progress
        )
    place.reporter.line(f"  accuracy {interval(figures['accuracy'])} %, written to {FOLDER}")


def run(place: Workplace) -> None:
    """Do all steps, one after the other; of several machines, the first goes on after training."""
    steps = (data, train, evaluate, explain, photographs, report)
    for step in steps if place.run.writes else (data, train):
        place.reporter.title(step.__name__)
        step(place)
