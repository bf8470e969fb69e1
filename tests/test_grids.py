"""Layers' outputs in one form: channels last, tokens on their grid."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from kerascam.model import grids


@pytest.mark.parametrize(
    ("tokens", "image", "wanted"),
    [
        (196, (224, 224), (14, 14, 0)),
        (197, (224, 224), (14, 14, 1)),  # a class token
        (198, (224, 224), (14, 14, 2)),  # and a distillation token
        (201, (224, 224), (14, 14, 5)),  # and four registers
        (49, (224, 224), (7, 7, 0)),
        (50, (224, 224), (7, 7, 1)),
        (256, (224, 224), (16, 16, 0)),  # patches of 14 pixels
        (257, (224, 224), (16, 16, 1)),
        (256, (256, 256), (16, 16, 0)),
        (257, (256, 256), (16, 16, 1)),
        (65, (32, 32), (8, 8, 1)),
        (99, (224, 112), (14, 7, 1)),
        (99, (112, 224), (7, 14, 1)),
        (301, (192, 400), (12, 25, 1)),
        (1 + 7 * 13, (112, 208), (7, 13, 1)),
        (2, (224, 224), None),
        (100, (16, 16), None),  # patches of one pixel are none
        (197, (None, None), None),
        (197, (224, None), None),
    ],
)
def test_token_grid(tokens, image, wanted):
    assert grids.token_grid(tokens, image) == wanted


@given(st.integers(2, 20), st.integers(2, 20), st.sampled_from([8, 14, 16, 32]),
       st.sampled_from([0, 1, 2, 5]))  # fmt: skip
def test_a_grid_that_is_found_fits_the_tokens_and_the_image(rows, columns, patch, prefix):
    image = (rows * patch, columns * patch)
    found = grids.token_grid(rows * columns + prefix, image)
    assert found is not None
    assert found[0] * found[1] + found[2] == rows * columns + prefix
    assert found[2] <= prefix, "the fewest prefix tokens"
    assert image[0] // found[0] == image[1] // found[1]


def numbered(tokens):
    """Tokens whose one feature is their index."""
    return tf.reshape(tf.range(tokens, dtype=tf.float32), (1, tokens, 1))


def test_tokens_are_laid_out_in_rows_behind_the_prefix():
    laid = grids.to_grid(numbered(9), (64, 128), None)
    assert laid.shape == (1, 2, 4, 1)
    assert laid[0, ..., 0].numpy().tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]


def test_a_given_grid_goes_before_the_images():
    laid = grids.to_grid(numbered(9), (64, 128), (4, 2))
    assert laid[0, ..., 0].numpy().tolist() == [[1, 2], [3, 4], [5, 6], [7, 8]]
    laid = grids.to_grid(numbered(6), None, (2, 3))
    assert laid[0, ..., 0].numpy().tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize("shape", [(2, 4, 5, 3), (2, 3, 4, 5, 6)], ids=str)
def test_features_that_have_a_grid_keep_it(shape):
    features = tf.zeros(shape)
    assert grids.to_grid(features, (8, 8), None) is features
    assert grids.to_grid(features, None, (2, 2)) is features


def test_a_signal_is_no_row_of_tokens():
    features = tf.zeros((2, 10, 3))
    assert grids.to_grid(features, (100,), None) is features
    assert grids.to_grid(features, None, None) is features


def test_the_batch_may_be_of_any_size():
    @tf.function(autograph=False, input_signature=[tf.TensorSpec((None, 50, 8))])
    def laid(features):
        return grids.to_grid(features, (224, 224), None)

    assert laid.get_concrete_function().output_shapes.as_list() == [None, 7, 7, 8]
    assert laid(tf.zeros((3, 50, 8))).shape == (3, 7, 7, 8)


def test_tokens_that_fit_no_grid():
    message = (
        r"the layer returns 100 tokens, which fit no grid of square patches on an image of "
        r"\(16, 16\); give their rows and columns by grid="
    )
    with pytest.raises(ValueError, match=message):
        grids.to_grid(numbered(100), (16, 16), None)


@pytest.mark.parametrize(
    "grid",
    [(3, 4), (0, 0), (-2, -3), (1, 1)],
    ids=["too many places", "no place", "negative", "far too few places"],
)
def test_a_grid_that_does_not_fit(grid):
    # With (1, 1), 39 of 40 tokens would be dropped as prefix.
    with pytest.raises(ValueError, match=r"grid="):
        grids.to_grid(numbered(10 if grid == (3, 4) else 40), (224, 224), grid)


@pytest.mark.parametrize(("shape", "first", "wanted"), [
    ((2, 3, 4, 5), True, (2, 4, 5, 3)),
    ((2, 3, 4, 5), False, (2, 3, 4, 5)),
    ((2, 3, 7), True, (2, 7, 3)),
    ((2, 3, 4, 5, 6), True, (2, 4, 5, 6, 3)),
], ids=str)  # fmt: skip
def test_channels_last(shape, first, wanted):
    values = np.random.default_rng(0).normal(size=shape)
    found = grids.channels_last(tf.constant(values), first).numpy()
    assert found.shape == wanted
    np.testing.assert_array_equal(found, np.moveaxis(values, 1, -1) if first else values)
