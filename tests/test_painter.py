"""One painter: the same bytes from NumPy and from a graph, in every style."""

import itertools

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import colormaps
from matplotlib.colors import ListedColormap
from proofs import pairs

from kerascam import overlay
from kerascam.arrays import HOST
from kerascam.pictures import painter
from kerascam.pictures.figures import brightened
from kerascam.pictures.look import Look
from kerascam.pictures.painter import Brush, palette
from tests.golden import overlays

STYLES = ("heat", "uniform", "outline")
RANDOM = np.random.default_rng(3)
PHOTO = RANDOM.integers(0, 256, (37, 53, 3), np.uint8)
WHITE, BLACK = np.full((60, 80, 3), 255, np.uint8), np.zeros((60, 80, 3), np.uint8)
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def hill(side: int = 9) -> np.ndarray:
    """A round hill: 1 in the middle, 0 at the border and beyond."""
    place = np.linspace(-1, 1, side)
    away = np.hypot(place[:, None], place[None, :])
    return np.clip(1 - away, 0, 1).astype(np.float32)


# ---------------------------------------------------------------------------------- one formula


def test_even_opacity_gives_the_bytes_that_it_always_gave() -> None:
    with np.load(overlays.FILE) as file:
        golden = dict(file)
    drawn = overlays.arrays(style="uniform")
    assert drawn.keys() == golden.keys()
    for name, wanted in golden.items():
        np.testing.assert_array_equal(drawn[name], wanted, err_msg=name)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize(("style", "colormap"), pairs(STYLES, ("auto", "viridis", "tab10")))
def test_a_graph_draws_the_same_bytes(style: str, colormap: str, signed: bool) -> None:
    brush = Brush.of(Look(colormap, None, style), signed=signed)

    @tf.function(
        input_signature=[
            tf.TensorSpec((None, None, 3), tf.uint8), tf.TensorSpec((None, None), tf.float32)
        ],
        autograph=False,
    )  # fmt: skip
    def drawn(photo: tf.Tensor, heat: tf.Tensor) -> tf.Tensor:
        return brush.paint(photo, heat, keras.ops)

    for size, grid in itertools.product([(37, 53), (224, 160), (1, 1), (5, 300)], [(7, 7), (3, 1)]):
        photo = RANDOM.integers(0, 256, (*size, 3), np.uint8)
        heat = RANDOM.uniform(-1 if signed else 0, 1, grid).astype(np.float32)
        wanted = brush.paint(photo, heat, HOST)
        assert wanted.dtype == np.uint8 and wanted.shape == photo.shape
        np.testing.assert_array_equal(drawn(photo, heat).numpy(), wanted)


