"""Explain a network whose answer is known in closed form: it counts red and blue pixels."""

import json

import cv2
import numpy as np
import pytest
from color_network import color_network
from matplotlib.text import Text
from sklearn.datasets import load_sample_image

from scene_classification.data.batches import decode, resize
from scene_classification.data.folder import Split, read_folder
from scene_classification.evaluation.prediction import predict
from scene_classification.evaluation.step import evaluate
from scene_classification.explanation.images import (
    Answers,
    ask,
    examples,
    with_masks,
)
from scene_classification.explanation.photographs import explain_photographs, shipped_photographs
from scene_classification.explanation.pictures import Panel, draw_panels
from scene_classification.explanation.step import METHODS, explain
from scene_classification.run_folder import RunFolder

SIDE, PATCH = 32, 12
CLASSES = ("blue", "red")
COLORS = {"blue": (0, 0, 255), "red": (255, 0, 0)}
PER_CLASS = 4


def turned(model):
    """Let a color network take red for blue and blue for red."""
    model.layers[-1].set_weights([20 * np.eye(2, dtype=np.float32)[::-1]])
    return model


def write(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Gray pictures with a patch of one color; the last blue one is listed under red as well."""
    root, generator = tmp_path_factory.mktemp("patches"), np.random.default_rng(0)
    for name in CLASSES:
        for number in range(PER_CLASS):
            color = COLORS["blue" if number == PER_CLASS - 1 else name]
            top, left = generator.integers(0, SIDE - PATCH, 2)
            picture, mask = (
                np.full((SIDE, SIDE, 3), 100, np.uint8),
                np.zeros((SIDE, SIDE), np.uint8),
            )
            picture[top : top + PATCH, left : left + PATCH] = color
            mask[top : top + PATCH, left : left + PATCH] = 255
            for split in ("seg_train", "seg_test"):
                write(root / split / name / f"{number}.png", picture[..., ::-1])
            write(root / "seg_test_masks" / name / f"{number}.png", mask)
    return root


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return RunFolder(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def found(root, run):
    return explain(color_network(SIDE), read_folder(root), run, per_class=2)


def test_the_record_is_what_is_returned(found, run):
    assert json.loads((run.root / "explanations.json").read_text(encoding="utf-8")) == found
    assert len(found["methods"]) == len(METHODS)


def test_every_method_lies_on_the_patch(found):
    for summary in found["evidence"]["methods"].values():
        for measure in ("share_inside", "pointing_game"):
            assert summary["per_class"]["blue"][measure]["value"] == pytest.approx(1, abs=1e-5)


def test_the_mistake_is_found_and_its_empty_map_is_counted(found):
    (mistake,) = found["mistakes"]
    assert mistake["image"] == "seg_test/red/3.png"
    assert (mistake["class"], mistake["predicted"]) == ("red", "blue")
    assert mistake["probability"] + mistake["predicted_probability"] == pytest.approx(1)
    empty = {name: one["empty_maps"] for name, one in found["evidence"]["methods"].items()}
    assert empty.pop("eigen_cam") == 0  # it knows no class
    assert set(empty.values()) == {1}  # red pixels there are none, so nothing speaks for red


def test_the_baselines_are_those_of_the_patch(found):
    baselines, share = found["evidence"]["baselines"], PATCH**2 / SIDE**2
    assert baselines["uniform"]["share_inside"]["value"] == pytest.approx(share)
    gain = found["evidence"]["methods"]["grad_cam"]["gain"]["uniform"]["share_inside"]
    assert gain["value"] == pytest.approx(1 - share, abs=1e-5)


def test_there_is_a_picture_of_everything(found, run):
    names = {path.stem for path in run.pictures.iterdir()}
    expected = {f"explain_{name}" for name in CLASSES}
    assert names == expected | {"methods", "explain_mistakes", "evidence_share"}
    for path in run.pictures.iterdir():
        pixels = cv2.imread(str(path))
        assert (pixels[[0, -1]] == 255).all() and (pixels[:, [0, -1]] == 255).all()  # nothing cut


def test_without_masks_there_is_no_measure_and_no_old_picture(root, tmp_path, monkeypatch):
    monkeypatch.setattr("scene_classification.explanation.step.METHODS", METHODS[:2])
    run = RunFolder(tmp_path / "run")
    (run.pictures / "evidence_share.png").write_bytes(b"of an earlier run")
    scenes = read_folder(root)
    bare = tmp_path / "bare"
    for path in scenes.test.paths:
        for split in ("seg_train", "seg_test"):
            write(bare / split / path.parent.name / path.name, cv2.imread(str(path)))
    done = []
    found = explain(color_network(SIDE), read_folder(bare), run, per_class=1, progress=done.append)
    assert found["evidence"] is None
    assert not (run.pictures / "evidence_share.png").exists()
    assert sum(done) == 2


def test_answers_are_those_of_the_network_that_is_explained(found, root, tmp_path, monkeypatch):
    monkeypatch.setattr("scene_classification.explanation.step.METHODS", METHODS[:1])
    # Of its area a share p is blue: the logits are 20 · p / 2 for blue, and none for red.
    surest = 1 / (1 + np.exp(-10 * PATCH**2 / SIDE**2))
    scenes, run = read_folder(root), RunFolder(tmp_path)
    evaluate(turned(color_network(SIDE)), scenes, run)
    with np.load(run.root / "predictions.npz") as other:  # the same names, another network
        assert other["probabilities"][0] == pytest.approx([1 - surest, surest])
    assert ask(color_network(SIDE), scenes).probabilities[0] == pytest.approx([surest, 1 - surest])
    (mistake,) = explain(color_network(SIDE), scenes, run, per_class=1, measured=1)["mistakes"]
    assert mistake == found["mistakes"][0]
    assert mistake["predicted_probability"] == pytest.approx(surest)


def test_nothing_to_measure_on_is_refused(root, tmp_path):
    with pytest.raises(ValueError, match="measured must be at least 1, got 0"):
        explain(color_network(SIDE), read_folder(root), RunFolder(tmp_path), measured=0)


# --------------------------------------------------------------------------------- the choice


def test_examples_are_right_answers_first():
    labels = np.repeat([0, 1], 50)
    probabilities = np.eye(2)[labels]
    probabilities[:48] = (0.0, 1.0)  # of class 0 only two are right
    answers = Answers(probabilities, labels)
    chosen = examples(answers, 3, np.random.default_rng(0))
    assert sorted(chosen[:2].tolist()) == [48, 49] and chosen[2] < 48
    assert len(set(chosen[3:].tolist())) == 3 and (chosen[3:] >= 50).all()


def test_the_sample_has_as_many_of_every_class(root):
    scenes = read_folder(root)
    chosen = with_masks(scenes, 6, np.random.default_rng(0))
    assert np.bincount(scenes.test.labels[chosen]).tolist() == [3, 3]


# ---------------------------------------------------------------------------- the photographs


def test_the_photographs_are_those_of_scikit_learn():
    pytest.importorskip("PIL")
    for name, photo in shipped_photographs().items():
        difference = np.abs(photo.astype(int) - load_sample_image(name))
        assert difference.mean() < 1  # decoders round differently


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    run = RunFolder(tmp_path_factory.mktemp("photographs"))
    return explain_photographs(color_network(SIDE), CLASSES, run), run


def test_a_photograph_is_explained_at_its_own_size(photographs):
    answers, run = photographs
    assert answers["flower.jpg"]["class"] == "red"  # an orange dahlia
    assert answers["china.jpg"]["class"] == "blue"  # under a bright sky
    assert {one["layer"] for one in answers.values()} == {"colors"}
    assert (run.pictures / "photographs.png").is_file()


def test_a_photograph_is_answered_like_the_same_picture_in_a_file(photographs, tmp_path):
    answers, _ = photographs
    photos = shipped_photographs()
    paths = tuple(tmp_path / name.replace("jpg", "png") for name in photos)
    for path, photo in zip(paths, photos.values(), strict=True):
        write(path, photo[..., ::-1])
        assert np.array_equal(resize(photo, SIDE), decode(str(path), SIDE))
    asked = predict(color_network(SIDE), Split(paths, np.zeros(2, np.int64))).max(axis=1)
    told = [one["probability"] for one in answers.values()]
    np.testing.assert_allclose(told, asked, rtol=1e-6)


#: Width of a full picture in the report of a window of 1280 pixels.
SHOWN = 864


@pytest.mark.parametrize("guided", [True, False])
def test_no_text_is_smaller_than_11_pixels_in_the_report(guided):
    picture = np.zeros((8, 8, 3), np.uint8)
    heads = ["Image", "Grad-CAM", "Grad-CAM++", "LayerCAM,\n2 layers", "Eigen-CAM"]
    heads += ["Guided\nbackpropagation", "Guided\nGrad-CAM"]
    row = [Panel(picture, head) for head in heads]
    figure = draw_panels([row], "One image", ["buildings\n97.6 %"], guided=guided)
    texts = [text for text in figure.findobj(Text) if text.get_text().strip()]
    smallest = min(text.get_fontsize() for text in texts) / 72  # inches
    assert smallest * SHOWN / figure.get_figwidth() >= 11
    told = " ".join(text.get_text() for text in texts)
    assert ("99th percentile" in told) == guided
