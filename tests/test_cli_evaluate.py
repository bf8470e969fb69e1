"""`kerascam evaluate`: the figures are those of the library, and mistakes are named."""

import json

import cv2
import keras
import numpy as np
import pytest
from keras import layers as L

import kerascam
from kerascam.cli import main
from kerascam.evaluating.handing import Supply


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A model, four photographs and masks of three of them."""
    folder = tmp_path_factory.mktemp("evaluated")
    keras.utils.set_random_seed(0)
    keras.Sequential(
        [
            keras.Input((12, 12, 3)),
            L.Rescaling(1 / 255),
            L.Conv2D(4, 3, padding="same", activation="relu", name="last"),
            L.GlobalAveragePooling2D(),
            L.Dense(3, activation="softmax"),
        ]
    ).save(folder / "model.keras")
    (folder / "photos").mkdir()
    (folder / "masks").mkdir()
    rng = np.random.default_rng(0)
    for number in range(4):
        photo = rng.integers(0, 255, (24, 24, 3), np.uint8)
        cv2.imwrite(str(folder / "photos" / f"{number}.png"), photo)
        mask = np.zeros((24, 24), np.uint8)
        mask[:12, :8] = 200
        if number:
            cv2.imwrite(str(folder / "masks" / f"{number}.png"), mask)
    return folder


def run(place, *words):
    return main(["evaluate", str(place / "model.keras"), str(place / "photos"), *words])


def test_the_figures_are_those_of_the_library(place, capsys):
    words = ["--masks", str(place / "masks"), "--method", "grad_cam,saliency", "--class", "1"]
    words += ["--metric", "mass_in_mask", "--metric", "Deletion", "--out", str(place / "out")]
    assert run(place, *words) == 0
    said = capsys.readouterr()
    assert "1 of 4 images have no mask" in said.err and "Mass in mask" in said.out
    model = keras.saving.load_model(place / "model.keras")
    images, _ = kerascam.load_images(sorted((place / "photos").iterdir()), model)
    masks = np.zeros((4, 12, 12), bool)
    masks[1:, :6, :4] = True
    wanted = kerascam.evaluate(
        [kerascam.GradCAM(model), kerascam.Saliency(model)],
        images,
        1,
        masks,
        ["mass_in_mask", "deletion"],
    )
    found = np.load(place / "out" / "evaluation.npz")
    np.testing.assert_allclose(found["figures"], wanted.figures, atol=1e-5)
    assert np.isnan(found["figures"][0, 0, 0]) and found["reasons"][0, 0, 0] == "The mask is empty."
    content = json.loads((place / "out" / "evaluation.json").read_text("utf-8"))
    assert content["images"] == 4 and content["methods"] == ["grad_cam", "saliency"]
    page = (place / "out" / "evaluation.html").read_text("utf-8")
    assert page.count("<figcaption>") == 8 and "3.png: class 1, Grad-CAM" in page
    assert page.startswith("<!doctype html>") and 'name="viewport"' in page


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--metric", "pointing_game"], "--metric pointing_game needs --masks FOLDER"),
        (["--metric", "deleton"], "did you mean 'deletion'"),
        (["--masks", "nowhere"], "--masks nowhere is no folder"),
        (["--top", "2"], "--top does not go with evaluate"),
        (["--class", "0", "--class", "1"], "--class must be given once"),
    ],
)
def test_mistakes(place, capsys, words, message):
    assert run(place, *words, "--out", str(place / "never")) == 2
    assert message in capsys.readouterr().err
    assert not (place / "never").exists()


def test_masks_of_other_names_and_folders_of_others(place, tmp_path, capsys):
    cv2.imwrite(str(tmp_path / "other.png"), np.zeros((4, 4), np.uint8))
    assert run(place, "--masks", str(tmp_path)) == 2
    assert "holds no mask of any image: one for" in capsys.readouterr().err
    (tmp_path / "evaluation.html").write_text("mine")
    assert run(place, "--out", str(tmp_path)) == 2
    assert "holds evaluation.html, which kerascam did not write" in capsys.readouterr().err


def test_metrics_are_listed(capsys):
    assert main(["metrics"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) >= len(kerascam.metrics.METRICS) and "Petsiuk et al., 2018" in lines[2]


def test_ctrl_c_and_the_same_command_again(place, tmp_path, capsys, monkeypatch):
    words = ["--method", "grad_cam,saliency", "--metric", "deletion,entropy", "--batch-size", "2"]
    assert run(place, *words, "--out", str(tmp_path / "whole")) == 0
    out, measure, begun = tmp_path / "out", Supply.measure, []

    def stopping(self, metric, options):
        begun.append(metric.name)
        if len(begun) == 6:
            raise KeyboardInterrupt
        return measure(self, metric, options)

    monkeypatch.setattr(Supply, "measure", stopping)
    capsys.readouterr()
    assert run(place, *words, "--out", str(out)) == 130
    said = " ".join(capsys.readouterr().err.split())
    assert "unfinished: the same command goes on there" in said and "interrupted" in said
    assert [path.name for path in out.iterdir()] == ["unfinished"]
    assert run(place, *words, "--seed", "3", "--out", str(out)) == 2
    assert "was begun with other arguments: seed was 0 and is 3" in capsys.readouterr().err
    del begun[:]
    begun += [""] * 6
    assert run(place, *words, "--out", str(out)) == 0
    assert len(begun) == 6 + 24 - 5 and not (out / "unfinished").exists()
    found, whole = (np.load(folder / "evaluation.npz") for folder in (out, tmp_path / "whole"))
    for name in whole.files:
        np.testing.assert_array_equal(found[name], whole[name])
