"""Whose answers a report shows: every section names its network, and why it was asked."""

import json

import pytest
from test_report import fill, read

from scene_classification.config import Config
from scene_classification.networks.exported import exported_network, note_exported
from scene_classification.networks.which import network_for_photographs, network_of
from scene_classification.report.training import curves, training
from scene_classification.run_folder import RunFolder

OWN, REFERENCE = "This run’s network", "The reference network"
ALONE = "has seen only drawn scenes"


@pytest.fixture
def run(tmp_path):
    run = RunFolder(tmp_path / "run")
    fill(run, ("sea", "street", "forest"))
    return run


def told(run, config, network):
    """Write a report in which a network was asked about photographs, and return its sections."""
    config.write(run.config)
    for name in ("photographs", "served"):
        found = json.loads((run.root / f"{name}.json").read_text())
        for one in found.values() if name == "photographs" else [found]:
            one.pop("network", None)
            if network is not None:
                one["network"] = network
        (run.root / f"{name}.json").write_text(json.dumps(found))
    text = read(run).text
    start, server = text.rindex("Real photographs"), text.rindex("Asked from a server")
    return text, text[start:server], text[server : text.rindex("How this was made")]


def test_another_networks_answers_to_photographs_are_said_to_be_its_own(run):
    _, *sections = told(run, Config(), "reference")
    for section in sections:
        assert "The reference network is trained on real photographs" in section
        assert "it is not this run’s network" in section and ALONE in section
    assert "25.0 %, by the reference network" in sections[0]
    assert "was given the reference network" in sections[1]


def test_a_run_of_photographs_shows_its_own_networks_answers(run):
    text, *sections = told(run, Config(source="kaggle"), "own")
    for section in sections:
        assert OWN in section and "reference network" not in section and ALONE not in section
    assert "by this run’s network" in sections[0]
    assert REFERENCE not in text


def test_a_network_of_drawn_scenes_that_was_asked_all_the_same_says_so(run):
    for section in told(run, Config(), "own")[1:]:
        assert OWN in section and ALONE in section


def test_a_reference_network_that_was_chosen_is_not_excused_by_drawings(run):
    for section in told(run, Config(source="kaggle"), "reference")[1:]:
        assert "It was chosen here in place of this run’s network." in section
        assert ALONE not in section


def test_a_run_that_measures_the_reference_network_calls_it_that_everywhere(run):
    text, *sections = told(run, Config(model="reference"), "reference")
    assert "The reference network is the network that this run measures" in " ".join(sections)
    assert "this run’s network" not in text.lower()


@pytest.mark.parametrize("network", [None, "other.keras", "own"])
def test_a_network_that_the_settings_do_not_know_is_not_given_a_name(run, network):
    config = Config(model="/models/scenes.keras")
    for section in told(run, config, network)[1:]:
        assert REFERENCE not in section and OWN not in section
        assert ("was not recorded" if network is None else f"Another network, {network}") in section


def test_every_picture_of_a_network_says_of_which(run):
    told(run, Config(), "reference")
    alts = [own["alt"] for tag, own in read(run).elements if tag == "img"]
    # Pictures of data, and of what a residual block is in any network.
    of_data = ("Bar chart", "Training images", "Test images in rows, one row", "Images that are",
               "Two diagrams", "Two line charts of the loss over the epochs")  # fmt: skip
    for alt in alts:
        assert alt.startswith(of_data) or "this run’s network" in alt or "reference network" in alt
    asked = [alt for alt in alts if "reference network" in alt]
    assert len(asked) == 2  # the photographs, and what the server drew


def test_findings_of_another_network_are_not_this_networks(run):
    metrics = json.loads((run.root / "metrics.json").read_text()) | {"network": "reference"}
    (run.root / "metrics.json").write_text(json.dumps(metrics))
    Config(model="/models/scenes.keras").write(run.config)
    text = read(run).text
    assert "Test accuracy" not in text
    assert "This run’s network has not been measured yet" in text


