"""The steps of a run: each reads the run folder, does one thing, and writes into it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras

from scene_classification.data.findings import report_data
from scene_classification.deploying import NAME, ask, export_network, exported_version
from scene_classification.deploying import rehearse as rehearse_serving
from scene_classification.evaluation.network import describe_network
from scene_classification.evaluation.step import draw_training
from scene_classification.evaluation.step import evaluate as evaluate_network
from scene_classification.explanation.photographs import explain_photographs
from scene_classification.explanation.step import METHODS
from scene_classification.explanation.step import explain as explain_network
from scene_classification.explanation.survey import survey as survey_images
from scene_classification.files import write_text
from scene_classification.networks.exported import exported_network, note_exported
from scene_classification.networks.reference import FOLDER, load_reference_model, reference_classes
from scene_classification.networks.which import (
    REFERENCE,
    knows_photographs,
    named,
    network_for_photographs,
    network_of,
)
from scene_classification.options import ExportOptions, RequestOptions, ServeOptions
from scene_classification.pictures.numbers import interval
from scene_classification.progress import Reporter, TrainingProgress
from scene_classification.publishing import publish as publish_network
from scene_classification.report.accuracy import verdict
from scene_classification.report.evidence import compared
from scene_classification.report.numbers import plural
from scene_classification.report.step import write_report
from scene_classification.serving.engines import choose_engine
from scene_classification.training.stages import train as train_network
from scene_classification.workplace import Workplace


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
    describe_network(network, place.run, network_of(place.config))
    figures = _on_test_scenes(place, evaluate_network, "test scenes", len(scenes.test))
    accuracy, f1 = interval(figures["accuracy"]), interval(figures["macro"]["f1"])
    name = named(figures["network"])
    place.reporter.line(f"  {name}: accuracy {accuracy} %, macro F1 {f1} % (95 % intervals)")
    place.reporter.line(f"  {verdict(figures)}")


def explain(place: Workplace) -> None:
    """Show what the network looks at, and measure it against the evidence where it is known."""
    found = _on_test_scenes(place, explain_network, "methods", len(METHODS))
    name = named(found["network"])
    if found["evidence"] is None:
        place.reporter.line(
            f"  {name}: maps drawn, not measured: no mask says where the evidence is"
        )
        return
    shares = {**found["evidence"]["methods"], **found["evidence"]["baselines"]}
    place.reporter.line(f"  share of the maps of {name} inside the evidence:")
    for one in ("grad_cam", "uniform", "centered_gaussian"):
        place.reporter.line(
            f"    {one.replace('_', ' ')}: {interval(shares[one]['share_inside'])} %"
        )
    titles = {one: facts["title"] for one, facts in found["methods"].items()}
    place.reporter.line(f"  {compared(found['evidence'], titles, 'share_inside')}")


def survey(place: Workplace) -> None:
    """Survey all test images: what the network looks at, class by class, and what may fool it."""
    _, scenes = place.examine()
    total = len(scenes.test) + len(scenes.classes)
    found = _on_test_scenes(place, survey_images, "test images and classes", total)
    suspects = plural(len(found["suspects"]), "suspect")
    images = plural(found["images"], "test image")
    place.reporter.line(f"  {named(found['network'])}: {suspects} in {images}")
    for sentence in found["suspects"]:
        place.reporter.line(f"  {sentence}")


def _on_test_scenes(
    place: Workplace, work: Callable[..., dict[str, Any]], what: str, total: int
) -> dict[str, Any]:
    """Have the run's network measured or explained on the test scenes, with a bar of `total`."""
    network, scenes = place.examine()
    with place.reporter.bar(what, total) as progress:
        return work(
            network,
            scenes,
            place.run,
            network=network_of(place.config),
            seed=place.config.seed,
            progress=progress,
        )


def photographs(place: Workplace) -> None:
    """Explain two photographs that scikit-learn ships, by a network that knows photographs."""
    asked = network_for_photographs(place.config)
    network, classes = _network_and_classes(place, asked)
    with place.reporter.bar("photographs", None) as progress:
        answers = explain_photographs(network, classes, place.run, network=asked, progress=progress)
    write_text(place.run.root / "photographs.json", json.dumps(answers, indent=2) + "\n")
    place.reporter.line(f"  {named(asked)}{_because(place, asked)}:")
    for name, answer in answers.items():
        place.reporter.line(f"  {name}: {answer['class']} {answer['probability']:.1%}")


