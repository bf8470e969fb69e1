"""Surveys in the words of other tools, read back; by the tools themselves where they are installed.

The network counts red and blue pixels, so that each heatmap is known: the patch of its colour.
"""

import json
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import h5py
import keras
import numpy as np
import pytest
from keras import layers

from kerascam import GradCAM, GradientTimesInput, Study, Survey, explain_dataset, study
from kerascam.interop import (
    coco_masks,
    fiftyone_samples,
    track_survey,
    write_heatmaps,
    write_virelay,
)

SIDE = 16
NAMES = ("blue", "red")
#: Of each photograph: its size, and the rows and columns of its patch, blue if the name says so.
PHOTOS = {
    "blue/0.png": ((16, 16), (slice(2, 8), slice(4, 12))),
    "blue/1.png": ((32, 32), (slice(8, 16), slice(0, 32))),
    "red/0.png": ((16, 24), (slice(0, 8), slice(8, 16))),
    "red/a b#.png": ((48, 32), (slice(24, 32), slice(16, 32))),
}


@pytest.fixture(scope="module")
def model() -> keras.Model:
    made = keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 3)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(2, 1, activation="relu", name="colors"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2, activation="softmax", use_bias=False),
        ],
        name="colors",
    )
    kernel = np.array([[0, 1], [0, 0], [1, 0]], np.float32).reshape(1, 1, 3, 2)
    made.set_weights([kernel, np.full(2, -0.5, np.float32), 20 * np.eye(2, dtype=np.float32)])
    return made


def draw(root: Path) -> None:
    for name, (size, place) in PHOTOS.items():
        picture = np.full((*size, 3), 100, np.uint8)
        picture[place] = (255, 0, 0) if name.startswith("blue") else (0, 0, 255)
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(root / name), picture)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    draw(folder)
    return folder


