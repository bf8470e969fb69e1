"""Eigen-CAM and Eigen-Grad-CAM against NumPy's SVD, and the rule that settles the sign."""

import numpy as np
import pytest
import tensorflow as tf

from kerascam.methods import eigen

GRIDS = [(5,), (4, 3), (2, 3, 4)]


def project(features):
    """L = O v1 of each image, in the direction of the sum of the features."""
    maps = []
    for image in features:
        matrix = image.reshape(-1, image.shape[-1])
        _, _, directions = np.linalg.svd(matrix, full_matrices=False)
        projection = matrix @ directions[0]
        agreement = projection @ matrix.sum(1)
        maps.append(np.reshape(projection if agreement >= 0 else -projection, image.shape[:-1]))
    return np.stack(maps)


def eigen_cam(activations, dtype=tf.float64):
    activations = tf.constant(activations, dtype)
    return eigen.eigen_cam(activations).numpy()


def drawn(grid, features, signed, seed=0):
    values = np.random.default_rng(seed).normal(size=(3, *grid, features))
    return values if signed else np.maximum(values, 0)


@pytest.mark.parametrize("grid", GRIDS, ids=str)
@pytest.mark.parametrize("features", [1, 3, 40], ids="{} features".format)
@pytest.mark.parametrize("signed", [False, True], ids=["relu", "signed"])
def test_eigen_cam_is_the_first_singular_projection(grid, features, signed):
    activations = drawn(grid, features, signed)
    np.testing.assert_allclose(eigen_cam(activations), project(activations), atol=1e-8)


@pytest.mark.parametrize("grid", GRIDS, ids=str)
@pytest.mark.parametrize("features", [1, 3, 40], ids="{} features".format)
def test_eigen_grad_cam_is_that_of_the_products(grid, features):
    activations, gradients = drawn(grid, features, False), drawn(grid, features, True, seed=1)
    found = eigen.eigen_grad_cam(tf.constant(activations), tf.constant(gradients)).numpy()
    np.testing.assert_allclose(found, project(gradients * activations), atol=1e-8)


def test_single_precision():
    activations = drawn((7, 7), 32, signed=False)
    single = eigen_cam(activations, tf.float32)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, project(activations), rtol=1e-3, atol=1e-3)


def test_by_hand():
    # One direction, (0.6, 0.8), with lengths 5 and 10; the features' sum is 7 and 14.
    activations = [[[3.0, 4.0], [6.0, 8.0]]]
    np.testing.assert_allclose(eigen_cam(activations), [[5, 10]])
    np.testing.assert_allclose(eigen_cam([[[-3.0, -4.0], [-6.0, -8.0]]]), [[-5, -10]])
    # The direction (-0.6, 0.8): the sums are 1 and -2, so that the second place is negative.
    np.testing.assert_allclose(eigen_cam([[[-3.0, 4.0], [6.0, -8.0]]]), [[5, -10]])


@pytest.mark.parametrize("features", [3, 40], ids="{} features".format)
def test_the_map_agrees_with_the_sum_of_the_features(features):
    activations = drawn((4, 3), features, signed=True)
    agreement = (eigen_cam(activations) * activations.sum(-1)).sum((1, 2))
    assert (agreement > 0).all()


@pytest.mark.parametrize("features", [3, 40], ids="{} features".format)
@pytest.mark.parametrize("signed", [False, True], ids=["relu", "signed"])
def test_turning_the_features_round_turns_the_map_round(features, signed):
    activations = drawn((4, 3), features, signed)
    np.testing.assert_allclose(eigen_cam(-activations), -eigen_cam(activations), atol=1e-10)


def test_behind_a_relu_the_map_is_never_negative():
    activations = drawn((4, 3), 6, signed=False)
    assert eigen_cam(activations).min() > -1e-12
    assert eigen_cam(-activations).max() < 1e-12


def test_against_the_class_the_map_is_negative():
    activations = drawn((4, 3), 6, signed=False)
    against = eigen.eigen_grad_cam(tf.constant(activations), -tf.ones_like(activations)).numpy()
    np.testing.assert_allclose(against, -project(activations), atol=1e-10)


@pytest.mark.parametrize("signed", [False, True], ids=["relu", "signed"])
def test_more_places_than_features_or_fewer_makes_no_difference(signed):
    activations = drawn((3, 2), 4, signed)
    silent = np.concatenate([activations, np.zeros((3, 3, 2, 5))], -1)  # Z = 6: C = 4, then 9
    np.testing.assert_allclose(eigen_cam(silent), eigen_cam(activations), atol=1e-10)


def test_a_grid_of_unknown_size_makes_no_difference():
    activations = tf.constant(drawn((3, 2), 9, True))
    spec = tf.TensorSpec((None, None, None, 9), tf.float64)
    traced = tf.function(eigen.eigen_cam, input_signature=[spec], autograph=False)
    found = traced(activations).numpy()
    np.testing.assert_allclose(found, eigen_cam(activations), atol=1e-10)


@pytest.mark.parametrize("scale", [1e-25, 1e25])
def test_squares_neither_vanish_nor_overflow(scale):
    activations = drawn((3, 2), 4, False)
    scaled = eigen_cam(scale * activations, tf.float32)
    np.testing.assert_allclose(scaled / scale, project(activations), rtol=1e-3, atol=1e-4)


def test_silence_gives_zeros():
    np.testing.assert_array_equal(eigen_cam(np.zeros((2, 3, 2, 4))), np.zeros((2, 3, 2)))


@pytest.mark.parametrize("features", [3, 40], ids="{} features".format)
@pytest.mark.parametrize("bad", [np.nan, np.inf], ids=str)
def test_an_image_that_is_not_finite_leaves_its_neighbours_alone(features, bad):
    activations = drawn((4, 3), features, False)
    activations[1, 0, 0, 0] = bad
    found = eigen_cam(activations)
    np.testing.assert_allclose(found[[0, 2]], project(activations[[0, 2]]), atol=1e-8)
    assert not np.isfinite(found[1]).all()  # said as the status "not finite"
