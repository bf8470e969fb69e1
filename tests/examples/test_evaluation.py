import dataclasses
import json

import cv2
import keras
import numpy as np
import pytest
from keras import layers

from scene_classification.data.folder import Split, read_folder
from scene_classification.evaluation import charts, probability_charts
from scene_classification.evaluation.metrics import measure
from scene_classification.evaluation.mistakes import confused_pairs, describe, worst_positions
from scene_classification.evaluation.prediction import predict
from scene_classification.evaluation.step import evaluate
from scene_classification.pictures import saving
from scene_classification.pictures.numbers import NO_BREAK
from scene_classification.run_folder import RunFolder
from scene_classification.training.history import read_history

CLASSES = ("blue", "green", "red")
# Color of each test image (RGB), by the folder that it lies in: two greens are taken for red, the
# second more surely, and one red for blue.
TEST = {
    "blue": [(0, 0, 200), (40, 20, 90)],
    "green": [(0, 150, 0), (120, 100, 0), (160, 60, 0)],
    "red": [(255, 0, 0), (90, 0, 120)],
}
PICTURES = {"confusion", "reliability", "roc", "per_class", "mistakes"}


def color_model(side=16):
    """A model that says how blue, green and red an image is: the softmax of its mean / 32."""
    image = keras.Input((side, side, 3))
    means = layers.GlobalAveragePooling2D()(image)
    scores = layers.Dense(3, use_bias=False, name="scores")
    model = keras.Model(image, layers.Softmax()(scores(means)))
    scores.set_weights([np.eye(3)[::-1] / 32])
    return model


def softmax(logits):
    powers = np.exp(logits)
    return powers / powers.sum(axis=-1, keepdims=True)


EXPECTED = softmax(np.array([color for colors in TEST.values() for color in colors])[:, ::-1] / 32)


@pytest.fixture
def scenes(tmp_path):
    for split in ("seg_train", "seg_test"):
        for name, colors in TEST.items():
            folder = tmp_path / "data" / split / name
            folder.mkdir(parents=True)
            for number, color in enumerate(colors):
                image = np.full((20, 24, 3), color[::-1], np.uint8)
                cv2.imwrite(str(folder / f"{number}.png"), image)
    return read_folder(tmp_path / "data")


@pytest.fixture
def run(tmp_path):
    return RunFolder(tmp_path / "run")


# ---------------------------------------------------------------------------------- prediction


@pytest.mark.parametrize("batch_size", [1, 3, 64])
def test_predictions_in_closed_form(scenes, batch_size):
    done = []
    found = predict(color_model(), scenes.test, batch_size=batch_size, progress=done.append)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, EXPECTED, rtol=1e-5)
    assert sum(done) == len(scenes.test)
    assert max(done) <= batch_size


def test_no_images_no_predictions():
    assert predict(color_model(), Split((), np.empty(0, np.int64))).shape == (0, 3)


@pytest.mark.parametrize("shape", [(None, None, 3), (8, 9, 3)])
def test_a_model_of_no_one_size_is_refused(shape, scenes):
    image = keras.Input(shape)
    model = keras.Model(image, layers.GlobalAveragePooling2D()(image), name="any")
    with pytest.raises(ValueError, match=r"model 'any' takes \(None, .* build it for square"):
        predict(model, scenes.test)


# ------------------------------------------------------------------------------------ mistakes


def test_worst_mistakes_are_the_surest():
    labels = np.array([0, 0, 1, 1, 2])
    probabilities = np.array(
        [[0.3, 0.6, 0.1], [1, 0, 0], [0.9, 0.1, 0], [0.5, 0.2, 0.3], [0.0, 0.4, 0.6]]
    )
    assert worst_positions(labels, probabilities, 24).tolist() == [2, 0, 3]
    assert worst_positions(labels, probabilities, 2).tolist() == [2, 0]
    first = describe(np.array([2]), list("abcde"), labels, probabilities, CLASSES)
    assert first == [
        {
            "path": "c",
            "true": "green",
            "predicted": "blue",
            "true_probability": 0.1,
            "predicted_probability": 0.9,
        }
    ]


def test_most_confused_pairs_come_first():
    pairs = confused_pairs([[5, 1, 0], [3, 1, 0], [0, 2, 0]], CLASSES, 2)
    assert pairs == [
        {"true": "green", "predicted": "blue", "count": 3, "share": 0.75},
        {"true": "red", "predicted": "green", "count": 2, "share": 1.0},
    ]


# -------------------------------------------------------------------------------------- a run


def test_an_evaluation_is_kept_whole(scenes, run):
    done = []
    metrics = evaluate(color_model(), scenes, run, seed=3, progress=done.append)
    assert sum(done) == 7
    assert json.loads((run.root / "metrics.json").read_text(encoding="utf-8")) == metrics
    assert metrics["confusion"] == [[2, 0, 0], [0, 1, 2], [1, 0, 1]]
    assert metrics["accuracy"]["value"] == pytest.approx(4 / 7)
    assert metrics["bootstrap"]["seed"] == 3
    assert metrics["confused_pairs"][0] == {
        "true": "green",
        "predicted": "red",
        "count": 2,
        "share": pytest.approx(2 / 3),
    }
    mistakes = metrics["worst_mistakes"]
    assert [one["path"] for one in mistakes] == [
        "seg_test/green/2.png",
        "seg_test/red/1.png",
        "seg_test/green/1.png",
    ]
    assert mistakes[0]["predicted_probability"] == pytest.approx(EXPECTED[4, 2], rel=1e-5)
    assert mistakes[0]["true_probability"] == pytest.approx(EXPECTED[4, 1], rel=1e-5)
    with np.load(run.root / "predictions.npz") as predictions:
        np.testing.assert_allclose(predictions["probabilities"], EXPECTED, rtol=1e-5)
        assert predictions["labels"].tolist() == [0, 0, 1, 1, 1, 2, 2]
        assert predictions["paths"][3] == "seg_test/green/1.png"
    assert {path.stem for path in run.pictures.iterdir()} == PICTURES
    for path in run.pictures.iterdir():
        picture = cv2.imread(str(path))
        assert min(picture.shape[:2]) / saving.RESOLUTION > 1.3  # inches
        assert (picture[:3] == 255).all()  # white card, nothing runs over its edge
        assert (picture[:, -3:] == 255).all()


