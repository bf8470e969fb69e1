import json

import cv2
import numpy as np
import pytest

from scene_classification.config import Config
from scene_classification.data.audit import audit
from scene_classification.data.drawn import write_drawn_scenes
from scene_classification.data.findings import report_data
from scene_classification.data.folder import read_folder
from scene_classification.data.pictures import outline
from scene_classification.data.seen import draw_seen
from scene_classification.pictures import saving
from scene_classification.run_folder import RunFolder

CONFIG = Config(image_size=32, validation_share=0.25, mix="both")
PICTURES = ("counts", "samples", "evidence", "problems", "augmented")


@pytest.fixture
def root(tmp_path):
    return write_drawn_scenes(tmp_path / "scenes", train=4, test=2, size=32)


def report(root, config=CONFIG):
    run = RunFolder(root.parent / "run")
    scenes = read_folder(root)
    result = report_data(scenes, audit(scenes), config, run)
    assert json.loads((run.root / "data.json").read_text(encoding="utf-8")) == result
    for name in PICTURES:
        path = run.pictures / f"{name}.png"
        assert (name in result["pictures"]) is path.is_file()
        if path.is_file():
            assert run.root / result["pictures"][name] == path
            shape = cv2.imread(str(path)).shape
            inches = [length / saving.RESOLUTION for length in shape[:2]]
            assert min(inches) > 1.3 and max(inches) < 17
    return result


def test_drawn_scenes_have_evidence_and_no_problems(root):
    result = report(root)
    assert set(result["pictures"]) == {"counts", "samples", "evidence", "augmented"}
    classes = result["audit"]["classes"]
    assert result["used"] == {
        "training": dict.fromkeys(classes, 3),
        "validation": dict.fromkeys(classes, 1),
        "test": dict.fromkeys(classes, 2),
    }
    assert result["unused"] == {"unlabelled": 12}


def test_a_run_that_measures_a_network_splits_nothing(root):
    # This share would leave nothing to train on, which a split refuses.
    result = report(root, CONFIG.updated({"model": "reference", "validation_share": 1.0}))
    classes = result["audit"]["classes"]
    assert result["used"] == {"test": dict.fromkeys(classes, 2)}
    assert result["unused"] == {"training": dict.fromkeys(classes, 4), "unlabelled": 12}
    assert "augmented" not in result["pictures"]


def test_problems_are_shown_until_they_are_mended(root):
    train = root / "seg_train" / "seg_train"
    copy, odd, bad = train / "sea/copy.png", train / "sea/odd.png", train / "sea/bad.jpg"
    copy.write_bytes((train / "forest/00000.png").read_bytes())
    cv2.imwrite(str(odd), np.zeros((20, 30, 3), np.uint8))
    bad.write_bytes(b"")
    result = report(root)
    assert "problems" in result["pictures"]
    assert result["used"]["training"]["forest"] + result["used"]["validation"]["forest"] == 3
    assert result["used"]["training"]["sea"] + result["used"]["validation"]["sea"] == 5
    for path in (copy, odd, bad):
        path.unlink()
    assert "problems" not in report(root)["pictures"]


def test_blends_are_captioned_with_their_labels(root):
    figure = draw_seen(read_folder(root), CONFIG)
    captions = [text.get_text() for axes in figure.axes for text in axes.texts]
    blends = [caption for caption in captions if "%" in caption]
    assert len(blends) == 6
    for caption in blends:
        assert sum(int(line.split()[0]) for line in caption.split("\n")) in (99, 100, 101)


def test_the_outline_is_on_the_border_of_the_mask():
    mask = np.zeros((20, 20), np.uint8)
    mask[5:15, 5:15] = 255
    gray = np.full((20, 20, 3), 100, np.uint8)
    picture = outline(gray, mask, zoom=4)
    assert picture.shape == (80, 80, 3)
    assert picture[40, 20].tolist() == [255, 225, 0]
    assert picture[40, 40].tolist() == picture[5, 5].tolist() == [100, 100, 100]
