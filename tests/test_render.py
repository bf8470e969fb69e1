"""Pictures, compared number by number."""

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from matplotlib import colormaps

from kerascam.pictures.colormaps import choose_colormap
from kerascam.pictures.pixels import to_uint8_rgb, write_png
from kerascam.pictures.render import colorize, is_signed, overlay, resize_heatmap

RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16)
PHOTO = np.stack([RAMP, RAMP[::-1], RAMP.T], axis=-1)
HEAT = np.array([[0.0, 0.5], [1.0, 0.25]], np.float32)

photos = arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3)))
heats = arrays(
    np.float32,
    array_shapes(min_dims=2, max_dims=2, max_side=9),
    elements=st.floats(0, 1, width=32),
)


# ------------------------------------------------------------------------------- to_uint8_rgb


@pytest.mark.parametrize(
    "same",
    [
        pytest.param(PHOTO, id="uint8"),
        pytest.param(PHOTO.astype(np.int64), id="int64"),
        pytest.param(PHOTO / np.float32(255), id="0-1 float32"),
        pytest.param(PHOTO / 255, id="0-1 float64"),
        pytest.param(PHOTO.astype(np.float32), id="0-255 float32"),
        pytest.param(PHOTO.astype(np.float16), id="0-255 float16"),
        pytest.param(np.dstack([PHOTO, 255 - RAMP]), id="alpha is dropped"),
        pytest.param(
            np.dstack([PHOTO.astype(np.float32), RAMP / 255]), id="alpha has its own range"
        ),
    ],
)
def test_every_kind_of_photo_is_the_same_photo(same: np.ndarray) -> None:
    np.testing.assert_array_equal(to_uint8_rgb(same), PHOTO)
    np.testing.assert_array_equal(to_uint8_rgb(same[None]), PHOTO[None])


@pytest.mark.parametrize("grey", [RAMP, RAMP[..., None], RAMP / 255, RAMP.astype(np.float32)])
def test_grey_becomes_three_equal_channels(grey: np.ndarray) -> None:
    np.testing.assert_array_equal(to_uint8_rgb(grey), np.dstack([RAMP] * 3))


def test_booleans_are_black_and_white() -> None:
    assert to_uint8_rgb(np.array([[True, False]]))[..., 0].tolist() == [[255, 0]]


def test_an_integer_is_never_a_fraction() -> None:
    assert to_uint8_rgb(np.array([[0, 1]]))[..., 0].tolist() == [[0, 1]]


def test_range_is_decided_once_over_the_batch() -> None:
    batch = np.stack([np.full((2, 2, 3), 0.5), np.full((2, 2, 3), 200.0)])
    assert to_uint8_rgb(batch)[:, 0, 0, 0].tolist() == [0, 200]
    assert to_uint8_rgb(batch[:1])[:, 0, 0, 0].tolist() == [128]


def test_rounding_error_of_a_resize_is_still_0_to_1() -> None:
    assert to_uint8_rgb(np.array([[-1e-7, 0.2, 1.0000001]]))[..., 0].tolist() == [[0, 51, 255]]


def test_value_range_says_what_is_black_and_white() -> None:
    scaled = PHOTO / np.float32(127.5) - 1
    np.testing.assert_array_equal(to_uint8_rgb(scaled, value_range=(-1, 1)), PHOTO)
    ringing = np.array([[-1.1, 0.0, 1.1]])
    assert to_uint8_rgb(ringing, value_range=(-1, 1))[..., 0].tolist() == [[0, 128, 255]]
    dark = np.array([[0.0, 1.0]])
    assert to_uint8_rgb(dark, value_range=(0, 255))[..., 0].tolist() == [[0, 1]]