def test_figures_of_an_older_run_are_shown_without_what_they_lack(run):
    metrics = json.loads((run.root / "metrics.json").read_text())
    for name in ("overconfidence", "error_if_calibrated"):
        del metrics[name]
    (run.root / "metrics.json").write_text(json.dumps(metrics))
    text = read(run).text
    assert "Calibration error" in text and "if calibrated" not in text
    assert "sure or too unsure" not in text and "was not recorded" in text


def test_a_run_without_figures_claims_nothing(tmp_path):
    run = RunFolder(tmp_path / "new")
    Config().write(run.config)
    text = read(run).text
    assert "has not been measured on test images yet" in text and "not trained yet" in text
    for claim in ("tells", "classified and", "better", "reference"):
        assert claim not in text.split("How this was made Where")[0].replace("classification", "")


@pytest.mark.parametrize(
    ("config", "own", "asked"),
    [
        (Config(), "own", "reference"),
        (Config(source="kaggle"), "own", "own"),
        (Config(model="reference"), "reference", "reference"),
        (Config(model="/a/x.keras"), "x.keras", "reference"),
        (Config(model="/a/x.keras", source="kaggle"), "x.keras", "x.keras"),
        (Config(model="/a/reference"), "./reference", "reference"),
        (Config(model="/a/own", source="kaggle"), "./own", "./own"),
    ],
)
def test_a_network_has_one_name_and_a_file_cannot_take_that_of_another(config, own, asked):
    assert (network_of(config), network_for_photographs(config)) == (own, asked)


def test_an_exported_version_keeps_its_network(tmp_path):
    run = RunFolder(tmp_path)
    note_exported(run, "1", "reference")
    note_exported(run, "2", "own")
    assert [exported_network(run, version) for version in "123"] == ["reference", "own", None]
    for damaged in ("[1", "[]", '{"1": 3}'):
        run.exported.write_text(damaged)
        assert exported_network(run, "1") is None
    note_exported(run, "4", "own")
    assert exported_network(run, "4") == "own"


# ------------------------------------------------------------------------------ how training went


def lines(*accuracies, start=0):
    return [
        {"epoch": float(epoch), "loss": 1.0, "val_accuracy": accuracy}
        for epoch, accuracy in enumerate(accuracies, start)
    ]


@pytest.mark.parametrize(
    ("accuracies", "config", "ending"),
    [
        ((0.5, 0.7), Config(epochs=2), "As that was the last epoch, more of them might do better."),
        ((0.7, 0.5), Config(epochs=2), "The epoch after it brought nothing better."),
        ((0.7, 0.7, 0.6), Config(epochs=3), "The 2 epochs after it brought nothing better."),
        ((0.7, 0.5), Config(epochs=9), "It has not ended: 9 epochs are planned."),
        ((0.7, 0.5), Config(epochs=9, patience=2), "It has not ended: 9 epochs are planned."),
        ((0.7, 0.5, 0.6), Config(epochs=9, patience=2),
         "Training stopped early, at epoch 3 of 9: the 2 epochs after it brought nothing better."),
        ((float("nan"),), Config(epochs=1),
         "No epoch has a validation accuracy, so nothing says which was the best."),
    ],
)  # fmt: skip
def test_how_training_ended_follows_from_its_log(accuracies, config, ending):
    assert training({"train": lines(*accuracies)}, config).endswith(ending)


def test_a_loss_that_is_no_number_is_said():
    log = lines(0.5, 0.2)
    log[1]["loss"] = float("nan")
    assert "The training loss of epoch 2 is not a number" in training({"train": log}, Config())


def test_a_head_alone_is_not_the_whole_training():
    told = training({"head": lines(0.5, 0.6)}, Config(backbone="resnet50"))
    assert told.endswith("The whole network is still to be trained.")
    assert training({}, Config()) is None


def test_what_parts_the_curves_follows_from_the_settings():
    assert "blended" not in curves(Config()) and "teacher" not in curves(Config())
    assert "on varied images, blended in pairs and with a teacher" in curves(
        Config(mix="both", teacher="a.keras")
    )
