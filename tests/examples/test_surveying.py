"""The survey of all test images, of a network that counts red and blue pixels."""

import json

import cv2
import numpy as np
import pytest
from color_network import color_network

from kerascam import read_survey
from scene_classification.data.folder import read_folder
from scene_classification.explanation.survey import survey
from scene_classification.run_folder import RunFolder

SIDE, PER_CLASS = 16, 4


@pytest.fixture
def scenes(tmp_path):
    """Grey pictures with a patch of one color, and a file that is none."""
    for split in ("seg_train", "seg_test"):
        for name, color in (("blue", (255, 0, 0)), ("red", (0, 0, 255))):
            (tmp_path / "data" / split / name).mkdir(parents=True)
            for number in range(PER_CLASS):
                picture = np.full((SIDE, SIDE, 3), 100, np.uint8)
                picture[number : number + 8, 4:12] = color
                cv2.imwrite(str(tmp_path / "data" / split / name / f"{number}.png"), picture)
    (tmp_path / "data" / "seg_test" / "red" / "broken.png").write_bytes(b"none")
    return read_folder(tmp_path / "data")


def test_every_test_image_is_there_with_its_class_and_where_its_heat_lies(scenes, tmp_path):
    run, done = RunFolder(tmp_path / "run"), []
    found = survey(color_network(SIDE), scenes, run, network="reference", progress=done.append)
    assert found == json.loads((run.root / "surveyed.json").read_text(encoding="utf-8"))
    assert found == {
        "network": "reference", "method": "Grad-CAM", "images": 2 * PER_CLASS, "unreadable": 1,
        "suspects": [], "notes": [], "page": "survey/survey.html",
    }  # fmt: skip
    assert sum(done) == 2 * PER_CLASS + 1 + 2, "images, and then classes"
    made = read_survey(run.survey)
    assert made.column("class_name").tolist() == made.column("label").tolist()
    for index in range(len(made)):
        number = int(made.column("key")[index].split("/")[1][0])
        inside = np.zeros((SIDE, SIDE), bool)
        inside[number : number + 8, 4:12] = True
        np.testing.assert_allclose(made.heatmap(index), inside, atol=1e-3)
    page = (run.root / found["page"]).read_text(encoding="utf-8")
    assert "What the reference network looks at in 8 test images" in page
    assert str(tmp_path) not in page


def test_another_survey_takes_the_place_of_the_first(scenes, tmp_path):
    run = RunFolder(tmp_path / "run")
    survey(color_network(SIDE), scenes, run)
    for path in scenes.test.paths[:PER_CLASS]:
        cv2.imwrite(str(path), np.full((SIDE, SIDE, 3), (0, 0, 255), np.uint8))
    model = color_network(SIDE)
    survey(model, scenes, run)
    names = read_survey(run.survey).column("class_name")
    assert names.tolist() == ["red"] * 2 * PER_CLASS, "blue ones were painted over"


def test_files_of_others_in_its_folder_stay(scenes, tmp_path):
    run = RunFolder(tmp_path / "run")
    run.survey.mkdir(parents=True)
    (run.survey / "photo.jpg").write_bytes(b"a photograph")
    for _ in range(2):
        survey(color_network(SIDE), scenes, run)
        assert (run.survey / "photo.jpg").read_bytes() == b"a photograph"
    (run.survey / "survey.json").write_text("{}")
    with pytest.raises(ValueError, match=r"survey\.json"):
        survey(color_network(SIDE), scenes, run)
    assert len(list(run.survey.glob("shard-*.parquet"))) == 1, "not taken for its own"
