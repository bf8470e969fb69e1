import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from scene_classification.data.affine import RandomAffine, map_rows
from scene_classification.data.augmentation import MIXES, RECIPES, Augmenter, OneOf
from scene_classification.data.mirror import RandomMirror

CLASSES = 4
SIDE, CROP = 16, 14


def noise(count=8, side=SIDE):
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3), np.uint8)


def one_hot(count=8):
    return np.eye(CLASSES, dtype=np.float32)[np.arange(count) % CLASSES]


def augment(recipe, mix, *, step=0, seed=0, images=None):
    images = noise() if images is None else images
    augmenter = Augmenter(recipe, mix, size=CROP, seed=seed)
    varied = augmenter(tf.constant(step, tf.int64), tf.constant(images), one_hot(len(images)))
    return varied[0].numpy(), np.asarray(varied[1])


@pytest.fixture
def only(monkeypatch):
    """A recipe that does nothing, so that a mix is alone."""
    monkeypatch.setitem(RECIPES, "none", lambda size: [])


# --------------------------------------------------------------------------------------- recipes


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_images_come_out_whole_whatever_the_network_computes_in(recipe, policy):
    keras.mixed_precision.set_global_policy(policy)
    try:
        images, labels = augment(recipe, "both")
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert images.shape == (8, CROP, CROP, 3) and images.dtype == labels.dtype == np.float32
    assert images.min() >= 0 and images.max() <= 255
    np.testing.assert_array_equal(images, augment(recipe, "both")[0])


@pytest.mark.parametrize("recipe", RECIPES)
def test_draws_are_of_the_seed_and_the_step(recipe):
    first = augment(recipe, "none", step=3, seed=1)[0]
    np.testing.assert_array_equal(first, augment(recipe, "none", step=3, seed=1)[0])
    others = [augment(recipe, "none", step=step, seed=1)[0] for step in range(4, 8)]
    others.append(augment(recipe, "none", step=3, seed=2)[0])
    assert all((first != other).any() for other in others)


def test_a_step_does_not_depend_on_the_steps_before():
    augmenter = Augmenter("standard", "both", size=CROP, seed=5)
    steps = [tf.constant(step, tf.int64) for step in (0, 1, 2)]
    in_order = [augmenter(step, tf.constant(noise()), one_hot())[0].numpy() for step in steps]
    alone = augment("standard", "both", step=2, seed=5)[0]
    np.testing.assert_array_equal(in_order[2], alone)


def test_crops_come_from_inside_the_image(monkeypatch):
    monkeypatch.setitem(RECIPES, "geometry", lambda size: RECIPES["light"](size)[:2])
    rows, columns = np.mgrid[:SIDE, :SIDE]
    # Every pixel tells its place, from 1: what is not of the image is 0.
    image = np.stack([rows + 1, columns + 1, np.zeros_like(rows)], -1).astype(np.uint8)
    corners, mirrored = set(), set()
    for step in range(40):
        crops = augment("geometry", "none", step=step, images=np.stack([image] * 4))[0]
        for crop in crops:
            top, left = crop[..., 0].min(), crop[..., 1].min()
            plain = crop if crop[0, 0, 1] < crop[0, -1, 1] else crop[:, ::-1]
            expected = np.mgrid[top : top + CROP, left : left + CROP].transpose(1, 2, 0)
            np.testing.assert_array_equal(plain[..., :2], expected)
            corners.add((int(top), int(left)))
            mirrored.add(plain is not crop)
    assert corners == {(top, left) for top in (1, 2, 3) for left in (1, 2, 3)}
    assert mirrored == {True, False}


def test_light_changes_by_no_more_than_it_says(monkeypatch):
    monkeypatch.setitem(RECIPES, "brightness", lambda size: RECIPES["light"](size)[2:3])
    gray = np.full((64, 4, 4, 3), 128, np.uint8)
    images = augment("brightness", "none", images=gray)[0]
    shifts = images[:, 0, 0, 0] - 128
    assert (np.ptp(images, axis=(1, 2, 3)) < 1e-4).all()
    assert 0.8 * 0.15 * 255 < np.abs(shifts).max() <= 0.15 * 255 + 1e-3
    assert (shifts > 0).any() and (shifts < 0).any()


def test_one_layer_is_drawn_and_all_are_in_time():
    layers = [keras.layers.Rescaling(0.0, offset=float(number)) for number in range(3)]
    pick = OneOf(layers)
    drawn = [float(pick(tf.ones((2, 1, 1, 3)), training=True)[0, 0, 0, 0]) for _ in range(40)]
    assert set(drawn) == {0.0, 1.0, 2.0}


# ---------------------------------------------------------------------------------------- affine


def matrix(layer):
    return np.asarray(layer._matrices(200)).transpose(2, 0, 1).astype(np.float64)


@settings(max_examples=10)
@given(st.floats(0, 90), st.floats(0.5, 1), st.floats(1, 2), st.sampled_from([0.0, 1.0]))
def test_maps_turn_zoom_and_mirror_within_bounds(turn, low, high, mirror):
    maps = matrix(RandomAffine(turn, (low, high), mirror=mirror))
    determinants = np.linalg.det(maps)
    assert (np.sign(determinants) == (-1 if mirror else 1)).all()
    zooms = 1 / np.sqrt(np.abs(determinants))
    assert (low - 1e-5 < zooms).all() and (zooms < high + 1e-5).all()
    rotations = zooms[:, None, None] * maps @ np.diag([-1.0 if mirror else 1.0, 1.0])
    angles = np.degrees(np.arctan2(rotations[:, 1, 0], rotations[:, 0, 0]))
    assert (np.abs(angles) < turn + 1e-4).all()
    identity = rotations @ rotations.transpose(0, 2, 1)
    np.testing.assert_allclose(identity, np.broadcast_to(np.eye(2), (200, 2, 2)), atol=1e-5)


