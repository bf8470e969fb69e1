import json

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from scene_classification.classes import CLASSES
from scene_classification.data.drawn import Scene, draw_scene, write_drawn_scenes
from scene_classification.data.drawn.canvas import Canvas

PER_CLASS = 100
SIZE = 64

seeds = st.integers(0, 2**32 - 1)
names = st.sampled_from(CLASSES)


@pytest.fixture(scope="module")
def scenes():
    return [
        draw_scene(name, np.random.default_rng([label, number]), size=SIZE)
        for label, name in enumerate(CLASSES)
        for number in range(PER_CLASS)
    ]


def linear_accuracy(features):
    labels = np.repeat(np.arange(len(CLASSES)), PER_CLASS)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    return cross_val_score(model, np.stack(features), labels, cv=5).mean()


def thumbnail(picture, side):
    return cv2.resize(picture.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA)


def widened(mask):
    return cv2.dilate(mask.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)


# ------------------------------------------------------------------------------------ one scene


@given(names, seeds, st.integers(32, 100))
def test_a_scene_is_a_function_of_its_generator(name, seed, size):
    first = draw_scene(name, np.random.default_rng(seed), size=size)
    second = draw_scene(name, np.random.default_rng(seed), size=size)
    assert isinstance(first, Scene)
    assert first.image.shape == (size, size, 3) and first.image.dtype == np.uint8
    assert first.mask.shape == (size, size) and first.mask.dtype == np.bool_
    np.testing.assert_array_equal(first.image, second.image)
    np.testing.assert_array_equal(first.mask, second.mask)


def test_two_scenes_from_one_generator_differ():
    rng = np.random.default_rng(0)
    first, second = draw_scene("sea", rng), draw_scene("sea", rng)
    assert (first.image != second.image).mean() > 0.5
    assert (first.mask != second.mask).mean() > 0.02


@given(names, names, seeds)
def test_classes_differ_only_in_their_evidence(one, other, seed):
    first = draw_scene(one, np.random.default_rng(seed))
    second = draw_scene(other, np.random.default_rng(seed))
    # At its border and at tips, evidence covers less than a half of a pixel or two. Where the
    # picture cuts all of it off but such a sliver, the sliver stands alone.
    elsewhere = ~widened(first.mask | second.mask)
    assert (first.image != second.image)[elsewhere].any(-1).sum() <= 6


def test_the_mask_is_drawn_over_and_not_only_claimed():
    changed = []
    for number in range(60):
        one, other = (CLASSES[(number + step) % len(CLASSES)] for step in (0, 1))
        first = draw_scene(one, np.random.default_rng(number))
        second = draw_scene(other, np.random.default_rng(number))
        alone = first.mask & ~widened(second.mask)
        changed.append((first.image[alone] != second.image[alone]).any(-1))
    # Now and then a wall has just the color of the hill behind it.
    assert np.concatenate(changed).mean() > 0.98


def columns(start, stop):
    """Sides of a box on a canvas of 4 by 4 that covers these columns of its 16 fine pixels."""
    return (start + 0.5) / 16, 0, (stop - 0.5) / 16, 1


def test_what_stands_before_the_evidence_is_cut_out_of_its_mask():
    canvas = Canvas(4)
    canvas.evidence = True
    canvas.box(*columns(0, 12), (200, 0, 0))
    canvas.evidence = False
    canvas.box(*columns(4, 8), (0, 200, 0))
    image, mask = canvas.finish()
    assert mask.tolist() == [[True, False, True, False]] * 4
    assert image[0].tolist() == [[200, 0, 0], [0, 200, 0], [200, 0, 0], [0, 0, 0]]


def test_a_pixel_is_evidence_from_a_half_on():
    canvas = Canvas(4)
    canvas.evidence = True
    canvas.box(*columns(0, 2), (200, 200, 200))  # two of four
    canvas.box(*columns(12, 13), (200, 200, 200))  # one of four
    image, mask = canvas.finish()
    assert mask.tolist() == [[True, False, False, False]] * 4
    assert image[0, :, 0].tolist() == [100, 0, 0, 50]


