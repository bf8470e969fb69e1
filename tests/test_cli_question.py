"""`--place`, `--axes` and `--input`: which input is explained, how it is read, where heat lies."""

import json
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf
from ask_in_session import Served, exported
from keras import layers
from proofs import wide

from kerascam import GradCAM, Saliency, export
from kerascam.cli import main

RANDOM = np.random.default_rng(0)


def draw(*shape: int) -> np.ndarray:
    return RANDOM.normal(0, 1, shape).astype(np.float32)


@pytest.fixture(scope="module")
def towers() -> keras.Model:
    """A picture, a clip's features over time with the channels first, and a row of numbers."""
    keras.utils.set_random_seed(0)
    picture, signal = keras.Input((8, 9, 3), name="picture"), keras.Input((4, 12), name="signal")
    row = keras.Input((5,), name="row")
    seen = layers.Conv2D(5, 3, activation="relu", name="of_picture")(picture)
    turned = layers.Permute((2, 1))(signal)
    heard = layers.Conv1D(6, 3, activation="relu", name="of_signal")(turned)
    pooled = [layers.GlobalAveragePooling2D()(seen), layers.GlobalAveragePooling1D()(heard), row]
    return keras.Model([picture, signal, row], layers.Dense(3)(layers.Concatenate()(pooled)))


INPUTS = [draw(2, 8, 9, 3), draw(2, 4, 12), draw(2, 5)]
REQUEST = dict(zip(("picture", "signal", "row"), INPUTS, strict=True))
CLASSES = {"class_index": np.array([1, 2], np.int32)}


def answered(folder: Path) -> np.ndarray:
    return Served(folder)("explain", **REQUEST, **CLASSES)["heatmap"]


@pytest.mark.parametrize(
    ("method", "options", "size"),
    [
        (GradCAM, {"input": 0}, (8, 9)),
        (Saliency, {"input": "signal", "axes": "ct"}, (12,)),
        *wide(
            [],
            [
                (GradCAM, {"input": "signal"}, (12,)),
                (Saliency, {"input": "signal", "axes": "hw"}, (4, 12)),
                (Saliency, {"input": "picture"}, (8, 9)),
            ],
        ),
    ],
)
def test_an_export_explains_the_input_that_is_asked_for(towers, tmp_path, method, options, size):
    explain = method(towers, **options)
    folder = exported(explain, tmp_path / "towers", warm_up=False)
    found = explain(INPUTS, [1, 2])
    assert found.heatmaps.shape == (2, *size)
    np.testing.assert_allclose(answered(folder), found.heatmaps, rtol=0, atol=1e-5)
    manifest = json.loads((folder / "assets" / "manifest.json").read_text("utf-8"))
    assert manifest["notes"] == list(found.notes)


def test_an_exports_input_and_axes_on_the_command_line(towers, tmp_path):
    towers.save(tmp_path / "towers.keras")
    arguments = ["export", str(tmp_path / "towers.keras"), "--out", str(tmp_path / "out")]
    arguments += ["--method", "saliency"]
    for named, axes, size in (("signal", "ct", (12,)), ("1", "hw", (4, 12))):
        assert main([*arguments, "--input", named, "--axes", axes]) == 0
        found = Saliency(towers, input="signal", axes=axes)(INPUTS, [1, 2])
        assert found.heatmaps.shape == (2, *size)
        folder = max((tmp_path / "out").iterdir())
        np.testing.assert_allclose(answered(folder), found.heatmaps, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--input", "sound"], "'picture' (0), 'signal' (1), 'row' (2), not 'sound'"),
        (["--input", "3"], "'row' (2), not 3"),
        (["--input", "signal", "--axes", "xy"], "axes must name each axis of the input"),
        (["--input", "signal", "--axes", "hwc"], "axes='hwc' must have a letter for each axis"),
    ],
)
def test_wrong_inputs_and_axes_are_one_line(towers, tmp_path, capfd, arguments, message):
    towers.save(tmp_path / "towers.keras")
    model, out = str(tmp_path / "towers.keras"), tmp_path / "out"
    assert main(["export", model, "--out", str(out), *arguments]) == 2
    error = capfd.readouterr().err
    assert message in error and "Traceback" not in error
    assert not list(out.glob("*"))


def test_the_layers_of_one_input_are_listed(towers, tmp_path, capfd):
    towers.save(tmp_path / "towers.keras")
    for name, other in (("picture", "signal"), ("signal", "picture")):
        assert main(["layers", str(tmp_path / "towers.keras"), "--input", name]) == 0
        listed = capfd.readouterr().out
        assert f"of_{name}" in listed and f"of_{other}" not in listed


