import json

import cv2
import numpy as np
import pytest

from scene_classification.data.audit import (
    IMBALANCE,
    IN_TEST,
    OTHER_LABEL,
    SAME_CLASS,
    UNREADABLE,
    audit,
)
from scene_classification.data.examine import examine
from scene_classification.data.folder import read_folder, validation_split


def picture(number, height=8, width=8):
    return np.random.default_rng(number).integers(0, 256, (height, width, 3), np.uint8)


def encoded(image, suffix=".png", *options):
    return cv2.imencode(suffix, image, options)[1].tobytes()


@pytest.fixture
def put(tmp_path):
    """Write a file below a split and class."""

    def put(place, content):
        split, _, rest = place.partition("/")
        path = tmp_path / f"seg_{split}" / f"seg_{split}" / rest
        path.parent.mkdir(parents=True, exist_ok=True)
        data = content if isinstance(content, bytes) else encoded(picture(content))
        path.write_bytes(data)
        return path

    # Two sound images of each class and split, each its own.
    number = iter(range(1000, 2000))
    for split in ("train", "test"):
        for name in ("forest", "sea"):
            for file in "ab":
                put(f"{split}/{name}/{file}.png", next(number))
    return put


def look(root):
    scenes = read_folder(root)
    found = audit(scenes)
    return scenes, found, found.clean(scenes), found.to_json()


def dropped(**counts):
    reasons = {"unreadable": UNREADABLE, "in_test": IN_TEST}
    reasons |= {"other_label": OTHER_LABEL, "same_class": SAME_CLASS}
    return {why: counts.get(name, 0) for name, why in reasons.items()}


def names(split):
    return {f"{path.parent.name}/{path.name}" for path in split.paths}


def test_a_sound_folder_has_no_problems(put, tmp_path):
    scenes, _, cleaned, report = look(tmp_path)
    assert report == {
        "classes": ["forest", "sea"],
        "counts": {
            "train": {"forest": 2, "sea": 2},
            "test": {"forest": 2, "sea": 2},
            "unlabelled": 0,
        },
        "imbalance": {
            "ratio": 1.0,
            "largest": "forest",
            "smallest": "forest",
            "threshold": IMBALANCE,
            "flagged": False,
        },
        "unreadable": [],
        "sizes": [{"height": 8, "width": 8, "images": 8}],
        "odd_sizes": [],
        "copies": {
            "images": 0,
            "harmless": 0,
            "across_splits": 0,
            "two_labels": 0,
            "repeated": 0,
            "groups": [],
        },
        "dropped": {
            "train": dropped(),
            "test": dropped(),
            "unlabelled": dropped(),
            "files": [],
        },
    }
    assert cleaned.train.paths == scenes.train.paths and cleaned.test.paths == scenes.test.paths


def test_progress_counts_files(put, tmp_path):
    counts = []
    audit(read_folder(tmp_path), progress=counts.append)
    assert counts == [1] * 8


# ------------------------------------------------------------------------------- unreadable files


def test_unreadable_files_leave_every_split(put, tmp_path):
    for place in ("train/sea/bad.jpg", "test/sea/bad.jpg", "pred/bad.jpg"):
        put(place, b"")
    put("pred/good.png", 7)
    _, _, cleaned, report = look(tmp_path)
    assert [report["dropped"][split][UNREADABLE] for split in ("train", "test", "unlabelled")] == [
        1,
        1,
        1,
    ]
    assert [path.name for path in cleaned.unlabelled.paths] == ["good.png"]
    assert cleaned.unlabelled.labels.tolist() == [-1]
    assert "sea/bad.jpg" not in names(cleaned.train) | names(cleaned.test)


@pytest.mark.parametrize(("split", "word"), [("train", "training"), ("test", "test")])
def test_a_class_that_loses_all_its_images_is_named(put, tmp_path, split, word):
    for file in "ab":
        put(f"{split}/sea/{file}.png", b"")
    with pytest.raises(ValueError, match=f"no usable image of class 'sea' is left in the {word}"):
        look(tmp_path)


# ------------------------------------------------------------------------------------------ sizes


def test_odd_sizes_are_listed_and_kept(put, tmp_path):
    odd = put("train/sea/odd.png", encoded(picture(5, 6, 9)))
    _, _, cleaned, report = look(tmp_path)
    assert report["sizes"] == [
        {"height": 8, "width": 8, "images": 8},
        {"height": 6, "width": 9, "images": 1},
    ]
    path = "seg_train/seg_train/sea/odd.png"
    place = {"path": path, "split": "train", "class": "sea"}
    assert report["odd_sizes"] == [{**place, "height": 6, "width": 9}]
    assert odd in cleaned.train.paths


# ----------------------------------------------------------------------------------------- copies


def kinds(report):
    keys = ("images", "harmless", "across_splits", "two_labels", "repeated")
    return [report["copies"][key] for key in keys]


def test_of_copies_within_a_training_class_the_first_is_kept(put, tmp_path):
    for name in ("one", "three", "two"):
        put(f"train/sea/{name}.png", 1)
    put("pred/unknown.png", 1)
    scenes, _, cleaned, report = look(tmp_path)
    assert kinds(report) == [1, 0, 0, 0, 1]
    assert report["dropped"]["train"] == dropped(same_class=2)
    assert names(scenes.train) - names(cleaned.train) == {"sea/three.png", "sea/two.png"}
    assert len(cleaned.unlabelled) == 1


def test_copies_within_a_test_class_stay(put, tmp_path):
    put("test/sea/one.png", 1)
    put("test/sea/two.png", 1)
    scenes, _, cleaned, report = look(tmp_path)
    assert kinds(report) == [1, 1, 0, 0, 0]
    assert cleaned.test.paths == scenes.test.paths and report["dropped"]["files"] == []


