"""Surveys: the table holds the explainer's own values, and goes on after a stop at any moment."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers as L
from small_survey import make_model, write_place

import kerascam
from kerascam.cli import main
from kerascam.model import fingerprint_of
from kerascam.surveying.halves import to_halves
from kerascam.surveying.heat import heat_of

pytest.importorskip("pyarrow")

NAMES = ["ape", "bee", "cow"]
COUNT = 23


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A model and a folder of photographs, of which two cannot be read."""
    folder = tmp_path_factory.mktemp("surveyed")
    write_place(folder, NAMES, COUNT)
    (folder / "photos" / "cow" / "99.png").write_bytes(b"")
    return folder


@pytest.fixture(scope="module")
def model(place):
    return keras.saving.load_model(place / "model.keras")


def survey_of(model, place, out, **options):
    explainer = kerascam.GradCAM(model, class_names=NAMES)
    options = {"batch_size": 4, "shard_size": 6, **options}
    return kerascam.explain_dataset(explainer, place / "photos", out, **options)


def shards(folder):
    return {path.name: path.read_bytes() for path in sorted(Path(folder).glob("shard-*"))}


@pytest.fixture(scope="module")
def made(model, place, tmp_path_factory):
    return survey_of(model, place, tmp_path_factory.mktemp("whole") / "out")


# ------------------------------------------------------------------------------------ the values


def test_rows_are_what_the_explainer_returns(model, place, made):
    files = [made.path(index) for index in range(len(made))]
    explainer = kerascam.GradCAM(model, class_names=NAMES)
    own = explainer(kerascam.load_images(files, model).images)
    largest = own.maps.max((1, 2), keepdims=True)
    assert (np.abs(made.maps() - own.maps) <= 2**-11 * largest).all()
    np.testing.assert_allclose(made.heatmaps(range(len(made))), own.heatmaps, atol=2e-3)
    np.testing.assert_array_equal(made.column("class"), own.classes)
    np.testing.assert_allclose(made.column("probability"), own.probabilities, rtol=1e-5)
    np.testing.assert_allclose(made.column("score"), own.scores, rtol=1e-5)
    one = made.explanation(5)
    assert repr(one) == repr(own[5]).replace(own.notes[0], one.notes[0])
    assert made.column("label").tolist() == [file.parent.name for file in files]
    assert made.column("label_class").tolist() == [NAMES.index(f.parent.name) for f in files]
    assert made.column("key").tolist() == sorted(made.column("key").tolist())


def test_relevance_is_each_weight_times_its_features_mean(model, made):
    photos = kerascam.load_images([made.path(index) for index in range(4)], model).images
    features = keras.Model(model.inputs[0], model.get_layer("last").output)(photos).numpy()
    kernel = model.layers[-1].kernel.numpy()[:, made.column("class")[:4]].T
    cells = features.shape[1] * features.shape[2]
    expected = kernel / cells * features.mean((1, 2))  # by global pooling, each gradient is w / Z
    np.testing.assert_allclose(made.relevance()[:4], expected, atol=2**-10 * expected.max())


@pytest.mark.parametrize(
    ("method", "has"), [("hires_cam", True), ("layer_cam", True), ("eigen_cam", False)]
)
def test_the_mean_of_a_map_is_the_sum_of_relevances(model, place, tmp_path, method, has):
    explainer = kerascam.Explainer(model, method)
    options = {"batch_size": 8, "shard_size": 8}
    found = kerascam.explain_dataset(explainer, place / "photos" / "ape", tmp_path / "o", **options)
    assert found.has_relevance is has
    if has:
        sums, means = found.relevance().sum(1), found.maps().mean((1, 2))
        np.testing.assert_allclose(sums, means, rtol=0.01, atol=1e-5)
    else:
        with pytest.raises(ValueError, match="no column 'relevance'"):
            found.relevance()