def test_an_export_whose_images_lie_on_their_side_takes_no_photographs(tmp_path):
    model = keras.Sequential(
        [keras.Input((9, 8, 3)), layers.Conv2D(3, 3, name="last"), layers.GlobalMaxPooling2D(),
         layers.Dense(2)])  # fmt: skip
    explain = GradCAM(model, axes="whc")
    with pytest.raises(ValueError, match="size=.* is for photographs, but the axes of the model's"):
        export(explain, tmp_path / "sized", size=(9, 8), warm_up=False)
    folder = exported(explain, tmp_path / "model", warm_up=False)
    assert set(tf.saved_model.load(str(folder)).signatures) >= {"explain"}
    assert "explain_bytes" not in tf.saved_model.load(str(folder)).signatures
    images = draw(2, 9, 8, 3)
    answer = Served(folder)("explain", image=images, **CLASSES | {"class_index": np.int32([0, 1])})
    np.testing.assert_allclose(answer["heatmap"], explain(images, [0, 1]).heatmaps, atol=1e-5)


# ------------------------------------------------------------------------------ explain


@pytest.fixture
def photos(tmp_path: Path) -> list[str]:
    paths = [tmp_path / f"{number}.png" for number in range(3)]
    for path in paths:
        values = RANDOM.integers(0, 256, (32, 32, 3)).astype(np.uint8)
        cv2.imwrite(str(path), cv2.GaussianBlur(values, (0, 0), 3))
    return list(map(str, paths))


def heatmaps_of(folder: Path) -> np.ndarray:
    return np.stack([cv2.imread(str(path)) for path in sorted(folder.glob("*.png"))])


def test_place_effective_moves_the_heat_on_the_command_line(tmp_path, photos):
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [keras.Input((32, 32, 3)), layers.Rescaling(1 / 255),
         layers.ZeroPadding2D(((4, 0), (4, 0))),
         layers.Conv2D(6, 5, 2, activation="relu"), layers.ZeroPadding2D(((4, 0), (4, 0))),
         layers.Conv2D(6, 5, 2, activation="relu", name="last"), layers.GlobalAveragePooling2D(),
         layers.Dense(2, "softmax")])  # fmt: skip
    model.save(tmp_path / "padded.keras")
    for place in ("stretch", "effective"):
        out = tmp_path / place
        arguments = ["--place", place, "--out", str(out), "--class", "1"]
        assert main(["explain", str(tmp_path / "padded.keras"), *photos, *arguments]) == 0
    images = np.stack([cv2.imread(path)[..., ::-1] for path in photos]).astype(np.float32)
    for place in ("stretch", "effective"):
        found = GradCAM(model, place=place)(images, 1)
        wanted = found.overlay(images.astype(np.uint8))
        drawn = heatmaps_of(tmp_path / place)[..., ::-1]
        np.testing.assert_allclose(drawn, wanted, atol=1)
    assert (heatmaps_of(tmp_path / "stretch") != heatmaps_of(tmp_path / "effective")).any()


def test_place_is_for_methods_of_layers(tmp_path, photos, capfd):
    model = keras.Sequential(
        [keras.Input((32, 32, 3)), layers.Conv2D(6, 5, name="last"),
         layers.GlobalAveragePooling2D(), layers.Dense(2)])  # fmt: skip
    model.save(tmp_path / "m.keras")
    both = ["explain", str(tmp_path / "m.keras"), *photos, "--place", "effective"]
    out = ["--out", str(tmp_path / "out")]
    assert main([*both, *out, "--method", "grad_cam,saliency"]) == 0
    assert main([*both, *out, "--method", "saliency"]) == 2
    assert "place='effective' does not go with Saliency" in capfd.readouterr().err


def test_axes_say_where_the_channels_of_images_are(tmp_path, photos):
    """Three rows, three columns: by its shape alone, it takes images with the channels last."""
    keras.utils.set_random_seed(2)
    model = keras.Sequential(
        [keras.Input((3, 9, 3)), layers.Permute((2, 3, 1)), layers.Conv2D(4, 2, activation="relu"),
         layers.GlobalAveragePooling2D(), layers.Dense(2)])  # fmt: skip
    model.save(tmp_path / "first.keras")
    words = ["explain", str(tmp_path / "first.keras"), photos[0], "--method", "saliency"]
    assert main([*words, "--axes", "chw", "--out", str(tmp_path / "chw")]) == 0
    photo = cv2.imread(photos[0])[..., ::-1]
    small = cv2.resize(photo, (3, 9), interpolation=cv2.INTER_AREA).astype(np.float32)
    found = Saliency(model, axes="chw")(small.transpose(2, 0, 1)[None])
    assert found.heatmaps.shape == (1, 9, 3)
    wanted = found.overlay(photo[None])
    np.testing.assert_allclose(heatmaps_of(tmp_path / "chw")[..., ::-1], wanted, atol=1)
    assert main([*words, "--axes", "cwh"]) == 2
