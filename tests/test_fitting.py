"""Photographs are brought to a model's size in one way."""

import numpy as np

from kerascam.pictures import fitting

COLORS = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3) * 3


def test_overlays_are_shrunk_by_the_mean_of_the_area() -> None:
    photo = np.arange(4 * 10 * 3, dtype=np.uint8).reshape(4, 10, 3)
    small = fitting.shrink(photo, 5)
    wanted = photo.reshape(2, 2, 5, 2, 3).mean((1, 3))
    assert np.abs(small - wanted).max() <= 0.5
    for side in (10, 11, None):
        np.testing.assert_array_equal(fitting.shrink(photo, side), photo)
    assert fitting.shrink(photo[:1], 1).shape == (1, 1, 3)


def test_crop_is_the_middle_at_full_resolution() -> None:
    photo = np.arange(4 * 10, dtype=np.uint8).reshape(4, 10, 1)
    np.testing.assert_array_equal(fitting.crop(photo, (224, 224)), photo[:, 3:7])
    np.testing.assert_array_equal(fitting.crop(photo, (1, 10)), photo[1:2])


def test_resize_takes_the_mean_where_a_side_shrinks_and_grows_bilinearly() -> None:
    photo = np.array([[0, 10, 100, 110]], np.uint8)[..., None]
    assert fitting.resize(photo, (1, 2))[0, :, 0].tolist() == [5, 105]
    # One side shrinks and the other grows: the mean over the columns, repeated in the rows.
    assert fitting.resize(photo, (3, 2))[..., 0].tolist() == [[5, 105]] * 3
    assert fitting.resize(photo[:, 1:3], (1, 4))[0, :, 0].tolist() == [10, 33, 78, 100]


def test_form_fits_a_photo() -> None:
    rgb = fitting.ImageForm((2, 2), 3, False)
    seen, values = rgb.fit(COLORS, "crop")
    np.testing.assert_array_equal(seen, COLORS[:, 1:5])
    np.testing.assert_array_equal(values, fitting.resize(COLORS[:, 1:5], (2, 2)))
    seen, values = rgb.fit(COLORS, "stretch")
    np.testing.assert_array_equal(seen, COLORS)
    np.testing.assert_array_equal(values, fitting.resize(COLORS, (2, 2)))
    _, values = fitting.ImageForm((None, None), 1, False).fit(COLORS, "crop")
    luminance = COLORS.astype(float) @ [0.299, 0.587, 0.114]
    assert values.shape == (4, 6, 1)
    assert np.abs(values[..., 0] - luminance).max() <= 0.51