@pytest.mark.parametrize("name", ["desert", "Sea", ""])
def test_an_unknown_class_is_named_with_the_known_ones(name):
    with pytest.raises(ValueError, match=rf"class_name must be one of buildings, .*got '{name}'"):
        draw_scene(name, np.random.default_rng(0))


def test_too_small_a_size_is_named():
    with pytest.raises(ValueError, match="size must be at least 32 pixels, got 31; pass size=96"):
        draw_scene("sea", np.random.default_rng(0), size=31)


# ---------------------------------------------------------------------------------- many scenes


def test_the_evidence_has_a_fair_share_of_the_picture(scenes):
    shares = np.array([scene.mask.mean() for scene in scenes])
    assert shares.min() > 0.07 and shares.max() < 0.42
    assert np.quantile(shares, 0.05) > 0.1 and np.quantile(shares, 0.95) < 0.35
    by_class = shares.reshape(len(CLASSES), -1).mean(1)
    assert by_class.min() > 0.14 and by_class.max() < 0.26


@pytest.mark.parametrize("width", [0.15, 0.2, 0.25, 0.33])
def test_a_heatmap_that_always_points_to_the_middle_gains_little(scenes, width):
    away = (np.arange(SIZE) + 0.5) / SIZE - 0.5
    bump = np.exp(-(away**2) / (2 * width**2))
    heat = np.outer(bump, bump) / bump.sum() ** 2
    masks = np.stack([scene.mask for scene in scenes])
    assert (masks * heat).sum() / masks.mean((1, 2)).sum() < 1.25


def test_every_part_of_the_picture_shows_evidence(scenes):
    masks = np.stack([scene.mask for scene in scenes])
    often = thumbnail(masks.mean(0), 4)
    assert often.min() > 0.08 and often.max() < 0.34


def test_colors_do_not_give_the_class_away(scenes):
    means = [scene.image.mean((0, 1)) for scene in scenes]
    spreads = [scene.image.std((0, 1)) for scene in scenes]
    assert linear_accuracy(means) < 0.35
    assert linear_accuracy(np.hstack([means, spreads])) < 0.4


def test_coarse_brightness_does_not_give_the_class_away(scenes):
    assert linear_accuracy([thumbnail(scene.image.mean(2), 4).ravel() for scene in scenes]) < 0.4


def test_place_and_size_of_the_evidence_do_not_give_the_class_away(scenes):
    grid = np.arange(SIZE) / SIZE

    def describe(mask):
        return mask.mean(), mask.mean(0) @ grid / mask.mean(), mask.mean(1) @ grid / mask.mean()

    assert linear_accuracy([describe(scene.mask) for scene in scenes]) < 0.4


# ------------------------------------------------------------------------------------- a folder


def write(folder, **changes):
    return write_drawn_scenes(folder, **{"train": 2, "test": 1, "size": 32, **changes})


def read(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.glob("**/*.png")}


def test_a_folder_has_the_published_layout(tmp_path):
    folder = write(tmp_path / "new" / "scenes")
    expected = {f"seg_pred/seg_pred/{number:05}.png" for number in range(12)}
    for name in CLASSES:
        expected |= {f"seg_train/seg_train/{name}/{number:05}.png" for number in range(2)}
        expected |= {f"seg_test/seg_test/{name}/00000.png", f"seg_test_masks/{name}/00000.png"}
    assert set(read(folder)) == expected
    assert [path.name for path in folder.parent.iterdir()] == ["scenes"]


