import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scene_classification.data.folder import Split, read_folder, validation_split

PIXEL = cv2.imencode(".png", np.zeros((1, 1, 3), np.uint8))[1].tobytes()


def touch(*paths):
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(PIXEL)


def layout(root, *, doubled=True, classes=("sea", "forest")):
    for split, names in (("seg_train", "ab"), ("seg_test", "c")):
        folder = root / split / split if doubled else root / split
        touch(*(folder / name / f"{file}.png" for name in classes for file in names))
    return root


@pytest.mark.parametrize("doubled", [True, False])
def test_the_published_layout_is_read_in_order_of_name(tmp_path, doubled):
    scenes = read_folder(layout(tmp_path, doubled=doubled))
    assert scenes.classes == ("forest", "sea")
    assert [f"{path.parent.name}/{path.name}" for path in scenes.train.paths] == [
        "forest/a.png",
        "forest/b.png",
        "sea/a.png",
        "sea/b.png",
    ]
    assert scenes.train.labels.tolist() == [0, 0, 1, 1]
    assert scenes.test.labels.tolist() == [0, 1]
    assert len(scenes.unlabelled) == 0 and scenes.unlabelled.labels.dtype == np.int64


def test_unlabelled_images_have_no_class(tmp_path):
    touch(*(layout(tmp_path) / "seg_pred" / "seg_pred" / f"{name}.JPG" for name in "yx"))
    unlabelled = read_folder(tmp_path).unlabelled
    assert [path.name for path in unlabelled.paths] == ["x.JPG", "y.JPG"]
    assert unlabelled.labels.tolist() == [-1, -1]


def test_other_files_are_no_images(tmp_path):
    layout(tmp_path)
    (tmp_path / "seg_train/seg_train/sea/Thumbs.db").write_text("")
    (tmp_path / "seg_train/seg_train/notes").mkdir()
    assert len(read_folder(tmp_path).train) == 4


def test_a_mask_is_found_by_the_name_of_its_image(tmp_path):
    scenes = read_folder(layout(tmp_path))
    image = scenes.test.paths[0]
    assert scenes.mask_path(image) is None
    mask = tmp_path / "seg_test_masks" / "forest" / "c.png"
    touch(mask)
    assert scenes.mask_path(image) == mask


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="data='.*nowhere' is not a folder; give"):
        read_folder(tmp_path / "nowhere")


def test_a_missing_split_is_named(tmp_path):
    touch(tmp_path / "seg_train" / "sea" / "a.png")
    with pytest.raises(FileNotFoundError, match="holds no seg_test; expected seg_test/seg_test/"):
        read_folder(tmp_path)


def test_a_split_without_classes_is_named(tmp_path):
    layout(tmp_path, classes=("sea",))
    with pytest.raises(FileNotFoundError, match="holds 1 folders with images; expected one for"):
        read_folder(tmp_path)


def test_splits_of_other_classes_are_named(tmp_path):
    touch(layout(tmp_path) / "seg_test/seg_test/street/a.png")
    with pytest.raises(ValueError, match=r"classes \['forest', 'sea'\] and seg_test \['forest'"):
        read_folder(tmp_path)


# ------------------------------------------------------------------------------ validation split


def numbered(labels):
    return Split(tuple(range(len(labels))), np.asarray(labels, np.int64))


@given(
    st.lists(st.integers(5, 40), min_size=2, max_size=6),
    st.floats(0.15, 0.8),
    st.integers(0, 2**32 - 1),
)
def test_every_class_gives_the_same_share(counts, share, seed):
    split = numbered(np.repeat(np.arange(len(counts)), counts))
    training, validation = validation_split(split, share, seed)
    assert sorted(training.paths + validation.paths) == list(range(len(split)))
    for part in (training, validation):
        np.testing.assert_array_equal(part.labels, split.labels[list(part.paths)])
    held = np.bincount(validation.labels, minlength=len(counts))
    assert held.tolist() == [round(share * count) for count in counts]
    again = validation_split(split, share, seed)
    assert (training.paths, validation.paths) == (again[0].paths, again[1].paths)


def test_another_seed_holds_out_others():
    split = numbered([0] * 50 + [1] * 50)
    held = [set(validation_split(split, 0.2, seed)[1].paths) for seed in range(2)]
    assert held[0] != held[1]


@pytest.mark.parametrize("share", [0.0, 0.99, 1.0])
def test_a_share_that_leaves_a_side_empty_is_named(share):
    with pytest.raises(ValueError, match=f"validation_share={share} holds out . of 4 images"):
        validation_split(numbered([0] * 4 + [1] * 4), share, 0)