def test_several_layers_and_images_have_their_own_columns(model, place, tmp_path):
    photos = place / "photos" / "cow"
    deep = keras.Sequential(
        [
            keras.Input((12, 12, 3)), L.Conv2D(4, 3, name="fine"),
            L.Conv2D(2, 3, strides=2, name="coarse"), L.Flatten(), L.Dense(3, "softmax"),
        ]
    )  # fmt: skip
    fused = kerascam.LayerCAM(deep, ["fine", "coarse"])
    found = kerascam.explain_dataset(fused, photos, tmp_path / "two", preprocess="0-1")
    images = kerascam.load_images(
        [found.path(i) for i in range(len(found))], deep, preprocess="0-1"
    )
    own = fused(images.images)
    assert [found.maps(n).shape[1:] for n in (0, 1)] == [each.shape[1:] for each in own.maps]
    np.testing.assert_allclose(found.heatmaps(range(len(found))), own.heatmaps, atol=4e-3)
    assert found.relevance(1).shape == (len(found), 2)
    of_images = kerascam.explain_dataset(kerascam.Saliency(model), photos, tmp_path / "three")
    assert of_images.maps().shape == (len(found), 12, 12) and not of_images.has_relevance


def test_a_data_set_gives_the_same_rows_as_its_files(model, place, made, tmp_path):
    files = [made.path(index) for index in range(len(made))]
    images = kerascam.load_images(files, model).images
    labels = made.column("label_class").astype(int)
    batches = tf.data.Dataset.from_tensor_slices((images, labels)).batch(5)
    explainer = kerascam.GradCAM(model, class_names=NAMES)
    found = kerascam.explain_dataset(explainer, batches, tmp_path, batch_size=4, shard_size=6)
    np.testing.assert_allclose(found.maps(), made.maps(), atol=2e-3 * made.maps().max())
    assert found.column("label_class").tolist() == labels.tolist() and found.path(0) is None
    again = kerascam.explain_dataset(explainer, batches, tmp_path, batch_size=4, shard_size=6)
    assert len(again) == len(made)
    shuffled = batches.shuffle(8, seed=3, reshuffle_each_iteration=True)
    with pytest.raises(ValueError, match="images.first images was .* and is"):
        kerascam.explain_dataset(explainer, shuffled, tmp_path, batch_size=4, shard_size=6)


def test_a_row_depends_on_its_image_alone(model, place, made, tmp_path):
    other = survey_of(model, place, tmp_path, batch_size=3, shard_size=5)
    np.testing.assert_allclose(other.maps(), made.maps(), atol=1e-3 * made.maps().max())


def test_halves_keep_digits_at_any_scale():
    values = np.random.default_rng(0).normal(size=(6, 50)) * 10.0 ** np.arange(-30, 30, 10)[:, None]
    halves, scales = to_halves(values)
    errors = np.abs(halves * scales[:, None] - values).max(1) / np.abs(values).max(1)
    assert (errors <= 2**-11).all() and (np.log2(scales) % 1 == 0).all()


def test_heat_of_maps_known_by_hand():
    maps = np.zeros((4, 8, 8))
    maps[0, 0] = 2  # the first row of eight: all within the border
    maps[1, 3:5, 3:5] = 5
    maps[2] = -1
    maps[3, 0, 0], maps[3, 4, 4] = 3, 1
    heat = heat_of(maps)
    np.testing.assert_allclose(heat.border, [1, 0, np.nan, 0.75])
    np.testing.assert_allclose(heat.centre, [0, 1, np.nan, 0.25])
    np.testing.assert_allclose(heat.area, [8 / 64, 4 / 64, np.nan, 1 / 64])
    by_hand = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25)) / np.log(64)
    np.testing.assert_allclose(heat.entropy, [1 / 2, 1 / 3, np.nan, by_hand])
    np.testing.assert_allclose(heat_of(np.ones((1, 5))).border, 0.25)


# -------------------------------------------------------------------------------- stop and go on


STOPPED = """
import sys
import keras, kerascam
model = keras.saving.load_model(sys.argv[1] + "/model.keras")
explainer = kerascam.GradCAM(model, class_names=["ape", "bee", "cow"])
print("ready", flush=True)
kerascam.explain_dataset(
    explainer, sys.argv[1] + "/photos", sys.argv[2], batch_size=4, shard_size=6,
    progress=lambda done, total: print(done, flush=True))
"""


