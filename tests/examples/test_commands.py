"""The commands: a whole run, its files, and what is said when something is wrong."""

import json
import subprocess
import sys

import pytest

from scene_classification import steps
from scene_classification.cli import COMMANDS, main
from scene_classification.config import Config

SMALL = [
    "--drawn-train=12",
    "--drawn-test=4",
    "--image-size=32",
    "--size=tiny",
    "--epochs=1",
    "--batch-size=16",
]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "small"
    assert main(["run", "--run", str(folder), *SMALL]) == 0
    return folder


def test_a_run_holds_config_logs_weights_metrics_pictures_and_a_report(run):
    assert Config.read(run / "config.json") == Config(
        drawn_train=12, drawn_test=4, image_size=32, size="tiny", epochs=1, batch_size=16
    )
    assert (run / "logs" / "train.csv").read_text().startswith("epoch,accuracy,loss")
    assert list((run / "logs" / "tensorboard" / "train" / "train").glob("events*"))
    assert json.loads((run / "metrics.json").read_text())["images"] == 24
    assert json.loads((run / "data.json").read_text())["used"]["test"]["forest"] == 4
    evidence = json.loads((run / "explanations.json").read_text())["evidence"]
    assert evidence["images"] == 24
    assert json.loads((run / "photographs.json").read_text())["china.jpg"]["class"] == "buildings"
    for name in ("samples", "augmented", "confusion", "reliability", "training", "methods"):
        assert (run / "pictures" / f"{name}.png").stat().st_size > 1000
    assert (run / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_its_steps_can_be_done_again_one_by_one(run, capsys):
    before = (run / "metrics.json").read_text()
    for command in ("data", "train", "evaluate", "report"):
        assert main([command, "--run", str(run)]) == 0
    assert "trained already" in capsys.readouterr().out
    assert (run / "metrics.json").read_text() == before


def test_another_training_in_the_same_run_is_refused(run, capsys):
    assert main(["train", "--run", str(run), "--epochs", "2"]) == 1
    assert "was trained with epochs=1; leave that setting out" in said(capsys)


def test_a_step_that_comes_too_early_names_the_one_before(tmp_path, capsys):
    settings = ["--drawn-train=4", "--drawn-test=2", "--image-size=32"]
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
    assert COMMANDS[command].summary in " ".join(text.split())
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