@pytest.fixture(scope="module")
def survey(model: keras.Model, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Survey:
    """Cropped: of the wide and the high photograph the model sees the middle square."""
    out = tmp_path_factory.mktemp("survey")
    return explain_dataset(GradCAM(model, class_names=NAMES), root, out, fit="crop")


@pytest.fixture(scope="module")
def many(model: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Enough images of a class for clusters: a patch at the top or at the bottom."""
    folder = tmp_path_factory.mktemp("many")
    (folder / "red").mkdir()
    for number in range(40):
        picture = np.full((SIDE, SIDE, 3), 90 + number, np.uint8)
        top = number % 2 * 8
        picture[top : top + 8, 4:12] = (0, 0, 255)
        cv2.imwrite(str(folder / "red" / f"{number:02d}.png"), picture)
    found = explain_dataset(GradCAM(model, class_names=NAMES), folder, folder / "survey")
    return study(found)


def patch(name: str) -> np.ndarray:
    """Where the heat lies on the whole photograph: the patch, as far as the model sees it."""
    size, place = PHOTOS[name]
    mask = np.zeros(size, bool)
    mask[place] = True
    top, left = (size[0] - min(size)) // 2, (size[1] - min(size)) // 2
    seen = np.zeros(size, bool)
    seen[top : top + min(size), left : left + min(size)] = True
    return mask & seen


def decoded(segmentation: dict[str, Any]) -> np.ndarray:
    """Decode runs as the format says: outside and inside in turn, column by column."""
    height, width = segmentation["size"]
    runs = segmentation["counts"]
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    return flat.reshape(width, height).T


# ---------------------------------------------------------------------------------------- COCO


def test_masks_are_the_patches(survey: Survey) -> None:
    found = json.loads(json.dumps(coco_masks(survey)))
    assert found["categories"] == [{"id": 0, "name": "blue"}, {"id": 1, "name": "red"}]
    assert [each["file_name"] for each in found["images"]] == list(PHOTOS)
    for image, annotation in zip(found["images"], found["annotations"], strict=True):
        assert annotation["image_id"] == image["id"]
        mask = patch(image["file_name"])
        assert (image["height"], image["width"]) == mask.shape
        np.testing.assert_array_equal(decoded(annotation["segmentation"]), mask)
        rows, columns = np.nonzero(mask)
        left, top = columns.min(), rows.min()
        size = [columns.max() - left + 1, rows.max() - top + 1]
        assert annotation["bbox"] == [left, top, *size]
        assert annotation["area"] == mask.sum()
        assert annotation["category_id"] == image["file_name"].startswith("red")
        assert 0.5 < annotation["score"] <= 1


def test_an_image_without_heat_has_no_mask(model: keras.Model, tmp_path: Path) -> None:
    for name, value in (("a", 0), ("b", 255)):
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.full((8, 8, 3), value, np.uint8))
    found = coco_masks(explain_dataset(GradCAM(model), tmp_path, tmp_path / "survey"))
    assert [each["image_id"] for each in found["annotations"]] == [1]
    assert len(found["images"]) == 2


@pytest.mark.parametrize("threshold", [0, 1.5, -1])
def test_a_threshold_is_a_share(survey: Survey, threshold: float) -> None:
    with pytest.raises(ValueError, match="threshold must be above 0 and at most 1"):
        coco_masks(survey, threshold)


@pytest.mark.filterwarnings("ignore")  # of the package's own making
def test_the_tools_of_coco_read_the_masks(survey: Survey, tmp_path: Path) -> None:
    pytest.importorskip("pycocotools")
    from pycocotools.coco import COCO

    for compressed in (False, True):
        path = tmp_path / f"{compressed}.json"
        path.write_text(json.dumps(coco_masks(survey, compressed=compressed)))
        read = COCO(str(path))
        for image in read.loadImgs(read.getImgIds()):
            (annotation,) = read.loadAnns(read.getAnnIds(image["id"]))
            assert isinstance(annotation["segmentation"]["counts"], str) == compressed
            mask = read.annToMask(annotation)
            np.testing.assert_array_equal(mask.astype(bool), patch(image["file_name"]))
            (category,) = read.loadCats(annotation["category_id"])
            assert image["file_name"].startswith(category["name"])


@pytest.mark.skipif(find_spec("pycocotools") is not None, reason="it is installed")
def test_compressed_masks_need_the_tools(survey: Survey) -> None:
    with pytest.raises(ModuleNotFoundError, match="pip install pycocotools"):
        coco_masks(survey, compressed=True)


# ----------------------------------------------------------------------------------------- PNG


def test_grey_pictures_are_the_heat_of_whole_photographs(survey: Survey, tmp_path: Path) -> None:
    assert write_heatmaps(survey, tmp_path / "maps", side=None) == len(PHOTOS)
    for name in PHOTOS:
        grey = cv2.imread(str(tmp_path / "maps" / f"{name}.png"), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(grey > 127, patch(name))
        assert set(grey[patch(name)]) <= {*range(128, 256)} and grey.max() == 255
    assert write_heatmaps(survey, tmp_path / "maps", side=8) == len(PHOTOS), "its own are replaced"
    shapes = {name: cv2.imread(str(tmp_path / "maps" / f"{name}.png")).shape[:2] for name in PHOTOS}
    assert shapes["red/0.png"] == (5, 8) and shapes["red/a b#.png"] == (8, 5)


def test_pictures_of_others_are_not_replaced(survey: Survey, tmp_path: Path) -> None:
    theirs = tmp_path / "red" / "0.png.png"
    theirs.parent.mkdir()
    theirs.write_bytes(b"mine")
    with pytest.raises(ValueError, match=r"holds '0\.png\.png', which kerascam did not write"):
        write_heatmaps(survey, tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [theirs]


def test_signed_heat_is_around_middle_grey(model: keras.Model, root: Path, tmp_path: Path) -> None:
    made = explain_dataset(
        GradientTimesInput(model, normalize="signed"), root / "red", tmp_path / "survey"
    )
    write_heatmaps(made, tmp_path / "maps", side=None)
    (path,) = tmp_path.rglob("0.png.png")
    grey = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    heat = made.heatmap(0)
    assert heat.shape == (SIDE, SIDE) and 128 in grey and max(grey.max(), 255 - grey.min()) == 255


def test_images_of_a_data_set_have_their_own_size(model: keras.Model, tmp_path: Path) -> None:
    import tensorflow as tf

    images = np.zeros((3, SIDE, SIDE, 3), np.float32)
    images[:, 2:6, 3:9, 0] = 255
    batches = tf.data.Dataset.from_tensor_slices(images).batch(2)
    made = explain_dataset(GradCAM(model), batches, tmp_path / "survey")
    assert write_heatmaps(made, tmp_path / "maps", side=4) == 3
    grey = cv2.imread(str(tmp_path / "maps" / "2.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(grey, (images[2, ..., 0] > 0) * np.uint8(255))
    for call in (coco_masks, lambda each: list(fiftyone_samples(each))):
        with pytest.raises((ValueError, ModuleNotFoundError), match=r"data set|fiftyone"):
            call(made)


def test_a_photograph_that_is_gone_is_named(model: keras.Model, tmp_path: Path) -> None:
    draw(tmp_path / "photos")
    made = explain_dataset(GradCAM(model), tmp_path / "photos", tmp_path / "survey")
    (tmp_path / "photos" / "red" / "0.png").unlink()
    with pytest.raises(ValueError, match=r"red/0\.png cannot be read any more"):
        coco_masks(made)


# ------------------------------------------------------------------------------------ FiftyOne


def check_samples(samples: list[Any], root: Path) -> None:
    assert [sample.filepath for sample in samples] == [str(root / name) for name in PHOTOS]
    for sample, name in zip(samples, PHOTOS, strict=True):
        colour = name.split("/")[0]
        assert sample.prediction.label == sample.ground_truth.label == colour
        assert 0.5 < sample.prediction.confidence <= 1 and sample.status == "ok"
        heat = np.asarray(sample.heatmap.map)
        assert heat.dtype == np.uint8 and max(heat.shape) == min(SIDE, max(PHOTOS[name][0]))
        whole = cv2.resize(heat, PHOTOS[name][0][::-1], interpolation=cv2.INTER_NEAREST) > 127
        assert (whole != patch(name)).mean() < 0.1


def test_samples_have_classes_and_heat(
    survey: Survey, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = SimpleNamespace(
        Sample=SimpleNamespace, Classification=SimpleNamespace, Heatmap=SimpleNamespace
    )
    monkeypatch.setitem(sys.modules, "fiftyone", made)
    check_samples(list(fiftyone_samples(survey)), root)
    assert all(hasattr(each, "cam") for each in fiftyone_samples(survey, "cam"))


def test_signed_heat_has_its_range(
    model: keras.Model, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = SimpleNamespace(
        Sample=SimpleNamespace, Classification=SimpleNamespace, Heatmap=SimpleNamespace
    )
    monkeypatch.setitem(sys.modules, "fiftyone", made)
    signed = explain_dataset(
        GradientTimesInput(model, normalize="signed"), root, tmp_path / "survey"
    )
    for index, sample in enumerate(fiftyone_samples(signed)):
        assert sample.heatmap.range == [-1, 1]
        np.testing.assert_array_equal(sample.heatmap.map, signed.heatmap(index))


def test_fiftyone_takes_the_samples(survey: Survey, root: Path) -> None:
    pytest.importorskip("fiftyone")
    check_samples(list(fiftyone_samples(survey)), root)


# ------------------------------------------------------------------------------------- ViRelAy


def test_a_project_holds_photographs_heat_and_clusters(many: Study, tmp_path: Path) -> None:
    project = json.loads(write_virelay(many, tmp_path / "project").read_text())["project"]
    folder, survey = tmp_path / "project", many.survey
    labels = json.loads((folder / project["label_map"]).read_text())
    assert [(each["index"], each["name"]) for each in labels] == [
        (0, "blue"), (1, "red"), (2, "not known"),
    ]  # fmt: skip
    with h5py.File(folder / project["dataset"]["path"]) as file:
        assert file["data"].shape == (40, SIDE, SIDE, 3)
        assert (file["data"][1, 8:, 4:12] == (255, 0, 0)).all() and (file["label"][:] == 1).all()
    with h5py.File(folder / project["attributions"]["sources"][0]) as file:
        np.testing.assert_array_equal(file["attribution"][:, 0], survey.heatmaps(range(40)))
        np.testing.assert_array_equal(file["index"][:], np.arange(40))
        np.testing.assert_allclose(file["prediction"][:, 1], survey.column("probability"))
        assert (file["prediction"][:, 0] == 0).all() and (file["label"][:] == 1).all()
    (look,) = many.classes
    with h5py.File(folder / project["analyses"][0]["sources"][0]) as file:
        group = file[labels[1]["word_net_id"]]
        np.testing.assert_array_equal(group["index"][:], look.images)
        clusters = group["cluster/map"][:]
        assert (clusters[::2] == clusters[0]).all() and (clusters[1::2] == clusters[1]).all()
        assert clusters[0] != clusters[1], "top and bottom"
        embedding = group["embedding/map"]
        assert embedding.shape[0] == 40
        np.testing.assert_allclose(embedding.attrs["eigenvalue"], look.spectra["map"].values)


def test_a_project_is_not_written_over_another(many: Study, tmp_path: Path) -> None:
    (tmp_path / "analysis.h5").write_bytes(b"mine")
    with pytest.raises(ValueError, match=r"holds analysis\.h5: name another, or move the file"):
        write_virelay(many, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["analysis.h5"]


def test_few_images_have_no_analysis(survey: Survey, tmp_path: Path) -> None:
    project = json.loads(write_virelay(study(survey), tmp_path).read_text())["project"]
    assert "analyses" not in project and not (tmp_path / "analysis.h5").exists()


def test_virelay_reads_the_project(many: Study, tmp_path: Path) -> None:
    model = pytest.importorskip("virelay.model")
    project = model.Project(str(write_virelay(many, tmp_path)))
    try:
        sample, heat = project.get_sample(3), project.get_attribution(3)
        assert [label.name for label in sample.labels] == ["red"]
        np.testing.assert_array_equal(heat.data[..., 0], many.survey.heatmap(3))
        assert heat.render_heatmap("black-fire-red").shape == (SIDE, SIDE, 3)
        (method,) = project.get_analysis_methods()
        (category,) = project.get_analysis_categories(method)
        assert category.human_readable_name == "red"
        analysis = project.get_analysis(method, category.name, "relevance", "map")
        assert len(analysis.clustering) == len(analysis.embedding) == 40
        assert len(analysis.eigenvalues) == analysis.embedding.shape[1]
    finally:
        project.close()


# ------------------------------------------------------------------------------------ trackers


def test_tensorboard_has_the_summary(many: Study, tmp_path: Path) -> None:
    import tensorflow as tf
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    figures = track_survey(many, log_dir=tmp_path, step=3)
    events = EventAccumulator(str(tmp_path / "survey"), {"tensors": 0})
    events.Reload()
    logged = {
        tag: events.Tensors(tag)[0]
        for tag in events.Tags()["tensors"]
        if not tag.startswith("survey/heat/")
    }
    assert {each.step for each in logged.values()} == {3}
    assert logged.keys() == figures.keys()
    survey = many.survey
    assert figures["survey/images"] == 40 and figures["survey/accuracy"] == 1
    assert figures["survey/accuracy/red"] == 1 and figures["survey/suspects"] == 0
    assert figures["survey/heat_border"] == pytest.approx(survey.column("heat_border").mean())
    for tag, event in logged.items():
        assert float(tf.make_ndarray(event.tensor_proto)) == pytest.approx(figures[tag])
    assert "survey/heat/red" in events.Tags()["tensors"]


def test_a_survey_alone_has_no_classes(survey: Survey, tmp_path: Path) -> None:
    figures = track_survey(survey, log_dir=tmp_path)
    assert figures["survey/images"] == 4 and not any("accuracy/" in name for name in figures)


@pytest.mark.filterwarnings("ignore")  # of the packages' own making
def test_mlflow_has_the_summary(
    many: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mlflow = pytest.importorskip("mlflow")
    pytest.importorskip("alembic")  # of a data base, which mlflow-skinny lacks
    monkeypatch.chdir(tmp_path)
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/runs.db")
    with mlflow.start_run() as run:
        figures = track_survey(many, "mlflow", step=2)
    client = mlflow.MlflowClient()
    for name, figure in figures.items():
        (logged,) = client.get_metric_history(run.info.run_id, name)
        assert (logged.step, logged.value) == (2, pytest.approx(figure))
    assert any(
        each.path.endswith(".png") for each in client.list_artifacts(run.info.run_id, "images")
    )


@pytest.mark.filterwarnings("ignore")
def test_wandb_has_the_summary(
    many: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wandb = pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_SILENT", "true")
    run = wandb.init(mode="offline", dir=str(tmp_path), project="kerascam")
    try:
        figures = track_survey(many, "wandb", step=2)
        summary = dict(run.summary)
    finally:
        run.finish()
    assert {name: summary[name] for name in figures} == pytest.approx(figures)
    assert summary["survey/step"] == 2


@pytest.mark.parametrize(
    ("trackers", "error", "message"),
    [
        (None, ValueError, "trackers or log_dir must be given"),
        ("comet", ValueError, "trackers must be 'mlflow' or 'wandb', not 'comet'"),
        ("mlflow", ModuleNotFoundError, "needs the package 'mlflow'; pip install mlflow"),
    ],
)
def test_trackers_that_are_not_there(
    survey: Survey, monkeypatch: pytest.MonkeyPatch, trackers: Any, error: type, message: str
) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(error, match=message):
        track_survey(survey, trackers)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    "call", [coco_masks, fiftyone_samples, lambda each: write_heatmaps(each, "x")]
)
def test_what_is_no_survey_is_refused(call: Any) -> None:
    with pytest.raises(TypeError, match="survey must be what read_survey returns, not 'x'"):
        call("x")