@pytest.mark.parametrize(
    ("image", "value_range", "message"),
    [
        (
            [[-1.0, 1.0]],
            None,
            r"uint8, 0-1 or 0-255, got float64 values from -1 to 1; pass the photo",
        ),
        (
            [[0.0, 300.0]],
            None,
            r"from 0 to 300; .* before preprocessing, or value_range=\(low, high\)",
        ),
        ([[0, 256]], None, "got int64 values from 0 to 256"),
        ([[0.0, np.nan]], None, "got float64 values from nan to nan"),
        ([[0.0, np.inf]], None, "got float64 values from 0 to inf"),
        (
            [[0.0, 2.0]],
            (-1, 1),
            r"does not fit value_range=\(-1, 1\): got float64 values from 0 to 2",
        ),
        ([[0.0, np.nan]], (0, 1), r"does not fit value_range=\(0, 1\)"),
        ([[0.0, 1.0]], (1, 1), r"value_range must be \(low, high\) with low < high, got \(1, 1\)"),
        (
            np.zeros((5, 6, 7)),
            None,
            r"got shape \(5, 6, 7\); a batch of grey images needs a channel",
        ),
        (
            np.zeros((2, 3, 6, 7)),
            None,
            r"move the channels to the end: np.moveaxis\(image, -3, -1\)",
        ),
        (np.zeros(4), None, r"image must be \(height, width\), .* got shape \(4,\)"),
        (np.zeros((0, 4, 3)), None, r"not empty, got shape \(0, 4, 3\)"),
    ],
)
def test_unclear_image_is_an_error(image: Any, value_range: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        to_uint8_rgb(image, value_range=value_range)


def test_text_is_no_image() -> None:
    with pytest.raises(TypeError, match="image must hold numbers, got dtype <U3"):
        to_uint8_rgb(["cat"])


# ------------------------------------------------------------------------------------ colorize


def test_colours_are_the_colormaps_own() -> None:
    ends = colorize([0.0, 1.0])
    assert ends.tolist() == [[0, 0, 3], [252, 254, 164]]  # inferno's first and last
    np.testing.assert_array_equal(ends, colorize([0.0, 1.0], "inferno"))
    assert colorize([0.0, 1.0], "jet").tolist() == [[0, 0, 127], [127, 0, 0]]


def test_zero_of_a_signed_map_is_the_middle() -> None:
    blue, neutral, red = colorize([-1.0, 0.0, 1.0]).astype(int)
    np.testing.assert_array_equal(neutral, colormaps["inferno"](0.0, bytes=True)[:3])
    np.testing.assert_array_equal(red, colormaps["inferno"](1.0, bytes=True)[:3])
    np.testing.assert_array_equal(blue, red[::-1])  # as light, in the opposite hue
    assert blue[2] > blue[0]
    assert red[0] > red[2]
    assert neutral.max() < 30


def test_signed_is_any_negative_value_unless_told() -> None:
    assert is_signed(np.array([0.5, -0.1]))
    assert not is_signed(np.array([0.0, 1.0]))
    positive = np.array([0.0, 1.0])
    assert colorize(positive, signed=True).tolist() == colorize([-1.0, 0.0, 1.0])[1:].tolist()
    assert choose_colormap("auto", signed=True).name == "inferno, blue against"
    assert choose_colormap("viridis", signed=True).name == "viridis"


@pytest.mark.parametrize("name", ["inferno", "viridis"])
def test_default_colormap_gets_lighter_with_the_evidence(name: str) -> None:
    rgb = colorize(np.linspace(0, 1, 256), name).astype(float)
    light = cv2.cvtColor((rgb[None] / 255).astype(np.float32), cv2.COLOR_RGB2LAB)[0, :, 0]
    assert (np.diff(light) > -0.5).all()  # bytes are rounded
    assert light[-1] - light[0] > 70


@pytest.mark.parametrize(
    ("heatmap", "options", "message"),
    [
        ([0.0, 2.0], {}, r"must lie in \[0, 1\], got float64 values from 0 to 2; divide it by"),
        ([-2.0, 0.0], {}, r"must lie in \[-1, 1\], got float64 values from -2 to 0"),
        ([-1.0, 0.0], {"signed": False}, "and pass signed=True to keep its sign"),
        ([0.0, np.nan], {}, "heatmap holds NaN or infinity in 1 of 2 values; replace them"),
        ([0.0], {"colormap": "Viridiss"}, "no colormap 'Viridiss'; did you mean viridis"),
        ([0.0], {"colormap": "JET"}, "no colormap 'JET'; did you mean jet"),
        ([0.0], {"colormap": "????"}, "no colormap '\\?{4}'; use \"auto\" or a matplotlib name"),
    ],
)
def test_unclear_heatmap_is_an_error(heatmap: Any, options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        colorize(heatmap, **options)


def test_text_is_no_heatmap() -> None:
    with pytest.raises(TypeError, match="heatmap must hold numbers, got dtype <U3"):
        colorize(["hot"])


# ------------------------------------------------------------------------------------- resizing


@pytest.mark.parametrize("size", [(7, 7), (224, 224), (5, 31), (3, 4), (1, 1), (14, 7)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_resize_is_tensorflows(size: tuple[int, int], dtype: type) -> None:
    import tensorflow as tf

    heat = np.random.default_rng(0).random((7, 9)).astype(dtype)
    wanted = tf.image.resize(heat[..., None], size, method="bilinear", antialias=False)[..., 0]
    resized = resize_heatmap(heat, size)
    assert resized.dtype == dtype
    np.testing.assert_allclose(resized, wanted, atol=1e-4)


def test_resize_to_the_same_size_is_a_copy() -> None:
    same = resize_heatmap(HEAT, (2, 2))
    np.testing.assert_array_equal(same, HEAT)
    assert not np.shares_memory(same, HEAT)


@pytest.mark.parametrize(
    ("heatmap", "size", "message"),
    [
        (
            np.zeros((2, 2, 2)),
            (4, 4),
            r"must be \(height, width\) and not empty, got shape \(2, 2, 2",
        ),
        (np.zeros((0, 2)), (4, 4), r"not empty, got shape \(0, 2\)"),
        (HEAT, (0, 4), r"size must be \(height, width\), each at least 1, got \(0, 4\)"),
        (np.full((2, 2), np.nan), (4, 4), "heatmap holds NaN or infinity in 4 of 4 values"),
    ],
)
def test_resize_of_no_heatmap_is_an_error(heatmap: Any, size: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        resize_heatmap(heatmap, size)


# -------------------------------------------------------------------------------------- overlay


def test_blend_by_hand() -> None:
    photo = np.array([[[200, 100, 0], [10, 20, 30]]], np.uint8)
    heat = np.array([[0.0, 1.0]])  # gray: black, white
    assert overlay(photo, heat, "gray", 0.25, style="uniform").tolist() == [
        [[150, 75, 0], [71, 79, 86]]
    ]
    assert overlay(photo, heat, "gray", style="uniform").tolist() == [
        [[100, 50, 0], [132, 138, 142]]
    ]


@pytest.mark.parametrize(
    "same", [PHOTO, PHOTO / np.float32(255), PHOTO.astype(np.float32), PHOTO.astype(np.int32)]
)
def test_overlay_does_not_depend_on_the_kind_of_photo(same: np.ndarray) -> None:
    np.testing.assert_array_equal(overlay(same, HEAT), overlay(PHOTO, HEAT))


def test_overlay_of_a_grey_photo_is_that_of_its_rgb() -> None:
    wanted = overlay(np.dstack([RAMP] * 3), HEAT)
    np.testing.assert_array_equal(overlay(RAMP, HEAT), wanted)
    np.testing.assert_array_equal(overlay(RAMP[..., None] / 255, HEAT), wanted)


def test_batch_is_its_images() -> None:
    batch = overlay(np.stack([PHOTO, 255 - PHOTO]), np.stack([HEAT, HEAT.T]))
    np.testing.assert_array_equal(batch[0], overlay(PHOTO, HEAT))
    np.testing.assert_array_equal(batch[1], overlay(255 - PHOTO, HEAT.T))


def test_sign_is_decided_once_over_the_batch() -> None:
    batch = overlay(np.stack([PHOTO, PHOTO]), np.stack([HEAT, -HEAT]))
    np.testing.assert_array_equal(batch[0], overlay(PHOTO, HEAT, signed=True))
    assert (batch[0] != overlay(PHOTO, HEAT)).any()


def test_red_stays_red() -> None:
    red_and_blue = np.array([[[255, 0, 0], [0, 0, 255]]], np.uint8)
    dimmed = overlay(red_and_blue, [[0.0]], "gray", 0.5, style="uniform")
    assert dimmed.tolist() == [[[128, 0, 0], [0, 0, 128]]]
    hot = overlay(np.zeros((1, 1, 3), np.uint8), [[1.0]], "jet", 1.0)[0, 0]
    assert hot[0] > hot[2]


@given(photo=photos, heat=heats, alpha=st.floats(0, 1))
def test_overlay_lies_between_photo_and_colour(
    photo: np.ndarray, heat: np.ndarray, alpha: float
) -> None:
    blend = overlay(photo, heat, alpha=alpha)
    assert blend.dtype == np.uint8
    assert blend.shape == photo.shape
    color = colorize(resize_heatmap(heat, photo.shape[:2]))
    assert (blend >= np.minimum(photo, color)).all()
    assert (blend <= np.maximum(photo, color)).all()


@given(photo=photos, heat=heats)
def test_alpha_0_is_the_photo_and_1_the_coloured_map(photo: np.ndarray, heat: np.ndarray) -> None:
    np.testing.assert_array_equal(overlay(photo, heat, alpha=0), photo)
    color = colorize(resize_heatmap(heat, photo.shape[:2]))
    np.testing.assert_array_equal(overlay(photo, heat, alpha=1, style="uniform"), color)


@pytest.mark.parametrize(
    ("image", "heatmap", "options", "message"),
    [
        (PHOTO, HEAT, {"alpha": 1.5}, "alpha must be between 0 and 1, got 1.5"),
        (PHOTO, HEAT, {"alpha": np.nan}, "alpha must be between 0 and 1, got nan"),
        (
            PHOTO,
            HEAT[None],
            {},
            r"\(1, 2, 2\) does not match image of shape \(16, 16, 3\); pass \(h",
        ),
        (PHOTO[None], HEAT, {}, r"or \(batch, h, w\) with one heatmap per image"),
        (
            PHOTO[None],
            HEAT[None].repeat(2, 0),
            {},
            r"\(2, 2, 2\) does not match image of shape \(1, 1",
        ),
        (PHOTO, HEAT * np.nan, {}, "heatmap holds NaN or infinity in 4 of 4 values"),
        (PHOTO, HEAT * 7, {}, r"heatmap must lie in \[0, 1\], got float32 values"),
        (PHOTO / 127.5 - 1, HEAT, {}, "pass the photo as it was before preprocessing"),
    ],
)
def test_mismatch_is_an_error(image: Any, heatmap: Any, options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        overlay(image, heatmap, **options)


def test_inputs_are_never_edited() -> None:
    photo, scaled, heat = PHOTO.copy(), PHOTO / 255, np.array([[-0.5, 0.5]])
    for array in (photo, scaled, heat):
        array.setflags(write=False)
    assert not np.shares_memory(to_uint8_rgb(photo), photo)
    to_uint8_rgb(photo)[...] = 0  # the result is the caller's own
    overlay(photo, heat)[...] = 0
    overlay(scaled, heat, alpha=0)
    colorize(heat)[...] = 0
    np.testing.assert_array_equal(photo, PHOTO)


# ------------------------------------------------------------------------------------ write_png


def test_png_read_back_has_its_colours(tmp_path: Path) -> None:
    red_and_blue = np.array([[[255, 0, 0], [0, 0, 255]], [[1, 2, 3], [0, 255, 0]]], np.uint8)
    write_png(tmp_path / "colour.png", red_and_blue)
    blue_first = cv2.imread(str(tmp_path / "colour.png"), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(blue_first[..., ::-1], red_and_blue)
    write_png(str(tmp_path / "grey.PNG"), RAMP)
    grey = cv2.imread(str(tmp_path / "grey.PNG"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(grey, RAMP)
    assert sorted(os.listdir(tmp_path)) == ["colour.png", "grey.PNG"]


def test_failed_write_leaves_the_old_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "map.png"
    write_png(path, RAMP)
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(OSError, match="no space left"):
            write_png(path, PHOTO)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["map.png"]


@pytest.mark.parametrize(
    ("name", "image", "message"),
    [
        ("map.jpg", RAMP, r"path must end in .png, got 'map.jpg'"),
        (
            "map.png",
            RAMP / 255,
            r"must be uint8 .* got float64 of shape \(16, 16\); pass it through",
        ),
        ("map.png", PHOTO[None], r"got uint8 of shape \(1, 16, 16, 3\)"),
        ("map.png", PHOTO[:0], r"got uint8 of shape \(0, 16, 3\)"),
    ],
)
def test_what_is_no_picture_is_not_written(
    tmp_path: Path, name: str, image: np.ndarray, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        write_png(tmp_path / name, image)
    assert os.listdir(tmp_path) == []
