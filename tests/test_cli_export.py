"""`kerascam export`: what its file answers is what `kerascam explain` would say."""

import dataclasses
import json
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
from ask_in_session import Served
from keras import layers

from kerascam import LayerCAM
from kerascam.cli import main

CLASS_NAMES = ("cat", "dog", "élan")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    keras.utils.set_random_seed(5)
    network = keras.Sequential(
        [
            keras.Input((20, 30, 3)),
            layers.Conv2D(6, 3, activation="relu", name="first"),
            layers.Conv2D(6, 3, activation="relu", name="last"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, "softmax"),
        ]
    )
    path = tmp_path_factory.mktemp("model") / "small.keras"
    network.save(path)
    return path


def test_exports_what_it_was_told(
    model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    names = tmp_path / "names.txt"
    names.write_text("\n".join(CLASS_NAMES), encoding="utf-8")
    out = tmp_path / "models" / "pets"
    arguments = ["--class-names", str(names), "--method", "LayerCAM", "--layer", "first"]
    arguments += ["--preprocess", "0-1", "--colormap", "viridis", "--raw-maps"]
    arguments += ["--max-pixels", "12345", "--style", "outline", "--levels", "0.6,0.3"]
    assert main(["export", str(model), "--out", str(out), *arguments]) == 0
    assert f"LayerCAM at first, version 1: {out / '1'}" in capfd.readouterr().err

    manifest = json.loads((out / "1" / "assets" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["class_names"] == list(CLASS_NAMES)
    assert manifest["photographs"]["preprocess"] == "0-1"
    assert manifest["photographs"]["max_pixels"] == 12345
    photo = np.random.default_rng(0).integers(0, 256, (20, 30, 3)).astype(np.uint8)
    encoded = cv2.imencode(".png", photo[..., ::-1])[1].tobytes()
    answer = Served(out / "1")("explain_bytes", image_bytes=np.array([encoded], object))
    network = keras.saving.load_model(model)
    wanted = LayerCAM(network, "first", class_names=CLASS_NAMES)(np.float32(photo)[None] / 255)
    assert answer["class_name"][0].decode() == wanted.class_name(0)
    np.testing.assert_allclose(answer["heatmap"], wanted.heatmaps, rtol=0, atol=1e-5)
    np.testing.assert_allclose(answer["map"], wanted.maps, rtol=1e-4, atol=1e-6)
    drawn = cv2.imdecode(np.frombuffer(answer["overlay_bytes"][0], np.uint8), 1)[..., ::-1]
    look = {"colormap": "viridis", "style": "outline", "levels": [0.3, 0.6]}
    drawn_from = dataclasses.replace(wanted, heatmaps=answer["heatmap"])
    np.testing.assert_array_equal(drawn, drawn_from.overlay(photo[None], **look)[0])
    told = manifest["photographs"]["overlay"]
    assert told == {**look, "alpha": 1.0, "side": 256}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--size", "5x5"], "size=(5, 5) does not fit the model, which takes 20×30"),
        (["--preprocess", "reznet50"], "--preprocess has no 'reznet50'; did you mean resnet50"),
        (["--method", "grad_cam,cam"], "--method takes one"),
        (["--layer", "lost"], "no layer 'lost'"),
        (["--colormap", "infernal"], "no colormap 'infernal'; did you mean inferno or"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(
    arguments: list[str], message: str, model: Path, tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    out = tmp_path / "out"
    assert main(["export", str(model), "--out", str(out), *arguments]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert message in line
    assert not out.exists()


def test_a_model_without_photographs_is_exported_with_a_note(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    network = keras.Sequential(
        [
            keras.Input((30, 2)),
            layers.Conv1D(4, 3, activation="relu"),
            layers.GlobalAveragePooling1D(),
            layers.Dense(2, "softmax"),
        ]
    )
    network.save(tmp_path / "signal.keras")
    out = tmp_path / "signals"
    assert main(["export", str(tmp_path / "signal.keras"), "--out", str(out)]) == 0
    assert "takes no photographs, so there are no _bytes signatures" in capfd.readouterr().err
    signatures = set(Served(out / "1").signatures)
    assert signatures - {"__saved_model_init_op"} == {"serving_default", "explain", "manifest"}
