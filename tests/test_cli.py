"""The command line: what it writes, what it says, and how it ends."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf

import kerascam
from kerascam import GradCAM, Saliency, pictures
from kerascam.cli import main
from kerascam.cli.plan import next_classes
from kerascam.explain.explainer import Explainer
from kerascam.explain.explanation import Explanation
from kerascam.pictures import Reading
from kerascam.registry import METHODS

CLASS_NAMES = ["tabby cat", "tiger", "fox"]


def classifier(*shape: int | None, units: int = 3, activation: str = "softmax") -> keras.Model:
    return keras.Sequential(
        [
            keras.Input(shape),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(5, 3, activation="relu", name="edges"),
            keras.layers.Conv2D(4, 3, activation="relu", name="last"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(units, activation),
        ]
    )


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of model files."""
    keras.utils.set_random_seed(1)
    folder = tmp_path_factory.mktemp("models")
    classifier(8, 8, 3).save(folder / "rgb.keras")
    classifier(None, None, 3).save(folder / "open.keras")
    classifier(8, 8, 1, units=1, activation="sigmoid").save(folder / "grey.keras")
    classifier(8, 8, 3, activation="linear").save(folder / "logits.keras")
    return folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the current one, with class names in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    Path("class_names.txt").write_text("\n".join(CLASS_NAMES))
    return tmp_path


def draw(name: str, height: int = 12, width: int = 20) -> np.ndarray:
    """Write a photo of its own, and give its RGB."""
    rng = np.random.default_rng(sum(name.encode()))
    photo = rng.integers(0, 256, (height, width, 3), np.uint8)
    path = Path(name)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, photo[..., ::-1])[1].tobytes())
    return photo


def read(name: str) -> np.ndarray:
    return cv2.imread(name, cv2.IMREAD_UNCHANGED)[..., ::-1]


def squeeze(photo: np.ndarray, side: int = 8) -> np.ndarray:
    return cv2.resize(photo, (side, side), interpolation=cv2.INTER_AREA)


def manifest(folder: str = "explanations") -> dict[str, Any]:
    return json.loads(Path(folder, "manifest.json").read_text("utf-8"))


def names(folder: str = "explanations") -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir())