@pytest.mark.parametrize(
    ("values", "moved"),
    [
        ([[1, 0], [0, 1]], lambda image: image),
        ([[-1, 0], [0, 1]], lambda image: image[:, ::-1]),
        ([[-1, 0], [0, -1]], lambda image: image[::-1, ::-1]),
        # The pixel at (x, y) shows what stands at (−y, x): a quarter turn.
        ([[0, -1], [1, 0]], lambda image: np.rot90(image)),
    ],
)
def test_maps_that_send_pixels_to_pixels_are_exact(values, moved):
    image = noise(1, side=5)[0].astype(np.float32)
    matrices = tf.constant(values, tf.float32)[:, :, None]
    numbers = map_rows(matrices, tf.fill((2, 1), 2.0), (2.0, 2.0))
    result = keras.ops.image.affine_transform(image[None], numbers, interpolation="bilinear")
    np.testing.assert_allclose(result[0], moved(image), atol=1e-3)


def test_a_zoom_of_two_shows_the_middle_half():
    ramp = np.tile(np.arange(9, dtype=np.float32)[None, None, :, None], (1, 9, 1, 3))
    zoomed = RandomAffine(0.0, (2.0, 2.0), mirror=0.0)(ramp, training=True)
    np.testing.assert_allclose(zoomed[0, 4, :, 0], np.linspace(2, 6, 9), atol=1e-4)


@settings(max_examples=10)
@given(st.integers(1, 12))
def test_crops_of_a_ramp_are_inside_and_everywhere(size):
    rows, columns = np.mgrid[:12, :12].astype(np.float32)
    places = np.tile(np.stack([rows, columns], -1), (300, 1, 1, 1))
    crops = np.asarray(RandomAffine(0.0, mirror=0.0, size=size)(places, training=True))
    assert crops.shape == (300, size, size, 2)
    corners = crops[:, 0, 0]
    steps = np.mgrid[:size, :size].transpose(1, 2, 0)
    np.testing.assert_allclose(crops, corners[:, None, None] + steps, atol=1e-4)
    slack = 12 - size
    assert corners.min() >= -1e-4 and corners.max() <= slack + 1e-4
    assert (np.ptp(corners, axis=0) >= 0.95 * slack - 1e-4).all()


def test_without_training_the_middle_is_cut_out():
    images = noise().astype(np.float32)
    np.testing.assert_array_equal(RandomAffine(45.0)(images), images)
    np.testing.assert_array_equal(RandomAffine(45.0, size=10)(images), images[:, 3:13, 3:13])


# ----------------------------------------------------------------------------------------- mixes


@pytest.mark.parametrize("mix", MIXES)
@pytest.mark.parametrize("step", [0, 1])
def test_rows_sum_to_one(mix, step):
    rows = augment("light", mix, step=step)[1]
    np.testing.assert_allclose(rows.sum(1), 1, atol=1e-6)
    assert rows.min() >= 0


def test_without_a_mix_labels_stay():
    np.testing.assert_array_equal(augment("standard", "none")[1], one_hot())


def labelled_gray(side=64):
    """Images of 80 times their label, so that a blend tells the shares of its two labels."""
    levels = np.uint8(np.arange(8) % CLASSES * 80)
    return np.broadcast_to(levels[:, None, None, None], (8, side, side, 3)).copy()


# Keras gives a cut its area before it is rounded to pixels, at most one a side.
@pytest.mark.parametrize(("mix", "error"), [("mixup", 1e-6), ("cutmix", 2 / 64)])
@pytest.mark.parametrize("step", range(4))
def test_labels_have_the_shares_that_the_images_have(only, mix, error, step):
    images, rows = augment("none", mix, step=step, images=labelled_gray())
    levels = 80.0 * np.arange(CLASSES)
    contrast = np.ptp(levels)
    np.testing.assert_allclose(images.mean((1, 2, 3)), rows @ levels, atol=error * contrast + 1e-3)
    assert (rows.max(1) < 0.9).any()


def test_both_take_turns(only):
    gray = labelled_gray()
    flat = [
        np.ptp(augment("none", "both", step=step, images=gray)[0], (1, 2, 3)).max()
        for step in range(6)
    ]
    assert [spread < 0.01 for spread in flat] == [True, False] * 3


# ---------------------------------------------------------------------------------------- errors


def test_unknown_names_are_told_with_the_known_ones():
    with pytest.raises(ValueError, match=r"augment='heavy' is unknown; choose one of \['light'"):
        Augmenter("heavy", "none", size=8, seed=0)
    with pytest.raises(ValueError, match=r"mix='blend' is unknown; choose one of \['both'"):
        Augmenter("light", "blend", size=8, seed=0)


def test_a_mirror_turns_about_half_of_the_images_round():
    images = np.random.default_rng(0).integers(0, 256, (200, 4, 6, 3), np.uint8)
    mirrored = np.asarray(RandomMirror()(images, training=True))
    turned = (mirrored == images[:, :, ::-1]).all((1, 2, 3))
    kept = (mirrored == images).all((1, 2, 3))
    assert (turned ^ kept).all()
    assert 70 <= turned.sum() <= 130
    np.testing.assert_array_equal(RandomMirror()(images), images)
