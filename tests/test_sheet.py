"""Pictures in rows: each as it was, with its caption below it."""

import numpy as np
import pytest

from kerascam.pictures.figures import sheet

RANDOM = np.random.default_rng(0)


def picture(height, width):
    return RANDOM.integers(0, 256, (height, width, 3), np.uint8)


def test_pictures_lie_in_rows_with_every_pixel_as_it_was():
    pictures = [picture(130, 140) for _ in range(5)]
    drawn = sheet(pictures, [""] * 5, columns=3)
    step = (drawn.shape[0] - 10) // 2
    for place, one in enumerate(pictures):
        row, column = divmod(place, 3)
        y, x = 10 + row * step, 10 + column * 150
        np.testing.assert_array_equal(drawn[y : y + 130, x : x + 140], one)
    assert drawn.shape[1] == 3 * 150 + 10
    assert (drawn[10 + step :, 10 + 2 * 150 :] == 255).all()  # where there is no sixth


def test_small_pictures_are_enlarged_by_a_whole_factor():
    small = picture(30, 50)
    drawn = sheet([small, picture(8, 8)], ["a", "b"])
    np.testing.assert_array_equal(drawn[10:100, 10:160], small.repeat(3, 0).repeat(3, 1))


def test_what_is_written_stands_below_its_picture_and_above_all():
    white = np.full((128, 128, 3), 255, np.uint8)
    plain = sheet([white] * 2, ["", ""])
    assert (plain == 255).all()
    captioned = sheet([white] * 2, ["", "cat"])
    ys, xs = np.nonzero((captioned < 128).any(-1))
    assert ys.min() > 10 + 128 and xs.min() >= 10 + 128 + 10
    headed = sheet([white] * 2, ["", ""], "Epoch 3")
    ys, _ = np.nonzero((headed < 128).any(-1))
    assert 10 <= ys.min() and ys.max() < headed.shape[0] - 128 - 20


def test_a_long_caption_is_wrapped_and_none_leaves_its_column():
    white = np.full((128, 128, 3), 255, np.uint8)
    long = "a class of a very long name, 12.3% (no positive evidence)"
    drawn = sheet([white] * 2, [long, ""])
    assert drawn.shape[0] > sheet([white] * 2, ["short", ""]).shape[0]
    _, xs = np.nonzero((drawn < 200).any(-1))
    assert xs.max() < 10 + 128 + 10


def test_a_long_heading_is_wrapped_and_nothing_is_cut_off():
    white = np.full((128, 128, 3), 255, np.uint8)
    long = "Grad-CAM at resnet50/conv5_block3_out, epoch 12"
    for count in (1, 2):
        drawn = sheet([white] * count, [""] * count, long)
        ys, xs = np.nonzero((drawn < 200).any(-1))
        assert xs.max() < drawn.shape[1] - 5  # a sheet's margin stays white
        assert ys.max() < drawn.shape[0] - 128 - 10  # above the pictures
        lines = drawn.shape[0] - sheet([white] * count, [""] * count, "short").shape[0]
        assert lines >= 15  # pixels: one line more at least


def test_a_dollar_sign_is_no_formula():
    white = np.full((128, 128, 3), 255, np.uint8)
    one, other = sheet([white], ["$a_b$"]), sheet([white], ["ab"])
    assert (one < 128).sum() > (other < 128).sum()


def test_no_column_is_told():
    with pytest.raises(ValueError, match="columns must be at least 1, not 0"):
        sheet([picture(8, 8)], ["a"], columns=0)


@pytest.mark.parametrize(
    ("pictures", "captions", "message"),
    [
        ([], [], "pictures must hold at least one picture"),
        ([picture(8, 8)], ["a", "b"], "captions holds 2 texts, pictures 1; pass as many"),
    ],
)
def test_what_does_not_fit_is_told(pictures, captions, message):
    with pytest.raises(ValueError, match=message):
        sheet(pictures, captions)
