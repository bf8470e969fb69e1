"""Publishing: weights, figures and card are made together or not at all."""

import json

import numpy as np
import pytest
from small_scenes import write_small_scenes

from scene_classification import publishing
from scene_classification.config import Config
from scene_classification.data.audit import audit
from scene_classification.data.folder import read_folder, validation_split
from scene_classification.evaluation.metrics import measure
from scene_classification.evaluation.prediction import predict
from scene_classification.evaluation.temperature import fit_temperature
from scene_classification.networks.reference import load_reference_model
from scene_classification.networks.residual import residual_network
from scene_classification.pictures.numbers import interval
from scene_classification.publishing import publish, training_commands
from scene_classification.run_folder import RunFolder

CONFIG = Config(source="folder", size="tiny", image_size=32, epochs=3, batch_size=8)


@pytest.fixture
def parts(tmp_path):
    scenes = read_folder(write_small_scenes(tmp_path / "scenes"))
    network = residual_network("tiny", input_shape=(32, 32, 3), classes=3)
    return network, CONFIG, audit(scenes), scenes, RunFolder(tmp_path / "run"), tmp_path / "made"


def test_the_card_holds_the_figures_of_the_weights_beside_it(parts):
    figures = publish(*parts)
    folder, test = parts[-1], parts[3].test
    again = measure(test.labels, predict(load_reference_model(folder), test), parts[3].classes)
    assert figures == again == json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    card = (folder / "README.md").read_text(encoding="utf-8")
    low, high = (100 * figures["accuracy"][name] for name in ("low", "high"))
    assert f"| accuracy | {100 * figures['accuracy']['value']:.1f} ({low:.1f}–{high:.1f}) |" in card
    assert "48 training photographs" in card
    assert "16 buildings, 16 forest, 16 sea" in card
    assert "--epochs 3 \\\n" in card
    for row in figures["confusion"]:
        assert " | ".join(map(str, row)) in card
    assert {path.name for path in folder.iterdir()} == {
        "README.md",
        "conditions.json",
        "mean_maps.png",
        "metrics.json",
        "reference.json",
        "weights.npz",
    }


def test_what_a_person_wrote_of_the_weights_is_kept(parts):
    parts[-1].mkdir()
    (parts[-1] / "provenance.md").write_text("Trained by *hand*.\n", encoding="utf-8")
    publish(*parts)
    assert "Trained by *hand*.\n" in (parts[-1] / "README.md").read_text(encoding="utf-8")


def test_a_failure_leaves_what_was_published(parts, monkeypatch):
    publish(*parts)
    before = {path.name: path.read_bytes() for path in parts[-1].iterdir()}
    parts[0].get_layer("scores").bias.assign(np.ones(3, np.float32))

    def fail(*_args, **_options):
        raise RuntimeError("no more")

    monkeypatch.setattr(publishing, "model_card", fail)
    with pytest.raises(RuntimeError, match="no more"):
        publish(*parts)
    assert {path.name: path.read_bytes() for path in parts[-1].iterdir()} == before


def test_only_a_residual_network_is_published(parts):
    network, config, *rest = parts
    with pytest.raises(ValueError, match=r"backbone='resnet50': a reference model is a residual"):
        publish(network, config.updated({"backbone": "resnet50"}), *rest)


def test_the_teachers_command_comes_first_and_shows_no_folders(tmp_path):
    teacher = CONFIG.updated({"backbone": "/models/imagenet.keras", "data": "/photos"})
    teacher.write(tmp_path / "config.json")
    commands = training_commands(
        CONFIG.updated({"teacher": str(tmp_path / "model.keras"), "data": "/photos"})
    )
    assert [line.split(" \\\n")[0].split()[-1] for line in commands] == [
        "runs/teacher",
        "runs/reference",
    ]
    assert "--backbone BACKBONE" in commands[0]
    assert "--teacher runs/teacher/model.keras" in commands[1]
    assert not any("/photos" in line or "/models" in line for line in commands)


def test_two_teachers_are_trained_in_two_runs(tmp_path):
    for name, backbone in (("one", "/models/lite.keras"), ("two", "/models/mobile.keras")):
        (tmp_path / name).mkdir()
        CONFIG.updated({"backbone": backbone}).write(tmp_path / name / "config.json")
    files = [str(tmp_path / name / "model.keras") for name in ("one", "two")]
    taught = {"teacher": files[0], "second_teacher": files[1], "start": "reference"}
    *teachers, student = training_commands(CONFIG.updated(taught))
    runs = [line.split(" \\\n")[0].split()[-1] for line in teachers]
    assert runs == ["runs/teacher", "runs/teacher2"]
    assert "--teacher runs/teacher/model.keras" in student
    assert "--second-teacher runs/teacher2/model.keras" in student
    assert "--start reference" in student


def test_the_temperature_is_in_the_weights_and_changes_no_answer(parts):
    network, scenes, folder = parts[0], parts[3], parts[-1]
    publish(*parts)
    conditions = json.loads((folder / "conditions.json").read_text(encoding="utf-8"))
    temperature = conditions["temperature"]
    before, after = (predict(one, scenes.test) for one in (network, load_reference_model(folder)))
    powers = before ** (1 / temperature)
    np.testing.assert_allclose(after, powers / powers.sum(1, keepdims=True), atol=2e-3)  # float16
    np.testing.assert_array_equal(after.argmax(1), before.argmax(1))
    _, held = validation_split(scenes.train, CONFIG.validation_share, CONFIG.seed)
    assert temperature == fit_temperature(predict(network, held), held.labels)
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert f"divided by {temperature:.2f}, the temperature" in card
    for part in ("brightness", "crop"):
        for name, one in conditions[part].items():
            assert f"| {name} | {interval(one)} |" in card
    whole = measure(scenes.test.labels, after, scenes.classes)["accuracy"]
    assert conditions["crop"]["100 % of each side"]["value"] == whole["value"]