def test_files_hold_the_image_and_its_mask(tmp_path):
    folder = write(tmp_path / "scenes", seed=5)
    key = (1, CLASSES.index("street"), 0)  # split, class, number
    rng = np.random.default_rng(np.random.SeedSequence(5, spawn_key=key))
    scene = draw_scene("street", rng, size=32)
    image = cv2.imread(str(folder / "seg_test/seg_test/street/00000.png"))
    mask = cv2.imread(str(folder / "seg_test_masks/street/00000.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(image[..., ::-1], scene.image)
    np.testing.assert_array_equal(mask, scene.mask * 255)


def test_images_do_not_depend_on_how_many_there_are(tmp_path):
    few, many = read(write(tmp_path / "few")), read(write(tmp_path / "many", train=4, test=3))
    assert len(many) == len(few) + 6 * (2 + 2 * 2)
    assert {name: many[name] for name in few} == few


def test_no_two_images_are_equal(tmp_path):
    files = read(write(tmp_path / "scenes", train=3, test=3))
    images = [data for name, data in files.items() if not name.startswith("seg_test_masks")]
    assert len(set(images)) == len(images) == 6 * 6 + 12


def test_progress_counts_images(tmp_path):
    counts = []
    write(tmp_path / "scenes", progress=counts.append)
    assert counts == [1] * (6 * 3 + 12)


def test_a_complete_folder_is_reused(tmp_path):
    folder = write(tmp_path / "scenes")
    times = {path: path.stat().st_mtime_ns for path in folder.glob("**/*")}
    counts = []
    write(folder, progress=counts.append)
    assert counts == []
    assert {path: path.stat().st_mtime_ns for path in folder.glob("**/*")} == times


@pytest.mark.parametrize("change", [{"seed": 1}, {"size": 40}, {"train": 1}, {"test": 2}])
def test_other_settings_draw_anew(tmp_path, change):
    write(tmp_path / "scenes")
    folder = write(tmp_path / "scenes", **change)
    assert read(folder) == read(write(tmp_path / "fresh", **change))
    record = json.loads((folder / "drawn.json").read_text())
    assert record == {"version": 1, "train": 2, "test": 1, "size": 32, "seed": 0, **change}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fresh", "scenes"]


def test_a_lost_image_or_a_broken_record_draws_anew(tmp_path):
    folder = write(tmp_path / "scenes")
    whole = read(folder)
    (folder / "seg_test_masks/sea/00000.png").unlink()
    assert read(write(folder)) == whole
    (folder / "drawn.json").write_text("{")
    assert read(write(folder)) == whole


@pytest.mark.parametrize("before", [None, 7])
def test_a_stop_leaves_the_folder_as_it_was(tmp_path, before):
    folder = tmp_path / "scenes"
    if before is not None:
        write(folder, seed=before)
    entries, files = sorted(tmp_path.iterdir()), read(folder)

    drawn = iter(range(1, 100))

    def stop(_):
        if next(drawn) == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(folder, progress=stop)
    assert sorted(tmp_path.iterdir()) == entries
    assert read(folder) == files


@pytest.mark.parametrize("entry", ["thesis.txt", "seg_train/own.png", ".hidden"])
def test_a_folder_of_other_things_is_not_replaced(tmp_path, entry):
    own = tmp_path / "scenes" / entry
    own.parent.mkdir(parents=True)
    own.write_text("years of work")
    with pytest.raises(
        ValueError, match=r"scenes' holds '.*', which is no drawn scene; name a new"
    ):
        write(tmp_path / "scenes")
    assert own.read_text() == "years of work"


def test_a_file_in_place_of_the_folder_is_not_replaced(tmp_path):
    (tmp_path / "scenes").write_text("years of work")
    with pytest.raises(ValueError, match="which is no drawn scene; name a new or an empty folder"):
        write(tmp_path / "scenes")


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "scenes").mkdir()
    assert len(read(write(tmp_path / "scenes"))) == 6 * 4 + 12


@pytest.mark.parametrize(
    ("name", "value", "least"),
    [("train", 0, 1), ("test", -1, 1), ("size", 16, 32), ("seed", -3, 0)],
)
def test_settings_out_of_range_are_named(tmp_path, name, value, least):
    with pytest.raises(ValueError, match=f"{name} must be at least {least}, got {value}"):
        write(tmp_path / "scenes", **{name: value})
    assert list(tmp_path.iterdir()) == []
