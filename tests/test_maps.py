"""Resizing against TensorFlow, OpenCV and NumPy; scaling and status codes by hand."""

import cv2
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given
from hypothesis import strategies as st

from kerascam import maps as m

LENGTH = st.integers(1, 24)


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def resized(values, size):
    return m.resize(tf.constant(values), size).numpy()


def interpolated(values, size):
    """NumPy's linear interpolation between cell centres, one axis after the other."""
    for axis, length in enumerate(size, start=1):
        old = values.shape[axis]
        places = (np.arange(length) + 0.5) * old / length - 0.5
        values = np.apply_along_axis(
            lambda line, at=places: np.interp(at, np.arange(len(line)), line), axis, values
        )
    return values


@given(LENGTH, LENGTH, LENGTH, LENGTH)
@example(7, 7, 224, 224)
@example(14, 14, 299, 331)
@example(24, 24, 12, 12)
@example(1, 1, 5, 3)
def test_two_axes_are_those_of_tensorflow_and_opencv(height, width, rows, columns):
    values = drawn(2, height, width)
    found = resized(values, (rows, columns))
    assert found.shape == (2, rows, columns) and found.dtype == np.float32
    theirs = tf.image.resize(values[..., None], (rows, columns), "bilinear").numpy()[..., 0]
    np.testing.assert_allclose(found, theirs, atol=1e-5)
    for mine, each in zip(found, values, strict=True):
        opencv = cv2.resize(each, (columns, rows), interpolation=cv2.INTER_LINEAR)
        np.testing.assert_allclose(mine, opencv.reshape(mine.shape), atol=1e-5)


@given(st.lists(st.tuples(LENGTH, LENGTH), min_size=1, max_size=3))
def test_any_number_of_axes_is_one_after_the_other(lengths):
    old, new = zip(*lengths, strict=True)
    values = drawn(2, *old)
    np.testing.assert_allclose(resized(values, new), interpolated(values, new), atol=1e-5)


@given(st.lists(st.tuples(LENGTH, LENGTH), min_size=1, max_size=3), st.floats(-9, 9, width=32))
def test_constants_stay_constant_and_no_value_is_passed_over(lengths, constant):
    old, new = zip(*lengths, strict=True)
    np.testing.assert_allclose(
        resized(np.full((1, *old), constant, np.float32), new), constant, rtol=1e-5
    )
    values = drawn(1, *old)
    found = resized(values, new)
    assert values.min() - 1e-5 <= found.min() and found.max() <= values.max() + 1e-5


def test_the_same_size_is_the_same_map():
    values = drawn(2, 5, 7)
    np.testing.assert_allclose(resized(values, (5, 7)), values, atol=1e-6)


def test_cells_lie_at_their_centres():
    # One cell of 7 × 7 is 32 of 224 pixels wide: cell (1, 1) is centred on pixel 47.5.
    values = np.zeros((1, 7, 7), np.float32)
    values[0, 1, 1] = 1
    found = resized(values, (224, 224))[0]
    for weights in (found.sum(0), found.sum(1)):
        assert np.average(np.arange(224), weights=weights) == pytest.approx(47.5, abs=1e-3)


def test_double_precision_stays():
    values = drawn(1, 3, 3).astype(np.float64)
    found = m.resize(tf.constant(values), (5, 5))
    assert found.dtype == tf.float64
    np.testing.assert_allclose(found.numpy(), interpolated(values, (5, 5)), atol=1e-14)


def test_sizes_may_be_tensors_and_grids_unknown():
    @tf.function(autograph=False, input_signature=[tf.TensorSpec((None, None, None)),
                                                   tf.TensorSpec((), tf.int32)])  # fmt: skip
    def enlarge(values, rows):
        return m.resize(values, (rows, 6))

    values = drawn(2, 3, 4)
    found = enlarge(values, 9).numpy()
    np.testing.assert_allclose(found, resized(values, (9, 6)), atol=1e-6)
    assert enlarge.get_concrete_function().output_shapes.as_list() == [None, None, 6]


@pytest.mark.parametrize("size", [(4,), (4, 4, 4)], ids=str)
def test_a_size_of_another_rank_is_an_error(size):
    with pytest.raises(ValueError, match="size must have a length for each grid axis"):
        m.resize(tf.zeros((1, 2, 2)), size)


# --------------------------------------------------------------------------------- normalisation

SCALED = {
    "max": [[0, 0, 0.5, 1]],
    "minmax": [[0, 1 / 3, 2 / 3, 1]],
    "signed": [[-0.5, 0, 0.5, 1]],
    "none": [[-2, 0, 2, 4]],
}


@pytest.mark.parametrize("how", SCALED)
def test_normalisation_by_hand(how):
    values = tf.constant([[-2.0, 0.0, 2.0, 4.0]])
    np.testing.assert_allclose(m.normalize(values, how).numpy(), SCALED[how], rtol=1e-6)