def test_without_mistakes_and_with_a_log(scenes, run):
    run.log("train").write_text("epoch,accuracy,loss,val_accuracy,val_loss\n0,.5,1,.6,.9\n")
    right = scenes.test.take(np.array([0, 1, 2, 5]))
    metrics = evaluate(color_model(), dataclasses.replace(scenes, test=right), run)
    assert metrics["accuracy"] == {"value": 1, "low": 1, "high": 1}
    assert metrics["worst_mistakes"] == metrics["confused_pairs"] == []
    assert {path.stem for path in run.pictures.iterdir()} == PICTURES | {"training"}


# ------------------------------------------------------------------------------------- history


def test_history_takes_the_last_line_of_an_epoch_and_the_head_first(run):
    header = "epoch,accuracy,loss,val_accuracy,val_loss"
    lines = ["0,.5,1,.6,.9", "1,.6,.8,NA,NA", "1,.7,.7,.8,.6", "0,.9"]
    run.log("train").write_text("\n".join([header, *lines[:3], header, "2,.8", ""]))
    run.log("head").write_text("\n".join([header, lines[0], ""]))
    run.log("empty").write_text(header + "\n")
    history = read_history(run)
    assert list(history) == ["head", "train"]
    assert history["head"] == [
        {"epoch": 0, "accuracy": 0.5, "loss": 1, "val_accuracy": 0.6, "val_loss": 0.9}
    ]
    assert [line["accuracy"] for line in history["train"]] == [0.5, 0.7, 0.8]
    assert history["train"][1]["val_loss"] == 0.6
    assert np.isnan(history["train"][2]["val_loss"])


def test_training_curves_put_stages_one_after_another(run):
    assert charts.training_curves(run) is None
    header = "epoch,accuracy,learning_rate,loss,val_accuracy,val_loss\n"
    run.log("train").write_text(header + "0,.7,.1,.5,.8,.4\n1,.8,.1,.3,.9,.2\n")
    run.log("head").write_text(header + "0,.4,.1,1.5,.6,1.2\n")
    loss, accuracy = charts.training_curves(run).axes
    lines = {line.get_label(): line.get_xydata().tolist() for line in loss.get_lines()}
    assert lines["training"] == [[1, 1.5], [2, 0.5], [3, 0.3]]
    assert lines["validation"] == [[1, 1.2], [2, 0.4], [3, 0.2]]
    lines = {line.get_label(): list(line.get_ydata()) for line in accuracy.get_lines()}
    assert lines["validation"] == [0.6, 0.8, 0.9]
    assert [text.get_text() for text in loss.texts] == ["head", "train"]


# -------------------------------------------------------------------------------------- charts


def test_confusion_shades_by_row_and_counts_in_the_cells():
    axes = charts.confusion([[3, 1], [0, 0]], ("sea", "forest")).axes[0]
    np.testing.assert_allclose(axes.images[0].get_array(), [[0.75, 0.25], [0, 0]])
    cells = {text.get_position(): text.get_text() for text in axes.texts}
    assert cells == {
        (0, 0): f"3\n75.0{NO_BREAK}%",
        (1, 0): f"1\n25.0{NO_BREAK}%",
        (0, 1): "0",
        (1, 1): "0",
    }


def metrics_of(labels, probabilities):
    return measure(labels, probabilities, CLASSES, resamples=50)


def test_reliability_draws_the_bins():
    labels, rows = np.array([0, 0, 1, 2]), [[0.9, 0.1, 0]] * 2 + [[0.9, 0, 0.1], [0.3, 0.3, 0.4]]
    above, below = probability_charts.reliability(metrics_of(labels, rows)).axes
    bars = [(bar.get_x(), bar.get_height()) for bar in above.patches]
    assert bars == [pytest.approx((5 / 15, 1)), pytest.approx((13 / 15, 2 / 3))]
    assert [bar.get_height() for bar in below.patches] == [1, 3]


def test_roc_and_scores_leave_out_what_is_undefined():
    labels, rows = np.array([0, 1, 0]), np.array([[0.8, 0.2, 0], [0.1, 0.9, 0], [0.3, 0.7, 0]])
    metrics = metrics_of(labels, rows)
    curves = probability_charts.roc(labels, rows, metrics).axes[0].get_lines()
    names = [line.get_label() for line in curves]
    assert names == ["blue 1.000", "green 1.000", "chance 0.500"]
    axes = charts.per_class(metrics).axes[0]
    points = {line.get_label(): line.get_xdata().tolist() for line in axes.get_lines()[:3]}
    assert points["precision"] == [1, 0.5]
    assert points["F1"] == pytest.approx([2 / 3, 2 / 3])


def test_a_sheet_says_what_each_mistake_was_taken_for():
    mistake = {"true": "sea", "predicted": "forest", "predicted_probability": 0.966}
    figure = charts.contact_sheet(np.zeros((7, 8, 8, 3), np.uint8), [mistake] * 7)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == [f"sea →\nforest 97{NO_BREAK}%"] * 7 + [""] * 5
    empty = charts.contact_sheet(np.zeros((0, 8, 8, 3), np.uint8), [])
    assert [text.get_text() for text in empty.texts] == ["no mistakes"]