def fails(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Run a command that must fail as a whole; give its one line of error."""
    assert main([str(argument) for argument in arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("kerascam: error: ") and captured.err.count("\n") == 1
    assert not Path("explanations").exists()
    return captured.err[len("kerascam: error: ") : -1]


# --------------------------------------------------------------------------- what is written


def test_overlays_and_numbers_are_the_library_s(
    models: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = np.stack([draw("photos/a.png"), draw("photos/b.png")])
    model_file = str(models / "rgb.keras")
    arguments = ["explain", model_file, "photos", "--class-names", "class_names.txt",
                "--alpha", "0.7", "--method", "grad_cam,Saliency",
                "--colormap", "viridis"]  # fmt: skip
    assert main(arguments) == 0

    model = keras.saving.load_model(model_file)
    inputs = np.stack([squeeze(photo) for photo in taken]).astype(np.float32)
    chances = model.predict(inputs, verbose=0)
    rows = manifest()["explanations"]
    assert [(row["image"], row["method"]) for row in rows] == [
        (f"photos/{name}.png", method) for name in "ab" for method in ("grad_cam", "saliency")
    ]
    for method, explainer in enumerate((GradCAM(model, class_names=CLASS_NAMES), Saliency(model))):
        explanation = explainer(inputs)
        pictures = explanation.overlay(taken, colormap="viridis", alpha=0.7)
        for index in range(2):
            row = rows[2 * index + method]
            np.testing.assert_array_equal(read(f"explanations/{row['file']}"), pictures[index])
            assert row["class"] == chances[index].argmax()
            assert row["class_name"] == CLASS_NAMES[row["class"]]
            assert row["probability"] == pytest.approx(chances[index].max(), rel=1e-5)
            assert row["score"] == pytest.approx(float(explanation.scores[index]), rel=1e-6)
            assert (row["layer"], row["status"]) == (explanation.layer, explanation.statuses[index])
    assert names() == sorted([row["file"] for row in rows] + ["index.html", "manifest.json"])

    captured = capsys.readouterr()
    for row in rows:
        line = next(line for line in captured.out.splitlines() if line.endswith(row["file"]))
        assert (
            Path(row["image"]).name in line and row["method"] in line and row["class_name"] in line
        )
        assert f"{row['probability']:.1%}" in line
    assert "\x1b" not in captured.out + captured.err
    assert "note: layer last was chosen: the last features on a grid, 4×4×4" in captured.err
    assert captured.err.endswith(
        "kerascam: 4 pictures, index.html and manifest.json in explanations\n"
    )


def test_crop_explains_the_middle_of_the_photo(models: Path, folder: Path) -> None:
    middle = draw("a.png")[:, 4:16]
    assert main(["explain", str(models / "rgb.keras"), "a.png", "--fit", "crop"]) == 0
    explanation = GradCAM(keras.saving.load_model(models / "rgb.keras"))(squeeze(middle)[None])
    (row,) = manifest()["explanations"]
    assert row["file"] == f"a.grad_cam.class-{row['class']}.png"
    np.testing.assert_array_equal(
        read(f"explanations/{row['file']}"), explanation.overlay(middle[None])[0]
    )


def test_preprocessing_goes_to_the_model_and_not_on_the_picture(models: Path, folder: Path) -> None:
    photo = draw("a.png")
    assert main(["explain", str(models / "rgb.keras"), "a.png", "--preprocess", "-1-1"]) == 0
    inputs = squeeze(photo)[None] / np.float32(127.5) - 1
    explanation = GradCAM(keras.saving.load_model(models / "rgb.keras"))(inputs)
    (row,) = manifest()["explanations"]
    assert row["score"] == pytest.approx(float(explanation.scores[0]), rel=1e-6)
    picture = read(f"explanations/{row['file']}")
    np.testing.assert_array_equal(picture, explanation.overlay(photo[None])[0])


def test_top_classes_come_in_order(models: Path, folder: Path) -> None:
    inputs = np.stack([squeeze(draw("a.png")), squeeze(draw("b.png"))]).astype(np.float32)
    chances = keras.saving.load_model(models / "rgb.keras").predict(inputs, verbose=0)
    assert main(["explain", str(models / "rgb.keras"), "a.png", "b.png", "--top", "2"]) == 0
    rows = manifest()["explanations"]
    order = np.argsort(-chances, axis=1)[:, :2]
    assert [row["class"] for row in rows] == order.ravel().tolist()
    expected = np.take_along_axis(chances, order, 1).ravel()
    np.testing.assert_allclose([row["probability"] for row in rows], expected, rtol=1e-5)


def test_top_classes_run_the_model_once_for_each_picture(
    models: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    call = Explainer.__call__

    def count(self: Explainer, images: object, classes: object = None, **more: Any) -> object:
        asked.append(classes)
        return call(self, images, classes, **more)

    monkeypatch.setattr(Explainer, "__call__", count)
    draw("a.png")
    assert main(["explain", str(models / "rgb.keras"), "a.png", "--top", "3",
                 "--method", "grad_cam,saliency"]) == 0  # fmt: skip
    classes = [row["class"] for row in manifest()["explanations"]]
    assert asked[0] is None and len(asked) == 6
    assert sorted(classes[:3]) == [0, 1, 2] and classes[:3] == classes[3:]


def test_the_predicted_class_goes_first_if_probabilities_are_equal() -> None:
    found = Explanation(
        np.zeros((2, 2, 2), np.float32), None, np.array([2, 0]), np.zeros(2, np.float32),
        np.ones(2, np.float32), "last", "grad_cam", ("ok", "ok"),
        predictions=np.float32([[1, 0.5, 1, 0.7], [1, 1, np.nan, 0]]),
    )  # fmt: skip
    assert [row.tolist() for row in next_classes(found, 2)] == [[0, 1], [3, 3]]
    assert next_classes(found, 0) == []


def test_classes_by_name_and_index(models: Path, folder: Path) -> None:
    draw("a.png")
    assert main(["explain", str(models / "rgb.keras"), "a.png", "--class-names", "class_names.txt",
                 "--class", "fox", "--class", "0", "--class", "2"]) == 0  # fmt: skip
    files = [row["file"] for row in manifest()["explanations"]]
    assert files == ["a.grad_cam.fox.png", "a.grad_cam.tabby-cat.png"]


def test_grey_model_with_one_unit(models: Path, folder: Path) -> None:
    Path("class_names.txt").write_text("healthy\nill")
    photo = draw("a.png")
    assert main(["explain", str(models / "grey.keras"), "a.png", "--class-names", "class_names.txt",
                 "--class", "ill"]) == 0  # fmt: skip
    grey = cv2.cvtColor(squeeze(photo), cv2.COLOR_RGB2GRAY)[None, ..., None]
    explanation = GradCAM(keras.saving.load_model(models / "grey.keras"))(grey, 1)
    (row,) = manifest()["explanations"]
    assert row["class_name"] == "ill"
    assert row["probability"] == pytest.approx(float(explanation.probabilities[0]), rel=1e-5)
    picture = read(f"explanations/{row['file']}")
    np.testing.assert_array_equal(picture, explanation.overlay(photo[None])[0])


def test_score_stands_in_where_there_is_no_probability(
    models: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw("a.png")
    assert main(["explain", str(models / "logits.keras"), "a.png"]) == 0
    (row,) = manifest()["explanations"]
    assert row["probability"] is None
    assert f"score {row['score']:.4g}" in capsys.readouterr().out


def test_status_is_told_where_a_map_shows_nothing(
    models: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = keras.saving.load_model(models / "rgb.keras")
    model.layers[-1].kernel.assign(np.zeros((4, 3)))
    model.save("blind.keras")
    draw("a.png")
    assert main(["explain", "blind.keras", "a.png", "--class", "1"]) == 0
    (row,) = manifest()["explanations"]
    assert row["status"] == "zero gradient"
    assert row["probability"] == pytest.approx(1 / 3)
    title, _, line = capsys.readouterr().out.splitlines()
    assert title.split() == ["Image", "Method", "Class", "Probability", "Status", "File"]
    assert line.split() == ["a.png", "grad_cam", "class", "1", "33.3%", "zero", "gradient",
                            "a.grad_cam.class-1.png"]  # fmt: skip


def test_fused_layers_and_methods_of_images(models: Path, folder: Path) -> None:
    photo = draw("a.png")
    assert main(["explain", str(models / "rgb.keras"), "a.png", "--layer", "edges", "--layer",
                 "last", "--method", "layer_cam", "--method", "saliency"]) == 0  # fmt: skip
    fused, saliency = manifest()["explanations"]
    assert (fused["layer"], saliency["layer"]) == ("edges + last", "images")
    model = keras.saving.load_model(models / "rgb.keras")
    explanation = Explainer(model, "layer_cam", ["edges", "last"])(squeeze(photo)[None])
    picture = read(f"explanations/{fused['file']}")
    np.testing.assert_array_equal(picture, explanation.overlay(photo[None])[0])


# ------------------------------------------------------------------------- sizes and file names


def test_each_photo_keeps_its_own_size_in_a_model_of_any(models: Path, folder: Path) -> None:
    sizes = [(12, 20), (9, 9), (12, 20), (10, 14), (9, 9)]
    taken = [draw(f"{place}.png", *size) for place, size in enumerate(sizes)]
    assert main(["explain", str(models / "open.keras"), ".", "--batch-size", "2"]) == 0
    cam = GradCAM(keras.saving.load_model(models / "open.keras"))
    for place, row in enumerate(manifest()["explanations"]):
        alone = cam(taken[place][None])
        assert (row["image"], row["class"]) == (f"{place}.png", alone.classes[0])
        assert row["probability"] == pytest.approx(float(alone.probabilities[0]), rel=1e-5)
        picture = read(f"explanations/{row['file']}").astype(int)
        assert np.abs(picture - alone.overlay(taken[place][None])[0]).max() <= 1


def test_size_for_a_model_of_any(models: Path, folder: Path) -> None:
    photo = draw("a.png")
    assert main(["explain", str(models / "open.keras"), "a.png", "--size", "8"]) == 0
    explanation = GradCAM(keras.saving.load_model(models / "open.keras"))(squeeze(photo)[None])
    (row,) = manifest()["explanations"]
    assert row["score"] == pytest.approx(float(explanation.scores[0]), rel=1e-6)


def test_file_names_of_any_script_and_the_same_stem_twice(
    models: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("猫 [1].png", "x/cat.png", "y/cat.png"):
        draw(name)
    files = ["猫 [1].png", "x/cat.png", "y/cat.png", "./x/cat.png"]
    assert main(["explain", str(models / "rgb.keras"), *files, "--class", "1"]) == 0
    stems = ["猫 [1]", "cat", "cat-2"]
    assert [row["file"] for row in manifest()["explanations"]] == [
        f"{stem}.grad_cam.class-1.png" for stem in stems
    ]
    out = capsys.readouterr().out
    assert "猫 [1].png" in out, "brackets are no markup"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take no such file names")
def test_file_name_that_is_no_text(
    models: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw("a.png")
    Path("a.png").rename(os.fsdecode(b"caf\xe9.png"))
    assert main(["explain", str(models / "rgb.keras"), "*.png", "--class", "1"]) == 0
    (row,) = manifest()["explanations"]
    assert (row["image"], row["file"]) == ("caf\ufffd.png", "caf\ufffd.grad_cam.class-1.png")
    assert row["file"] in capsys.readouterr().out and row["file"] in names()


# ------------------------------------------------------------------------------------ failures


def test_a_bad_image_does_not_stop_the_others(
    models: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw("a.png"), draw("c.png")
    Path("b.png").write_bytes(Path("a.png").read_bytes()[:-40])
    files = ["gone.png", "a.png", "b.png", "c.png"]
    assert main(["explain", str(models / "rgb.keras"), *files, "--class", "0"]) == 1
    found = manifest()
    assert [row["image"] for row in found["explanations"]] == ["a.png", "c.png"]
    reasons = {"gone.png": "no such file", "b.png": "not an image, or a damaged one"}
    assert {each["image"]: each["reason"] for each in found["failures"]} == reasons
    pages = ["index.html", "manifest.json"]
    assert names() == ["a.grad_cam.class-0.png", "c.grad_cam.class-0.png", *pages]
    error = capsys.readouterr().err
    assert "2 of 4 images could not be explained:\n  gone.png: no such file\n  b.png: not" in error


def test_all_images_bad(models: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.png").write_text("not an image")
    assert main(["explain", str(models / "rgb.keras"), "a.png"]) == 1
    assert capsys.readouterr().out == ""
    assert (manifest()["explanations"], names()) == ([], ["index.html", "manifest.json"])


@pytest.mark.parametrize("order", [["a.png", "tiny.png"], ["tiny.png", "a.png"]], ids=str)
def test_a_size_that_the_model_cannot_take_fails_alone(
    models: Path, folder: Path, capsys: pytest.CaptureFixture[str], order: list[str]
) -> None:
    draw("a.png"), draw("tiny.png", 3, 2)
    assert main(["explain", str(models / "open.keras"), *order]) == 1
    assert [row["image"] for row in manifest()["explanations"]] == ["a.png"]
    error = capsys.readouterr().err
    assert "  tiny.png: the model cannot take it at 3x2: " in error
    assert "Graph execution error" not in error and "\x1b" not in error
    reasons = ("egative dimension", "would be negative", "empty output", "input depth")
    assert any(reason in error for reason in reasons)


def test_pictures_of_an_earlier_run_do_not_stay(models: Path, folder: Path) -> None:
    draw("a.png"), draw("b.png")
    model = str(models / "rgb.keras")
    assert main(["explain", model, "a.png", "b.png"]) == 0
    Path("explanations/mine.png").write_bytes(b"not listed")
    assert main(["explain", model, "a.png"]) == 0
    (row,) = manifest()["explanations"]
    assert names() == sorted([row["file"], "index.html", "manifest.json", "mine.png"])


def test_interrupt_leaves_nothing_half_written(
    models: Path, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    draw("a.png"), draw("b.png"), draw("old.png")
    arguments = ["explain", str(models / "rgb.keras"), "--class", "0", "--batch-size", "1"]
    assert main([*arguments, "old.png"]) == 0
    capsys.readouterr()
    original = pictures.read_photo

    def interrupted(path: Path, how: Reading) -> Any:
        if path.name == "b.png":
            raise KeyboardInterrupt
        return original(path, how)

    monkeypatch.setattr(pictures, "read_photo", interrupted)
    assert main([*arguments, "b.png", "a.png"]) == 130
    old = ["index.html", "manifest.json", "old.grad_cam.class-0.png"]
    assert names() == old, "nothing new was ready"
    assert main([*arguments, "a.png", "b.png"]) == 130
    assert names() == ["a.grad_cam.class-0.png"], "without a manifest it is not complete"
    assert capsys.readouterr().err == 2 * "kerascam: interrupted\n"


def test_out_of_memory_says_what_to_do(
    models: Path, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    draw("a.png")

    def exhausted(*_: object, **__: object) -> None:
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")

    monkeypatch.setattr(Explainer, "__call__", exhausted)
    error = fails(capsys, "explain", models / "rgb.keras", "a.png")
    assert error.startswith("out of memory at 1 images of 8x8: give a smaller --batch-size")


def test_out_that_is_a_file(models: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw("a.png")
    error = fails(capsys, "explain", models / "rgb.keras", "a.png", "--out", "class_names.txt")
    assert error == "--out 'class_names.txt' is a file: name a folder, or a new one"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--method", "grad_kam"], "not 'grad_kam'; did you mean 'grad_cam'?"),
        (["--method", ","], "--method is empty"),
        (["--layer", "lost"], "no layer 'lost'"),
        (["--layer", "last", "--method", "saliency"], "does not go with Saliency"),
        (["--colormap", "virdis"], "no colormap 'virdis'; did you mean viridis"),
        (["--preprocess", "0-2"], "--preprocess has no '0-2'; did you mean 0-1"),
        (["--class", "3"], "--class must be from 0 to 2, not 3"),
        (["--class", "foxx", "--class-names", "class_names.txt"], "did you mean 'fox'?"),
        (["--class-names", "two.txt"], "--class-names has 2 names, but the model has 3 classes"),
        (["--class-names", "gone.txt"], "no such file or directory: gone.txt"),
        (["--top", "4"], "--top 4 is more than the model's 3 classes"),
        (["--size", "9x8"], "--size 9x8 does not fit the model, which takes 8x8"),
    ],
)
def test_wrong_arguments(
    models: Path,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    draw("a.png")
    Path("two.txt").write_text("cat\ndog")
    assert message in fails(capsys, "explain", models / "rgb.keras", "a.png", *arguments)


def test_overlays_are_drawn_in_the_style_that_is_asked_for(models: Path, folder: Path) -> None:
    photo, model = draw("a.png"), models / "rgb.keras"
    found = GradCAM(keras.saving.load_model(model))(squeeze(photo)[None].astype(np.float32), 0)
    for style, levels in (("heat", None), ("uniform", None), ("outline", [0.2, 0.7])):
        more = ["--levels", "0.2,0.7"] if levels else []
        arguments = ["explain", str(model), "a.png", "--class", "0", "--style", style, *more]
        assert main(arguments) == 0
        drawn = cv2.imread(f"explanations/{manifest()['explanations'][0]['file']}")[..., ::-1]
        wanted = found.overlay(photo[None], style=style, levels=levels)[0]
        np.testing.assert_array_equal(drawn, wanted)
        assert (manifest()["style"], manifest()["levels"]) == (style, levels)


def test_levels_need_lines(models: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw("a.png")
    error = fails(capsys, "explain", models / "rgb.keras", "a.png", "--levels", "0.5")
    assert error == "--levels needs --style outline"


def test_no_images_at_all(models: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    error = fails(capsys, "explain", models / "rgb.keras", "*.jpg", "gone.png")
    assert error == "*.jpg: no images match this pattern; gone.png: no such file"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "required: COMMAND"),
        (["explain", "model.keras"], "required: IMAGE"),
        (["explain", "m", "i", "--top", "0"], "must be a whole number of at least 1, not '0'"),
        (["explain", "m", "i", "--alpha", "2"], "must be a number from 0 to 1, not '2'"),
        (["explain", "m", "i", "--alpha", "nan"], "must be a number from 0 to 1, not 'nan'"),
        (["explain", "m", "i", "--size", "0x5"], "must be like 224 or 240x320, not '0x5'"),
        (["explain", "m", "i", "--top", "2", "--class", "1"], "not allowed with argument --top"),
        (["explain", "m", "i", "--fit", "pad"], "invalid choice: 'pad'"),
        (["explain", "m", "i", "--style", "lines"], "invalid choice: 'lines'"),
        (["explain", "m", "i", "--levels", "0.5,1"], "numbers between 0 and 1 such as 0.25,0.5"),
        (["explain", "m", "i", "--levels", "nan"], "numbers between 0 and 1 such as 0.25,0.5"),
    ],
)
def test_usage(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert message in capsys.readouterr().err


# ---------------------------------------------------------------------------- models that do not do


def several(inputs: int, outputs: int) -> keras.Model:
    given = [keras.Input((8, 8, 3)) for _ in range(inputs)]
    features = keras.layers.Flatten()(sum(given[1:], start=given[0]))
    return keras.Model(given, [keras.layers.Dense(2)(features) for _ in range(outputs)])


@pytest.mark.parametrize(
    ("make", "arguments", "message"),
    [
        (lambda: several(2, 1), [], "takes 2 inputs, and a photograph is one"),
        (lambda: several(1, 2), [], "has 2 outputs; the command line explains models with one"),
        (lambda: classifier(8, 8, 4), [], "takes inputs of shape (batch, 8, 8, 4), not images"),
        (lambda: classifier(8, 8, 3, units=1), ["--top", "2"], "this one has one unit"),
        (
            lambda: classifier(8, 8, 3, units=1),
            ["--class-names", "class_names.txt"],
            "--class-names has 3 names, but the model has one output unit",
        ),
        (
            lambda: keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3)]),
            ["--top", "2"],
            "--top 2 needs a model with one prediction per image",
        ),
    ],
)
def test_models_beyond_the_command_line(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    make: Any,
    arguments: list[str],
    message: str,
) -> None:
    draw("a.png")
    make().save("model.keras")
    assert message in fails(capsys, "explain", "model.keras", "a.png", *arguments)


def test_files_that_are_no_whole_model(
    models: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = keras.saving.load_model(models / "rgb.keras")
    model.save_weights("model.weights.h5")
    model.export("saved", verbose=False)
    capsys.readouterr()  # older versions of Keras say where, all the same
    Path("text.keras").write_text("no archive")
    Path("text.h5").write_text("no archive")
    Path("model.onnx").touch()
    Path("empty").mkdir()
    expected = {
        "gone.keras": "no model file gone.keras",
        "model.weights.h5": "holds weights only: build the model in Python, load them and save",
        "saved": "saved is a SavedModel folder, which Keras 3 cannot load as a model with layers",
        "empty": "empty is a folder, not a model",
        "text.keras": "text.keras is not a Keras model, or a damaged one",
        "text.h5": "text.h5 is not a Keras model, or a damaged one",
        "model.onnx": "model.onnx is not a Keras model: give a .keras file",
    }
    for name, message in expected.items():
        assert message in fails(capsys, "layers", name)


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_whole_model_in_hdf5(models: Path, folder: Path) -> None:
    keras.saving.load_model(models / "rgb.keras").save("model.h5")
    draw("a.png")
    assert main(["explain", "model.h5", "a.png", "--out", "h5"]) == 0
    assert main(["explain", str(models / "rgb.keras"), "a.png", "--out", "keras"]) == 0
    assert manifest("h5")["explanations"] == manifest("keras")["explanations"]


def test_lambda_needs_unsafe(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw("a.png")
    model = classifier(8, 8, 3)
    keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Lambda(lambda x: x + 1), model]).save(
        "lambda.keras"
    )
    error = fails(capsys, "explain", "lambda.keras", "a.png")
    assert "lambda.keras holds Python code (a Lambda layer)" in error
    assert "if you trust where the file comes from, give --unsafe" in error
    assert main(["explain", "lambda.keras", "a.png", "--unsafe"]) == 0


OWN_LAYERS = """
import keras

@keras.saving.register_keras_serializable("own")
class Twice(keras.layers.Layer):
    def call(self, inputs):
        return 2 * inputs
"""


def test_own_classes_need_import(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw("a.png")
    registered = keras.saving.get_custom_objects()
    namespace: dict[str, Any] = {"__name__": "elsewhere"}
    exec(OWN_LAYERS, namespace)
    model = keras.Sequential([keras.Input((8, 8, 3)), namespace["Twice"](), classifier(8, 8, 3)])
    model.save("own.keras")
    del registered["own>Twice"]

    error = fails(capsys, "explain", "own.keras", "a.png")
    assert error.startswith("own.keras needs the class 'Twice', which Keras does not know")
    assert "give --import with the module that registers it" in error
    Path("broken_layers.py").write_text("1 / 0")
    error = fails(capsys, "layers", "own.keras", "--import", "broken_layers")
    assert error == "--import broken_layers failed: ZeroDivisionError: division by zero"
    Path("own_layers.py").write_text(OWN_LAYERS)
    assert main(["explain", "own.keras", "a.png", "--import", "own_layers"]) == 0
    del registered["own>Twice"], sys.modules["own_layers"]


@keras.saving.register_keras_serializable("tests")
class Subclassed(keras.Model):
    """A model that declares no input and fits only the size that it was built for."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.features = keras.layers.Conv2D(2, 3, name="features")
        self.head = keras.layers.Dense(3)

    def call(self, images: Any) -> Any:
        return self.head(keras.ops.reshape(self.features(images), (-1, 72)))


def test_subclassed_model_gets_the_size_that_it_was_built_for(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = draw("a.png")
    model = Subclassed()
    model(np.zeros((1, 8, 8, 3)))
    model.save("subclassed.keras")
    assert main(["layers", "subclassed.keras"]) == 0
    (row,) = capsys.readouterr().out.splitlines()[2:]
    assert row.split() == ["features", "Conv2D", "6×6×2", "default"]
    assert main(["explain", "subclassed.keras", "a.png", "--class-names", "class_names.txt"]) == 0
    (row,) = manifest()["explanations"]
    scores = model(squeeze(photo)[None].astype(np.float32)).numpy()[0]
    assert row["class_name"] == CLASS_NAMES[scores.argmax()]
    assert row["score"] == pytest.approx(float(scores.max()), rel=1e-5)


# ------------------------------------------------------------------------------- other commands


def test_layers_are_those_that_the_library_suggests(
    models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["layers", str(models / "rgb.keras")]) == 0
    captured = capsys.readouterr()
    model = keras.saving.load_model(models / "rgb.keras")
    suggested = kerascam.suggest_layers(model)
    rows = [line.split() for line in captured.out.splitlines()[2:]]
    assert [row[0] for row in rows] == [layer.path for layer in suggested]
    assert [row[-1] for row in rows if len(row) == 4] == ["default"]
    assert rows[-1] == ["last", "Conv2D", "4×4×4", "default"]
    assert "note: last is the default: the last features on a grid, 4×4×4" in captured.err


def test_methods_are_those_of_the_registry(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["methods"]) == 0
    rows = capsys.readouterr().out.splitlines()[2:]
    for row, method in zip(rows, METHODS.values(), strict=True):
        assert row.split()[:2] == [method.name, method.class_name]
        assert method.citation is None or row.endswith(method.citation.short)


def test_help_and_version_are_light(tmp_path: Path) -> None:
    heavy = ("tensorflow", "keras", "numpy", "cv2", "matplotlib", "h5py", "rich")
    code = (
        f"import sys\nfor name in {heavy}: sys.modules[name] = None\n"
        "from kerascam.cli import main\n"
        "for words in (['--help'], ['explain', '--help'], ['--version']): assert main(words) == 0\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "--preprocess NAME" in done.stdout
    assert done.stdout.endswith(f"kerascam {kerascam.__version__}\n")