@pytest.mark.parametrize("style", STYLES)
def test_a_large_photo_is_painted_in_strips(style: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = overlay(PHOTO, hill(), style=style)
    monkeypatch.setattr(painter, "_STRIP", 4 * PHOTO.shape[1])
    np.testing.assert_array_equal(overlay(PHOTO, hill(), style=style), whole)


def test_a_graph_draws_pixel_maps_up_to_the_same_percentile() -> None:
    signature = [tf.TensorSpec((None, None, None), tf.float32)]
    drawn = tf.function(lambda heat: brightened(heat, keras.ops), input_signature=signature)
    for share in (0, 0.005, 0.5, 1):
        heat = RANDOM.normal(size=(2, 20, 31)) * (RANDOM.random((2, 20, 31)) < share)
        heat = heat.astype(np.float32)
        top = np.percentile(np.abs(heat), 99, (1, 2), method="higher", keepdims=True)
        top = np.where(top > 0, top, np.abs(heat).max((1, 2), keepdims=True))
        wanted = np.clip(np.divide(heat, top, out=np.zeros_like(heat), where=top > 0), -1, 1)
        np.testing.assert_array_equal(brightened(heat, HOST), wanted)
        np.testing.assert_array_equal(drawn(heat), wanted)


def test_a_pixel_by_hand() -> None:
    photo = np.full((1, 3, 3), 100, np.uint8)
    heat = np.array([[0.0, 0.3, 1.0]])
    # Steps 0, 76 and 255 of 256; at 76/255 of 0.6, a smooth step of 0.4957 times 0.75 is 0.3695.
    wanted = [100, round(0.3695 * 76 + 0.6305 * 100), round(0.75 * 255 + 0.25 * 100)]
    assert overlay(photo, heat, "gray")[0, :, 0].tolist() == wanted


# ------------------------------------------------------------------------- where nothing is shown


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("style", ["heat", "outline"])
@pytest.mark.parametrize("colormap", ["auto", "viridis", "RdBu_r", "jet", "tab10", "Set1", "Reds"])
def test_without_evidence_the_photo_is_exactly_as_it_was(
    style: str, colormap: str, signed: bool
) -> None:
    heat = np.zeros((8, 8), np.float32)
    heat[2:4, 2:4] = -1 if signed else 1
    drawn = overlay(PHOTO, heat, colormap, 1.0, style=style, signed=signed)
    reached = cv2.resize(np.abs(heat), (53, 37), interpolation=cv2.INTER_LINEAR) > 1e-6
    np.testing.assert_array_equal(drawn[~reached], PHOTO[~reached])
    assert (drawn[reached] != PHOTO[reached]).any()
    empty = np.zeros((3, 3), np.float32)
    np.testing.assert_array_equal(overlay(PHOTO, empty, colormap, style=style), PHOTO)
    np.testing.assert_array_equal(overlay(PHOTO, -empty, colormap, style=style, signed=True), PHOTO)


@given(value=st.floats(-1, 1, width=32), alpha=st.floats(0, 1))
def test_opacity_is_by_magnitude(value: float, alpha: float) -> None:
    heat = np.array([[value, -value]], np.float32)
    photo = np.full((1, 2, 3), 200, np.uint8)
    colormaps.unregister("kerascam test")
    colormaps.register(ListedColormap(["black"] * 256, name="kerascam test"))
    drawn = overlay(photo, heat, "kerascam test", alpha, signed=True)
    assert abs(int(drawn[0, 0, 0]) - int(drawn[0, 1, 0])) <= 200 / 128 * 1.5 / 0.6 * alpha + 1


@pytest.mark.parametrize("count", [1, 2, 3, 7, 256, 1000])
@pytest.mark.parametrize("signed", [False, True])
def test_a_palette_of_any_number_of_colours_fades_in(count: int, signed: bool) -> None:
    name = f"kerascam {count}"
    if name not in colormaps:
        colormaps.register(ListedColormap(np.full((count, 3), 0.0), name=name))
    heat = np.linspace(0, 1, 60)[None]
    shades = overlay(WHITE[:1, :60], heat, name, 1.0, signed=signed)[0, :, 0].astype(int)
    assert (shades[0], shades[-1]) == (255, 0)
    assert (np.diff(shades) <= 0).all() and len(set(shades.tolist())) > 25


# ------------------------------------------------------------------------------------- in print


@pytest.mark.parametrize("colormap", ["auto", "inferno", "magma", "viridis", "cividis"])
def test_print_safe_colormaps_rise_in_grey(colormap: str) -> None:
    grey = palette(colormap, signed=False) @ LUMINANCE
    assert (np.diff(grey) > -0.75).all()  # colours are whole numbers
    assert grey[-1] - grey[0] > 150


def test_over_a_dark_photo_more_evidence_is_lighter() -> None:
    heat = np.linspace(0, 1, 80, dtype=np.float32)[None]
    drawn = overlay(BLACK, heat)[30] @ LUMINANCE
    assert (np.diff(drawn) > -0.75).all() and drawn[-1] > 150


@pytest.mark.parametrize("photo", [WHITE, BLACK], ids=["white", "black"])
@pytest.mark.parametrize("style", ["heat", "outline"])
def test_evidence_is_seen_on_white_and_on_black(photo: np.ndarray, style: str) -> None:
    changed = np.abs(overlay(photo, hill(), style=style).astype(int) - photo) @ LUMINANCE
    assert changed.max() > 60


# ------------------------------------------------------------------------------------- outlines


@pytest.mark.parametrize("level", [0.25, 0.5, 0.8])
def test_a_line_runs_where_the_heat_has_its_level(level: float) -> None:
    heat = np.linspace(0, 1, 200, dtype=np.float32)[None].repeat(100, 0)
    photo = np.full((100, 200, 3), 77, np.uint8)
    drawn = overlay(photo, heat, "gray", style="outline", levels=[level])
    columns = np.flatnonzero((drawn != 77).any((0, 2)))
    assert abs(columns.mean() - level * 199) <= 0.5
    assert 2 <= len(columns) <= 8
    assert (drawn[0] == drawn).all()  # straight, up to the border
    middle = drawn[50, round(level * 199)]
    np.testing.assert_allclose(middle, 255 * level, atol=15)  # a tenth of it is the edge


def test_lines_are_closed_rings_around_a_hill() -> None:
    drawn = overlay(BLACK.repeat(4, 0).repeat(4, 1), hill(33), "gray", style="outline")
    changed = (drawn > 0).any(-1).astype(np.uint8)
    assert cv2.connectedComponents(changed)[0] - 1 == 3
    assert cv2.connectedComponents(1 - changed)[0] - 1 == 4  # between, inside and outside


def test_level_ground_at_a_level_is_no_line() -> None:
    for value in (0.5, 0.1 + 0.4):
        heat = np.full((3, 3), value, np.float32)
        np.testing.assert_array_equal(overlay(PHOTO, heat, style="outline", levels=[0.5]), PHOTO)


def test_lines_for_both_signs_have_colours_of_their_own() -> None:
    heat = np.concatenate([hill(), -hill()], 1)
    drawn = overlay(np.full((60, 120, 3), 90, np.uint8), heat, style="outline", levels=[0.25])
    left, right = drawn[:, :60].astype(int), drawn[:, 60:].astype(int)
    assert (left[..., 0] - left[..., 2]).max() > 80, "evidence for is warm"
    assert (right[..., 2] - right[..., 0]).max() > 80, "evidence against is cold"
    assert (left[..., 2] - left[..., 0]).max() < 20 and (right[..., 0] - right[..., 2]).max() < 20


# --------------------------------------------------------------------------------------- errors


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"style": "contour"}, ValueError, "style must be one of 'heat', 'uniform', 'outline', no"),
        ({"style": None}, ValueError, "style must be one of .* not None"),
        ({"style": ["heat"]}, ValueError, "style must be one of .* not \\['heat'\\]"),
        ({"levels": [0.5]}, ValueError, "levels are for style='outline', not for 'heat'"),
        ({"style": "outline", "levels": 0.5}, TypeError, r"levels must be a list .* not 0.5"),
        ({"style": "outline", "levels": "0.5"}, TypeError, "levels must be a list of numbers"),
        ({"style": "outline", "levels": [[1], 2]}, TypeError, "levels must be a list of numbers"),
        ({"style": "outline", "levels": []}, ValueError, "levels must hold 1 to 20 numbers, got 0"),
        ({"style": "outline", "levels": [0.5, 1.5]}, ValueError, "levels must lie between 0 and 1"),
        ({"style": "outline", "levels": [np.nan]}, ValueError, "levels must lie between 0 and 1"),
    ],
)
def test_a_wrong_look_is_an_error(wrong: dict, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        overlay(PHOTO, hill(), **wrong)