def test_a_survey_that_is_killed_goes_on_to_the_same_bytes(model, place, made, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    for done in ("0", "13"):  # before the first shard, and within the third
        command = [sys.executable, "-c", STOPPED, str(place), str(out)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout or ():
                if line.strip().isdigit() and int(line) >= int(done):
                    process.send_signal(signal.SIGKILL)
                    break
            process.wait()
        assert process.returncode == -signal.SIGKILL and not (out / "manifest.json").exists()
    part = kerascam.read_survey(out)
    assert not part.complete and 0 < len(part) < COUNT
    (out / ".shard-00003.parquet.part").write_bytes(b"half of it")
    before = {name: os.stat(out / name).st_mtime_ns for name in shards(out)}
    whole = survey_of(model, place, out)
    assert shards(out) == shards(made.folder)
    assert all(os.stat(out / name).st_mtime_ns == when for name, when in before.items())
    timed = ("begun", "finished", "seconds", "notes")
    one, other = (
        {name: value for name, value in each.manifest.items() if name not in timed}
        for each in (whole, made)
    )
    assert one == other and whole.complete
    assert (out / "mine.txt").read_text() == "mine"
    assert {path.name for path in out.iterdir()} == {
        *shards(out), "survey.json", "manifest.json", "mine.txt",
    }  # fmt: skip


def test_it_does_not_go_on_with_anything_else(model, place, made):
    other = make_model(len(NAMES), seed=1)
    for explainer, options, difference in (
        (kerascam.GradCAM(other, class_names=NAMES), {}, "model was"),
        (kerascam.LayerCAM(model, class_names=NAMES), {}, 'method was "grad_cam" and is "layer_c'),
        (kerascam.GradCAM(model), {}, "class_names was"),
        (kerascam.GradCAM(model, class_names=NAMES), {"fit": "crop"}, 'reading.fit was "stretch"'),
        (kerascam.GradCAM(model, class_names=NAMES), {"classes": 1}, "classes was null and is 1"),
        (kerascam.GradCAM(model, class_names=NAMES), {"batch_size": 8}, "batch_size was 4 and is"),
        (kerascam.GradCAM(model, class_names=NAMES), {"labels": "none"}, "images.names and labels"),
    ):
        options = {"batch_size": 4, "shard_size": 6, **options}
        with pytest.raises(ValueError, match="begun otherwise") as caught:
            kerascam.explain_dataset(explainer, place / "photos", made.folder, **options)
        assert difference in str(caught.value)


def test_a_fingerprint_is_of_weights_and_configuration(place, model):
    again = keras.saving.load_model(place / "model.keras")
    assert fingerprint_of(again) == fingerprint_of(model) == fingerprint_of(make_model(len(NAMES)))
    again.layers[-1].kernel.assign(again.layers[-1].kernel * 1.001)
    assert fingerprint_of(again) != fingerprint_of(model)
    other = make_model(len(NAMES))
    other.get_layer("last").activation = keras.activations.gelu
    assert fingerprint_of(other) != fingerprint_of(model)


def test_files_of_others_are_left_alone(model, place, tmp_path):
    for name, content in (
        ("manifest.json", "{}"),
        ("survey.json", "mine"),
        ("shard-00000.parquet", ""),
    ):
        folder = tmp_path / name
        folder.mkdir()
        (folder / name).write_text(content)
        with pytest.raises(ValueError, match=f"holds {name}"):
            survey_of(model, place, folder)
        assert (folder / name).read_text() == content and len(list(folder.iterdir())) == 1
    begun = survey_of(model, place, tmp_path / "own").folder
    (begun / "manifest.json").unlink()
    (begun / "shard-00001.parquet").write_bytes(b"not ours")
    with pytest.raises(ValueError, match=r"shard-00001\.parquet, which is not of this survey"):
        survey_of(model, place, begun)


def test_two_processes_do_not_write_one_survey(model, place, tmp_path):
    fcntl = pytest.importorskip("fcntl")
    held = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    with pytest.raises(ValueError, match="is being written by another process"):
        survey_of(model, place, tmp_path)
    os.close(held)


# ---------------------------------------------------------------------------------- broken files


def broken_files(folder, whole):
    """Write files that are broken in ten ways."""
    png = cv2.imencode(".png", whole)[1].tobytes()
    jpeg = cv2.imencode(".jpg", whole)[1].tobytes()
    claim = bytearray(png)
    claim[16:24] = (2**20).to_bytes(4, "big") * 2
    files = {
        "empty.png": b"",
        "text.jpg": b"not a photograph",
        "cut.jpg": jpeg[: len(jpeg) // 4],
        "cut.png": png[: len(png) // 2],
        "flipped.png": png[:60] + bytes(each ^ 255 for each in png[60:]),
        "huge.png": bytes(claim),
        "page.jpg": b"<!doctype html><html></html>",
        "zeros.jpg": bytes(4096),
        "header.gif": b"GIF89a",
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / "gone.png").symlink_to(folder / "nowhere.png")
    return sorted([*files, "gone.png"])


def test_files_broken_in_ten_ways_are_named_and_passed_over(model, tmp_path):
    rng = np.random.default_rng(3)
    photo = rng.integers(0, 255, (40, 40, 3), np.uint8)
    bad = broken_files(tmp_path, photo)
    for number in range(5):
        cv2.imwrite(str(tmp_path / f"good{number}.png"), photo[number:])
    explainer = kerascam.GradCAM(model)
    found = kerascam.explain_dataset(explainer, tmp_path, tmp_path / "out", shard_size=4)
    assert [name for name, _ in found.failures()] == bad and len(bad) == 10
    assert found.column("key").tolist() == [f"good{number}.png" for number in range(5)]
    assert all(reason for _, reason in found.failures())
    assert found.manifest["unreadable"] == 10 and found.manifest["images"] == 15


# ------------------------------------------------------------------------------------- arguments


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": ["ape"]}, "labels must be one text for each of the 25 files"),
        ({"labels": "folders"}, 'labels must be "folder", "none" or a list'),
        ({"batch_size": 0}, "batch_size must be"),
        ({"fit": "pad"}, "fit must be"),
        ({"preprocess": "resnet5"}, "preprocess has no 'resnet5'"),
        ({"classes": 7}, "classes"),
    ],
)
def test_mistakes(model, place, tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        survey_of(model, place, tmp_path / "never", **options)
    assert not shards(tmp_path / "never")


@pytest.mark.usefixtures("unchecked")
def test_mistakes_of_type(model, place, tmp_path):
    with pytest.raises(TypeError, match="explainer must be an explainer"):
        kerascam.explain_dataset(model, place / "photos", tmp_path)
    with pytest.raises(TypeError, match="classes must be one index or name"):
        survey_of(model, place, tmp_path, classes=[0, 1])
    with pytest.raises(ValueError, match="images must hold at least one image file"):
        kerascam.explain_dataset(kerascam.GradCAM(model), [tmp_path], tmp_path / "out")


# ------------------------------------------------------------------------------ the command line


def run(place, *words):
    return main(["survey", str(place / "model.keras"), *words])


def test_the_command_writes_the_same_survey(place, made, tmp_path, capsys):
    words = ["--class-names", str(place / "names.txt"), "--batch-size", "4", "--shard-size", "6"]
    words += ["--no-study"]
    assert run(place, str(place / "photos"), *words, "--out", str(tmp_path / "out")) == 1
    said = capsys.readouterr().err
    assert (
        "2 of 25 images could not be explained" in said and "cow/99.png: the file is empty" in said
    )
    assert shards(tmp_path / "out") == shards(made.folder)
    assert run(place, str(place / "photos"), *words, "--out", str(tmp_path / "out")) == 1
    assert run(place, str(place / "photos"), "--out", str(tmp_path / "out")) == 2
    assert "begun otherwise: " in capsys.readouterr().err


def test_the_command_names_what_labels_lack(place, tmp_path, capsys):
    pattern = str(place / "photos" / "ape" / "*.png")
    assert (
        run(place, pattern, "--out", str(tmp_path / "a"), "--labels", "folder", "--no-study") == 0
    )
    assert "8 true classes such as ape are not among the class names" in capsys.readouterr().err
    content = json.loads((tmp_path / "a" / "manifest.json").read_text("utf-8"))
    assert content["explained"] == 8 and content["unreadable"] == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere"], "nowhere: no such file or folder"),
        (["photos", "--method", "grad_cam,layer_cam"], "--method must be given once"),
        (["photos", "--class", "0", "--class", "1"], "--class must be given once"),
    ],
)
def test_mistakes_of_the_command(place, tmp_path, monkeypatch, capsys, words, message):
    monkeypatch.chdir(place)
    assert run(place, *words, "--out", str(tmp_path / "never")) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "never").exists()