@pytest.mark.parametrize("how", SCALED)
@pytest.mark.parametrize("grid", [(5,), (3, 4), (2, 3, 2)], ids=str)
def test_each_image_is_scaled_on_its_own(how, grid):
    values = drawn(3, *grid)
    together = m.normalize(tf.constant(values), how).numpy()
    for place in range(3):
        alone = m.normalize(tf.constant(values[place : place + 1]), how).numpy()
        np.testing.assert_array_equal(together[place : place + 1], alone)


@pytest.mark.parametrize("how", ["max", "minmax", "signed"])
@pytest.mark.parametrize("strength", [1e-30, 1.0, 1e30])
def test_strength_does_not_matter(how, strength):
    values = drawn(2, 3, 4)
    np.testing.assert_allclose(
        m.normalize(tf.constant(np.float32(strength) * values), how).numpy(),
        m.normalize(tf.constant(values), how).numpy(),
        atol=1e-6,
    )


@pytest.mark.parametrize("how", SCALED)
def test_nothing_stays_nothing(how):
    np.testing.assert_array_equal(m.normalize(tf.zeros((2, 3, 3)), how).numpy(), 0)


def test_only_evidence_against():
    values = tf.constant([[-4.0, -1.0]])
    assert m.normalize(values, "max").numpy().tolist() == [[0, 0]]
    assert m.normalize(values, "minmax").numpy().tolist() == [[0, 1]]
    assert m.normalize(values, "signed").numpy().tolist() == [[-1, -0.25]]


def test_evidence_everywhere_is_kept_by_max_and_not_by_minmax():
    values = tf.constant([[2.0, 2.0]])
    assert m.normalize(values, "max").numpy().tolist() == [[1, 1]]
    assert m.normalize(values, "minmax").numpy().tolist() == [[0, 0]]


def test_normalize_is_max_by_default():
    values = tf.constant(drawn(2, 3))
    np.testing.assert_array_equal(m.normalize(values), m.normalize(values, "max"))


def test_unknown_normalisation():
    with pytest.raises(ValueError, match="normalize must be one of 'max', 'minmax', 'signed', "
                                         "'none', not 'std'"):  # fmt: skip
        m.check_normalization("std")
    for how in SCALED:
        m.check_normalization(how)


def test_mean():
    found = m.mean([tf.constant([[1.0, 0.0]]), tf.constant([[0.5, 1.0]])], [4, 16])
    assert found.numpy().tolist() == [[0.75, 0.5]]


# -------------------------------------------------------------------------------- status and NaN


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf], ids=str)
def test_a_map_that_is_not_finite_becomes_zero_as_a_whole(bad):
    values = drawn(3, 2, 2)
    values[1, 0, 1] = bad
    found = m.finite_or_zero(tf.constant(values)).numpy()
    np.testing.assert_array_equal(found[1], 0)
    np.testing.assert_array_equal(found[[0, 2]], values[[0, 2]])


ON, OFF = np.ones((2, 2, 3), np.float32), np.zeros((2, 2, 3), np.float32)
HOT, COLD = np.array([[0, 0], [0, 1e-9]], np.float32), np.array([[0, -1], [0, 0]], np.float32)
BAD = np.array([[0, np.nan], [0, 1]], np.float32)
STATUS_OF = {  # map, activations, gradients
    "ok": (HOT, ON, ON),
    "no positive evidence": (COLD, ON, ON),
    "zero gradient": (COLD, ON, OFF),
    "zero activations": (COLD, OFF, ON),
    "not finite": (BAD, ON, ON),
}


@pytest.mark.parametrize("wanted", STATUS_OF)
def test_status(wanted):
    values = [tf.constant(each[None]) for each in STATUS_OF[wanted]]
    assert m.STATUSES[m.status(*values).numpy()[0]] == wanted


def test_statuses_of_a_batch_are_its_images_own():
    batch = [tf.constant(np.stack(each)) for each in zip(*STATUS_OF.values(), strict=True)]
    codes = m.status(*batch).numpy()
    assert codes.tolist() == [m.OK, m.NO_EVIDENCE, m.ZERO_GRADIENT, m.ZERO_ACTIVATIONS,
                              m.NOT_FINITE]  # fmt: skip
    assert [m.STATUSES[code] for code in codes] == list(STATUS_OF)
    assert m.STATUSES == (*STATUS_OF, "evidence lost in scaling")  # that one is of the heatmap


@pytest.mark.parametrize(
    ("heat", "activations", "gradients", "wanted"),
    [
        (HOT, ON, OFF, "ok"),  # Eigen-CAM needs no gradient
        (HOT, OFF, OFF, "ok"),
        (BAD, OFF, OFF, "not finite"),
        (BAD, np.full_like(ON, np.nan), ON, "not finite"),
        (0 * HOT, ON, ON, "no positive evidence"),
    ],
)
def test_what_weighs_more(heat, activations, gradients, wanted):
    values = [tf.constant(each[None]) for each in (heat, activations, gradients)]
    assert m.STATUSES[m.status(*values).numpy()[0]] == wanted