@pytest.mark.parametrize("seed", range(5))
def test_no_image_is_learned_from_and_validated_on(put, tmp_path, seed):
    for number in range(12):
        put(f"train/sea/copy{number:02}.png", number // 2)  # six images, each twice
    scenes, _, cleaned, _ = look(tmp_path)
    pixels = {file.path: file.pixels for file in examine(scenes)}
    shared = [
        {pixels[path] for path in training.paths} & {pixels[path] for path in validation.paths}
        for training, validation in (
            validation_split(split, 0.5, seed) for split in (scenes.train, cleaned.train)
        )
    ]
    assert shared[0] and not shared[1]
    assert np.bincount(cleaned.train.labels).tolist() == [2, 2 + 6]


def test_training_copies_of_test_images_are_dropped(put, tmp_path):
    put("train/sea/leak.png", 1)
    put("test/sea/held.png", 1)
    scenes, _, cleaned, report = look(tmp_path)
    assert kinds(report) == [1, 0, 1, 0, 0]
    assert report["dropped"]["train"] == dropped(in_test=1)
    assert names(scenes.train) - names(cleaned.train) == {"sea/leak.png"}
    assert cleaned.test.paths == scenes.test.paths


def test_training_images_under_two_labels_are_dropped_under_both(put, tmp_path):
    put("train/sea/as_sea.png", 1)
    put("train/forest/as_forest.png", 1)
    scenes, _, cleaned, report = look(tmp_path)
    assert kinds(report) == [1, 0, 0, 1, 0]
    assert report["dropped"]["train"] == dropped(other_label=2)
    left_out = {"sea/as_sea.png", "forest/as_forest.png"}
    assert names(scenes.train) - names(cleaned.train) == left_out
    assert {each["path"].split("/", 2)[2] for each in report["dropped"]["files"]} == left_out
    assert cleaned.train.labels.tolist() == [0, 0, 1, 1]


def test_a_leak_under_another_label_counts_once(put, tmp_path):
    put("train/sea/as_sea.png", 1)
    put("test/forest/as_forest.png", 1)
    _, _, cleaned, report = look(tmp_path)
    assert kinds(report) == [1, 0, 1, 1, 0]
    assert report["dropped"]["train"] == dropped(in_test=1)
    assert "forest/as_forest.png" in names(cleaned.test)


def test_test_images_under_two_labels_stay(put, tmp_path):
    put("test/sea/as_sea.png", 1)
    put("test/forest/as_forest.png", 1)
    scenes, _, cleaned, report = look(tmp_path)
    assert kinds(report) == [1, 0, 0, 1, 0]
    assert cleaned.test.paths == scenes.test.paths and report["dropped"]["files"] == []


def test_unlabelled_copies_harm_nothing(put, tmp_path):
    put("train/sea/known.png", 1)
    put("pred/unknown.png", 1)
    scenes, _, cleaned, report = look(tmp_path)
    assert kinds(report) == [1, 1, 0, 0, 0]
    assert {file["class"] for file in report["copies"]["groups"][0]["files"]} == {"sea", None}
    assert len(cleaned.train) == len(scenes.train) and len(cleaned.unlabelled) == 1


def test_copies_are_told_by_their_pixels_and_shape(put, tmp_path):
    image = picture(1)
    put("train/sea/png.png", encoded(image, ".png", cv2.IMWRITE_PNG_COMPRESSION, 9))
    put("train/sea/bmp.bmp", encoded(image, ".bmp"))
    put("train/sea/reshaped.png", encoded(image.reshape(4, 16, 3)))
    [copies] = look(tmp_path)[1].copies
    assert {file.path.name for file in copies.files} == {"png.png", "bmp.bmp"}


# -------------------------------------------------------------------------------------- imbalance


@pytest.mark.parametrize(("more", "flagged"), [(1, False), (2, True)])
def test_imbalance_is_flagged_above_its_threshold(put, tmp_path, more, flagged):
    for number in range(more):
        put(f"train/sea/more{number}.png", number)
    imbalance = look(tmp_path)[3]["imbalance"]
    assert (imbalance["largest"], imbalance["smallest"]) == ("sea", "forest")
    assert imbalance["ratio"] == (2 + more) / 2 and imbalance["flagged"] is flagged


def test_findings_are_told_in_words(put, tmp_path):
    for place, content in {
        "train/sea/bad.jpg": b"",
        "train/sea/odd.png": encoded(picture(5, 6, 9)),
        "train/sea/leak.png": 1,
        "test/sea/held.png": 1,
        "train/sea/as_sea.png": 2,
        "train/forest/as_forest.png": 2,
        "train/forest/c.png": 4,
        "train/forest/d.png": 4,
        "pred/unknown.png": 3,
    }.items():
        put(place, content)
    scenes, found, _, _ = look(tmp_path)
    assert len(scenes) == 17
    assert found.lines() == [
        "11 images to train on, 5 to test on, 1 unlabelled",
        "sea has 1.20 times the training images of forest: not out of balance",
        "unreadable files: 1, left out",
        "images of another size than most: 1, resized",
        "images there more than once: 3, 1 under two labels, 1 in training and test, "
        "1 repeated in a training class",
        "training images left out: 1 with a copy in the test split, "
        "2 with a copy under another label, 1 with a copy in the same class",
    ]


def test_findings_are_json_without_places_of_this_machine(put, tmp_path):
    put("train/sea/bad.jpg", b"")
    put("train/sea/odd.png", encoded(picture(5, 6, 9)))
    report = look(tmp_path)[3]
    text = json.dumps(report)
    assert json.loads(text) == report and str(tmp_path) not in text