def export(place: Workplace, told: ExportOptions = ExportOptions()) -> None:  # noqa: B008 - frozen
    """Write the network for a model server."""
    asked = {
        "auto": network_for_photographs(place.config),
        "own": network_of(place.config),
        "reference": REFERENCE,
    }[told.network]
    network, classes = _network_and_classes(place, asked)
    with place.reporter.bar("exporting", None):
        version = export_network(network, classes, place.run)
    note_exported(place.run, version.name, asked)
    place.reporter.line(f"  {named(asked)}, version {version.name}: {version}")


def _network_and_classes(place: Workplace, asked: str) -> tuple[keras.Model, Sequence[str]]:
    """Load a network that is asked about photographs, as `network_of` names it."""
    if asked == REFERENCE:
        return load_reference_model(), reference_classes()
    return place.examine()[0], place.scenes.classes


def _because(place: Workplace, asked: str | None) -> str:
    """Say in brackets why a network of drawn scenes is not asked about photographs itself."""
    if asked != REFERENCE or knows_photographs(place.config):
        return ""
    return " (this run's network has seen only drawn scenes, which say nothing about photographs)"


def serve(place: Workplace, told: ServeOptions) -> None:
    """Serve the exported network until it is stopped."""
    exported_version(place.run)
    engine = choose_engine(told.engine)
    place.reporter.line(f"{engine.title}; stop it with Ctrl+C")
    warning = engine.warning(told.port, told.grpc_port)
    if warning is not None:
        place.reporter.line(f"  {warning}")
    place.reporter.line(f"  REST  http://127.0.0.1:{told.port}/v1/models/{NAME}")
    place.reporter.line(
        f"  try   python -m scene_classification request IMAGE --server "
        f"http://127.0.0.1:{told.port}"
    )
    command = engine.command(place.run.models / NAME, NAME, told.port, told.grpc_port)
    os.execvp(command[0], command)  # in place of this process: signals go to the server itself


def request(reporter: Reporter, told: RequestOptions) -> None:
    """Ask a server about an image, and write the overlay that it draws."""
    explanation = ask(told.server, told.name, Path(told.image), Path(told.out), told.label)
    method, title = explanation.method.replace("_", " "), explanation.titles()[0]
    reporter.line(f"{told.image}: {title}")
    reporter.line(f"{method} at {explanation.layer}: {told.out}")


def rehearse(place: Workplace) -> None:
    """Start a development server, ask it about a photograph, and stop it."""
    version = exported_version(place.run)
    with place.reporter.bar("requests", None) as progress:
        found = rehearse_serving(version, place.run, progress=progress)
    asked = exported_network(place.run, version.name)
    if asked is not None:
        found["network"] = asked
        write_text(place.run.root / "served.json", json.dumps(found, indent=2) + "\n")
    who = "a network that was not recorded" if asked is None else named(asked)
    place.reporter.line(f"  {who}{_because(place, asked)}:")
    place.reporter.line(
        f"  {found['photograph']}: {found['class']} {found['probability']:.1%}, overlay of "
        f"{found['bytes'] / 1024:.0f} KiB in {found['seconds'] * 1000:.0f} ms (median of "
        f"{found['requests']})"
    )


def report(place: Workplace) -> None:
    """Put everything into one HTML file."""
    place.reporter.line(f"report: {write_report(place.run)}")


def publish(place: Workplace) -> None:
    """Write the run's network as the reference network, with its card."""
    if place.config.source == "drawn":
        raise ValueError("source='drawn': the reference network is one of real photographs")
    network, scenes = place.examine()
    with place.reporter.bar("test scenes", len(scenes.test)) as progress:
        figures = publish_network(
            network, place.config, place.audited[1], scenes, place.run, FOLDER, progress=progress
        )
    name = named(network_of(place.config))
    place.reporter.line(
        f"  {name}: accuracy {interval(figures['accuracy'])} %, written to {FOLDER}"
    )
    place.reporter.line(f"  {verdict(figures)}")


def run(place: Workplace) -> None:
    """Do all steps, one after the other; of several machines, the first goes on after training."""
    steps = (data, train, evaluate, explain, survey, photographs, export, rehearse, report)
    for step in steps if place.run.writes else (data, train):
        place.reporter.title(step.__name__)
        step(place)
