"""The commands: a whole run, its files, and what is said when something is wrong."""

import json
import subprocess
import sys

import pytest
from proofs import proof
from small_scenes import write_small_scenes

from scene_classification import steps
from scene_classification.cli import COMMANDS, main
from scene_classification.config import Config
from scene_classification.run_folder import open_run


def test_a_run_holds_config_logs_weights_metrics_pictures_and_a_report(whole_run):
    assert Config.read(whole_run / "config.json") == Config(
        drawn_train=12, drawn_test=4, image_size=32, size="tiny", epochs=1, batch_size=16
    )
    assert (whole_run / "logs" / "train.csv").read_text().startswith("epoch,accuracy,loss")
    assert list((whole_run / "logs" / "tensorboard" / "train" / "train").glob("events*"))
    assert json.loads((whole_run / "metrics.json").read_text())["images"] == 24
    assert json.loads((whole_run / "data.json").read_text())["used"]["test"]["forest"] == 4
    evidence = json.loads((whole_run / "explanations.json").read_text())["evidence"]
    assert evidence["images"] == 24
    assert (
        json.loads((whole_run / "photographs.json").read_text())["china.jpg"]["class"]
        == "buildings"
    )
    served = json.loads((whole_run / "served.json").read_text())
    assert (served["photograph"], served["class"]) == ("china.jpg", "buildings")
    photographed = json.loads((whole_run / "photographs.json").read_text())["china.jpg"]
    # Decoded, resized and explained inside the graph, it is the same photograph.
    assert served["probability"] == pytest.approx(photographed["probability"], abs=1e-3)
    assert served["layer"] == photographed["layer"]
    for name in (
        "served",
        "samples",
        "augmented",
        "confusion",
        "reliability",
        "training",
        "methods",
    ):
        assert (whole_run / "pictures" / f"{name}.png").stat().st_size > 1000
    surveyed = json.loads((whole_run / "surveyed.json").read_text())
    assert (surveyed["images"], surveyed["unreadable"], surveyed["notes"]) == (24, 0, [])
    assert (whole_run / surveyed["page"]).is_file()
    html = (whole_run / "report.html").read_text(encoding="utf-8")
    assert html.startswith("<!DOCTYPE html>") and f'href="{surveyed["page"]}"' in html


def test_a_run_says_of_which_network_each_finding_is(whole_run):
    def read(name):
        return json.loads((whole_run / f"{name}.json").read_text())

    assert {read(name)["network"] for name in ("metrics", "explanations", "surveyed")} == {"own"}
    assert {one["network"] for one in read("photographs").values()} == {"reference"}
    assert read("served")["network"] == read("exported")[read("served")["version"]] == "reference"
    html = (whole_run / "report.html").read_text(encoding="utf-8")
    assert "Asked from a server" in html
    assert read("served")["bytes"] > 10_000
    assert f"{read('served')['bytes'] / 1024:,.0f} KiB" in html
    assert "by the reference network" in html and "was given the reference network" in html
    assert "from each other" not in html  # after one epoch on 72 images of 32 pixels


@proof
def test_its_steps_can_be_done_again_one_by_one(whole_run, capsys):
    before = (whole_run / "metrics.json").read_text()
    for command in ("data", "train", "evaluate", "report"):
        assert main([command, "--run", str(whole_run)]) == 0
    told = said(capsys)
    assert "trained already" in told and "this run's network: accuracy" in told
    assert (whole_run / "metrics.json").read_text() == before


def test_another_training_in_the_same_run_is_refused(whole_run, capsys):
    assert main(["train", "--run", str(whole_run), "--epochs", "2"]) == 1
    assert "was trained with epochs=1; leave that setting out" in said(capsys)


def test_a_step_that_comes_too_early_names_the_one_before(tmp_path, capsys):
    settings = ["--drawn-train=2", "--drawn-test=1", "--image-size=32"]
    assert main(["data", "--run", str(tmp_path), *settings]) == 0
    assert main(["evaluate", "--run", str(tmp_path)]) == 1
    assert "run the train step first" in said(capsys)


