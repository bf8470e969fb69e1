"""Maps of the features alone, FEM and KPCA-CAM, against NumPy and scikit-learn; and RefineCAM."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from sklearn.decomposition import KernelPCA

from kerascam import FEM, KPCACAM, GradCAM, RefineCAM
from kerascam.maps import normalize, resize
from kerascam.methods.eigen import eigen_cam, eigen_grad_cam, eigen_smoothed_grad_cam
from kerascam.methods.fem import fem
from kerascam.methods.kernel_eigen import kpca_cam

GRIDS = [(7,), (4, 3), (2, 3, 4)]


def drawn(grid, features=5, seed=0):
    values = np.random.default_rng(seed).normal(size=(3, *grid, features))
    return np.maximum(values, 0)


@pytest.mark.parametrize("grid", GRIDS, ids=str)
@pytest.mark.parametrize("deviations", [0.0, 1.0, 2.0])
def test_fem_sums_the_means_of_strong_features(grid, deviations):
    activations = drawn(grid)
    cells = activations.reshape(3, -1, 5)
    mean, deviation = cells.mean(1, keepdims=True), cells.std(1, keepdims=True)
    expected = (mean * (cells > mean + deviations * deviation)).sum(-1).reshape(3, *grid)

    found = fem(tf.constant(activations), deviations=deviations).numpy()

    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("grid", GRIDS, ids=str)
@pytest.mark.parametrize("kernel", ["sigmoid", "rbf", "linear"])
@pytest.mark.parametrize("scale", [None, 0.3])
def test_kpca_cam_is_the_first_kernel_principal_component(grid, kernel, scale):
    activations = drawn(grid)

    found = kpca_cam(tf.constant(activations), kernel=kernel, scale=scale).numpy()

    for image, maps in zip(activations, found, strict=True):
        cells = image.reshape(-1, 5)
        component = KernelPCA(1, kernel=kernel, gamma=scale, coef0=1, eigen_solver="dense")
        expected = component.fit_transform(cells)[:, 0]
        agreement = expected @ (cells - cells.mean(0)).sum(1)
        expected = expected if agreement >= 0 else -expected
        np.testing.assert_allclose(maps.ravel(), expected, atol=1e-6)


def test_kpca_cam_of_a_linear_kernel_is_eigen_cam_of_centred_features():
    activations = drawn((4, 4))
    centred = activations - activations.mean((1, 2), keepdims=True)
    found = kpca_cam(tf.constant(activations), kernel="linear").numpy()
    np.testing.assert_allclose(found, eigen_cam(tf.constant(centred)).numpy(), atol=1e-8)


def test_kernel_that_tells_no_places_apart_has_a_map_of_zeros():
    same = np.ones((1, 3, 3, 4))
    large = 1e3 * drawn((3, 3)) + 100
    assert not kpca_cam(tf.constant(same)).numpy().any()
    assert not kpca_cam(tf.constant(large, tf.float32)).numpy().any()
    broken = drawn((3, 3))
    broken[1, 0, 0, 0] = np.nan
    found = kpca_cam(tf.constant(broken)).numpy()
    assert np.isnan(found[1]).all()
    others = kpca_cam(tf.constant(broken[[0, 2]])).numpy()
    np.testing.assert_allclose(found[[0, 2]], others, rtol=1e-12)


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_eigen_smoothing_projects_the_weighed_features(grid):
    activations, gradients = drawn(grid), drawn(grid, seed=1) - 0.5
    axes = tuple(range(1, len(grid) + 1))
    weights = gradients.mean(axes, keepdims=True)

    found = eigen_smoothed_grad_cam(tf.constant(activations), tf.constant(gradients)).numpy()

    for image, maps in zip(weights * activations, found, strict=True):
        cells = image.reshape(-1, 5)
        _, _, directions = np.linalg.svd(cells, full_matrices=False)
        expected = cells @ directions[0]
        expected = expected if expected @ cells.sum(1) >= 0 else -expected
        np.testing.assert_allclose(maps.ravel(), np.maximum(expected, 0), atol=1e-8)
    same = np.broadcast_to(weights, gradients.shape)  # as of a head of pooling and one layer
    limit = np.maximum(eigen_grad_cam(tf.constant(activations), tf.constant(same)).numpy(), 0)
    np.testing.assert_allclose(found, limit, atol=1e-8)


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return keras.Sequential([
        keras.Input((12, 12, 3)), layers.Conv2D(4, 3, activation="relu", name="fine"),
        layers.Conv2D(4, 3, strides=2, activation="relu", name="coarse"),
        layers.GlobalAveragePooling2D(), layers.Dense(3, "softmax"),
    ])  # fmt: skip


@pytest.mark.parametrize("how", ["max", "minmax"])
def test_refine_cam_is_the_product_of_the_scaled_maps(model, how):
    images = np.random.default_rng(0).random((2, 12, 12, 3))
    each = [GradCAM(model, name, normalize=how)(images, 1).heatmaps for name in ("fine", "coarse")]

    found = RefineCAM(model, ["fine", "coarse"], normalize=how)(images, 1).heatmaps
    alone = RefineCAM(model, "coarse", normalize=how)(images, 1).heatmaps

    np.testing.assert_allclose(found, normalize(tf.constant(each[0] * each[1]), how), atol=1e-6)
    np.testing.assert_array_equal(alone, each[1])


def test_they_do_not_depend_on_the_class_and_lie_where_the_layer_is(model):
    images = np.random.default_rng(0).random((2, 12, 12, 3))
    for method in FEM(model, "coarse"), KPCACAM(model, "coarse", normalize="signed"):
        first, second = method(images, 0), method(images, 2)
        np.testing.assert_array_equal(first.maps, second.maps)
        largest = abs(resize(tf.constant(first.maps), (12, 12)).numpy()).max((1, 2))
        assert (largest > 0).all()


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("method", "options", "named"),
    [
        (FEM, {"deviations": -1}, "deviations"),
        (KPCACAM, {"kernel": "poly"}, "kernel"),
        (KPCACAM, {"scale": 0}, "scale"),
    ],
)
def test_wrong_options_are_named(model, method, options, named):
    with pytest.raises(ValueError, match=named):
        method(model, **options)


@pytest.mark.parametrize("value", [0.1, 1e-20])
def test_features_that_are_the_same_everywhere_are_strong_nowhere(value):
    same = tf.fill((1, 7, 7, 3), tf.constant(value, tf.float32))
    assert not fem(same, deviations=0).numpy().any()


@pytest.mark.parametrize("kernel", ["rbf", "linear"])
def test_kpca_cam_of_features_far_from_zero(kernel):
    activations = 100 + 0.05 * np.random.default_rng(0).normal(size=(1, 4, 4, 8))
    activations = activations.astype("float32")
    exact = kpca_cam(tf.constant(activations, tf.float64), kernel=kernel).numpy()
    np.testing.assert_allclose(kpca_cam(tf.constant(activations), kernel=kernel), exact, atol=1e-5)
