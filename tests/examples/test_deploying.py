"""From a network to a server that explains: the commands, and what they say when it fails."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest

import kerascam
from kerascam import GradCAM
from kerascam.serving import Client
from kerascam.serving.server import free_port
from scene_classification import load_reference_model, reference_classes, steps
from scene_classification.cli import main
from scene_classification.config import Config
from scene_classification.data.batches import resize
from scene_classification.deploying import NAME
from scene_classification.explanation.photographs import shipped_photographs
from scene_classification.options import ExportOptions
from scene_classification.progress import Reporter
from scene_classification.run_folder import RunFolder, open_run
from scene_classification.workplace import Workplace

PAGE = Path(__file__).resolve().parents[2] / "docs" / "serving.md"


@pytest.fixture(scope="module")
def run(whole_run):
    """A run that exported the reference model."""
    return RunFolder(whole_run)


@pytest.fixture(scope="module")
def server(run):
    """What `serve` becomes, and ends with."""
    port = free_port()
    command = [sys.executable, "-m", "scene_classification", "serve", "--run", str(run.root)]
    with subprocess.Popen(
        [*command, "--engine", "embedded", "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            with Client(url, NAME) as client:
                client.wait_until_ready(300)
            yield url
            process.terminate()
            output = process.communicate(timeout=60)[0].decode()
        finally:
            process.kill()
    assert process.returncode == 0, output
    assert "request IMAGE --server" in output
    assert "for development only" in output.lower()


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    path = tmp_path_factory.mktemp("photos") / "china.jpg"
    pixels = shipped_photographs()["china.jpg"]
    cv2.imwrite(str(path), pixels[..., ::-1])
    return path


def said(capsys):
    return " ".join(capsys.readouterr().out.split())


def unpacked(path):
    return cv2.imread(str(path))[..., ::-1]


def test_a_request_brings_what_the_library_says(server, photo, tmp_path, capsys):
    out = tmp_path / "deep" / "overlay.png"
    assert main(["request", str(photo), "--server", server, "--out", str(out)]) == 0
    pixels = unpacked(photo)
    model, classes = load_reference_model(), reference_classes()
    wanted = GradCAM(model, class_names=classes)(np.float32(resize(pixels, 128))[None])
    assert f"{photo}: {wanted.titles()[0]} grad cam at {wanted.layer}: {out}" in said(capsys)
    drawn, expected = unpacked(out), wanted.overlay(pixels[None])[0]
    # Here and there a heatmap is rounded to the next colour: the two graphs are not the same one.
    assert np.abs(drawn.astype(int) - expected).max() <= 3
    assert np.mean(drawn != expected) < 1e-3


@pytest.mark.parametrize("label", ("sea", "4"))
def test_a_class_is_asked_for_by_name_or_index(label, server, photo, tmp_path, capsys):
    out = str(tmp_path / "sea.png")
    assert main(["request", str(photo), "--server", server, "--label", label, "--out", out]) == 0
    model, classes = load_reference_model(), reference_classes()
    inputs = np.float32(resize(unpacked(photo), 128))[None]
    wanted = GradCAM(model, class_names=classes)(inputs, "sea")
    assert wanted.titles()[0] in said(capsys)


def test_what_is_wrong_with_a_request_is_said_in_a_line(server, photo, tmp_path, capsys):
    nowhere = f"http://127.0.0.1:{free_port()}"
    junk = tmp_path / "junk.jpg"
    junk.write_bytes(b"no picture")
    for arguments, message in (
        ([str(photo), "--server", nowhere], "127.0.0.1"),
        ([str(photo), "--server", server, "--name", "scnes"], "scnes"),
        ([str(photo), "--server", server, "--label", "see"], "did you mean"),
        ([str(tmp_path / "gone.jpg"), "--server", server], "gone.jpg"),
        ([str(junk), "--server", server], "junk.jpg"),
    ):
        out = tmp_path / "overlay.png"
        assert main(["request", *arguments, "--out", str(out)]) == 1
        line = said(capsys)
        assert line.startswith("error:"), line
        assert message in line
        assert not out.exists()
    assert main(["request", str(photo), "--server", server, "--out", "overlay.jpg"]) == 1
    assert "must end in .png" in said(capsys)


def test_only_what_is_there_is_exported(run, capsys):
    assert main(["export", "--run", str(run.root / "not there")]) == 1
    assert "is not there; begin it with data or train" in said(capsys)
    with pytest.raises(SystemExit, match="2"):
        main(["export", "--run", str(run.root), "--network", "other"])


def test_serving_needs_an_export(tmp_path, capsys):
    open_run(tmp_path / "new", {})
    assert main(["serve", "--run", str(tmp_path / "new")]) == 1
    assert "run the export step first" in said(capsys)
    assert main(["rehearse", "--run", str(tmp_path / "new")]) == 1
    assert "run the export step first" in said(capsys)


def test_serve_becomes_the_server_of_what_was_exported(server):
    with Client(server, NAME) as client:
        assert client.manifest()["class_names"] == list(reference_classes())


@pytest.mark.parametrize(
    ("source", "network", "which"),
    [("drawn", "auto", "reference"), ("drawn", "own", "own"), ("folder", "auto", "own"),
     ("folder", "reference", "reference")],
)  # fmt: skip
def test_photographs_are_answered_by_a_network_that_knows_them(
    source, network, which, tmp_path, monkeypatch
):
    """Drawn scenes teach nothing about photographs; then the reference model is exported."""
    exported = []
    monkeypatch.setattr(steps, "export_network", lambda *given: exported.append(given) or tmp_path)
    monkeypatch.setattr(steps, "load_reference_model", lambda: "reference")
    monkeypatch.setattr(Workplace, "examine", lambda self: ("own", None))
    monkeypatch.setattr(Workplace, "scenes", type("", (), {"classes": ("a",)}))

    class Silent(Reporter):
        def line(self, text):
            pass

    from rich.console import Console

    place = Workplace(Config(source=source), RunFolder(tmp_path), Silent(Console(quiet=True)))
    steps.export(place, ExportOptions(network))
    ((model, classes, _),) = exported
    assert model == which
    assert classes == (("a",) if which == "own" else reference_classes())


def test_the_server_draws_what_kerascam_draws(server, photo):

    with Client(server, NAME) as client:
        answer = client.explain([photo])
    drawn = cv2.imdecode(np.frombuffer(answer.overlays[0], np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    np.testing.assert_array_equal(drawn, kerascam.overlay(unpacked(photo), answer.heatmaps[0]))


# --------------------------------------------------------------------- the page about serving


@pytest.mark.skipif(shutil.which("curl") is None, reason="the commands need curl")
def test_the_commands_of_the_page_do_what_it_says(server, photo, tmp_path):
    blocks = re.findall(
        r"^ *```sh\n(.*?)^ *```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    shutil.copy(photo, tmp_path / "photo.jpg")
    outputs = []
    for block in blocks:
        script = re.sub(r"^   ", "", block, flags=re.MULTILINE)
        script = script.replace("http://localhost:8501", server)
        done = subprocess.run(
            ["sh", "-e", "-c", script], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        outputs.append(done.stdout)
    status, _, looked, _, predicted = outputs

    assert json.loads(status)["model_version_status"][0]["state"] == "AVAILABLE"
    name, probability, state = looked.split()
    assert (name, state) == ("buildings", "ok")
    assert json.loads(predicted)["outputs"]["class_name"] == ["buildings"]
    assert json.loads(predicted)["outputs"]["probabilities"][0][0] == pytest.approx(
        float(probability), abs=1e-5
    )
    answer = json.loads((tmp_path / "sea-answer.json").read_text())["predictions"][0]
    assert answer["class_name"] == reference_classes()[4] == "sea"
    assert unpacked(tmp_path / "overlay.png").shape == unpacked(photo).shape


def test_the_example_of_the_page_exports(tmp_path):
    example, *_ = re.findall(r"^```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL | re.M)
    folder = tmp_path / "models" / "scenes"
    code = example.replace('"models/scenes"', repr(str(folder)))
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((8, 8, 3)), layers.Conv2D(2, 3, activation="relu"),
         layers.GlobalAveragePooling2D(), layers.Dense(6, "softmax")]
    )  # fmt: skip
    exec(compile(code, str(PAGE), "exec"), {"model": model})
    manifest = json.loads((folder / "1" / "assets" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["class_names"] == list(reference_classes())