def test_a_folder_source_without_a_folder_is_refused(tmp_path, capsys):
    assert main(["data", "--run", str(tmp_path), "--source", "folder"]) == 1
    assert "--data" in said(capsys)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit, match="0"):
        main([command, "--help"])
    text = capsys.readouterr().out
    assert hasattr(steps, command)
    assert COMMANDS[command].summary[1:] in " ".join(text.split())
    if COMMANDS[command].settings is Config:
        assert "(default: 0.002)" in text


def said(capsys):
    return " ".join(capsys.readouterr().out.split())


def test_help_waits_for_no_tensorflow():
    block = "import sys; sys.modules['tensorflow'] = sys.modules['keras'] = None\n"
    code = block + "from scene_classification.cli import main; main(['run', '--help'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "--learning-rate" in done.stdout


def test_a_run_that_is_not_there_is_not_made(tmp_path, capsys):
    assert main(["evaluate", "--run", str(tmp_path / "tpyo")]) == 1
    assert "is not there; begin it with data or train" in said(capsys)
    assert not (tmp_path / "tpyo").exists()


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--batch-size=0", "batch_size=0 is too small; give at least 1"),
        ("--temperature=0.5", "temperature=0.5 is too small; give at least 1"),
        ("--dropout=1.5", "dropout=1.5 is too large; give at most 1"),
    ],
)
def test_a_setting_out_of_range_is_refused_and_not_kept(option, message, tmp_path, capsys):
    assert main(["train", "--run", str(tmp_path / "new"), option]) == 1
    assert message in said(capsys)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"epochs": "8"}', "epochs='8' is a str; give int"),
        ('{"epohcs": 8}', "unexpected keyword argument 'epohcs'"),
        ('{"seed": true}', "seed=True is a bool; give int"),
        ('{"size": "huge"}', "size='huge' is unknown; choose one of"),
        ("[]", "must be a mapping"),
        ("{", "does not hold the settings of a run"),
    ],
)
def test_settings_spoiled_by_hand_are_named(text, message, tmp_path, capsys):
    (tmp_path / "config.json").write_text(text)
    assert main(["report", "--run", str(tmp_path)]) == 1
    assert message in said(capsys)


def test_what_a_killed_process_left_is_removed(tmp_path):
    left = tmp_path / "run" / "weights" / ".writing-abc"
    left.mkdir(parents=True)
    (left / "train.npz").touch()
    run, _ = open_run(tmp_path / "run", {"epochs": 3})
    assert not left.exists()
    assert not run.trained


def test_a_network_is_measured_on_its_own_classes_only(whole_run, tmp_path, capsys):
    write_small_scenes(tmp_path / "scenes")
    folder = ["--source=folder", "--data", str(tmp_path / "scenes"), "--image-size=32"]
    for model, message in (
        ("reference", "the network knows ['buildings', 'forest', 'glacier'"),
        (str(whole_run / "model.keras"), "has 6 classes and the scenes 3"),
    ):
        other = str(tmp_path / model.replace("/", "_"))
        assert main(["data", "--run", other, *folder]) == 0
        assert main(["run", "--run", other, "--model", model]) == 1
        assert message in said(capsys)


def test_workers_keep_what_they_share_with_the_first(tmp_path, monkeypatch):
    cluster = {"worker": ["a:1", "b:1"], "chief": ["c:1"]}
    for task, own in (("chief", "."), ("worker", "worker0")):
        described = {"cluster": cluster, "task": {"type": task, "index": 0}}
        monkeypatch.setenv("TF_CONFIG", json.dumps(described))
        run, _ = open_run(tmp_path, {"strategy": "multiworker"})
        assert run.root == tmp_path / own
        assert run.writes == (task == "chief")
        assert run.model == tmp_path / "model.keras"
        assert run.state("train") == tmp_path / "weights" / "train.npz"
    assert open_run(tmp_path, {"strategy": "single"})[0].root == tmp_path
