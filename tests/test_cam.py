"""Maps by one weight per feature, against the papers' formulas feature by feature in NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerascam
from kerascam.methods import one_weight as cam

GRIDS = [(5,), (4, 3), (2, 3, 4)]


def plus_plus_weight(activation, gradient):
    """Equation 19 of Grad-CAM++ as printed, without the constant factor e^S."""
    positive = gradient[gradient > 0]
    alpha = positive**2 / (2 * positive**2 + activation.sum() * positive**3)
    return (alpha * positive).sum()


WEIGHTS = {
    "cam": lambda A, g: g.sum(),
    "grad_cam": lambda A, g: g.mean(),
    "grad_cam_plus_plus": plus_plus_weight,
    "xgrad_cam": lambda A, g: (A / A.sum() * g).sum() if A.any() else 0.0,
}


def reference(name, activations, gradients):
    maps = []
    for A, g in zip(activations, gradients, strict=True):
        each = [WEIGHTS[name](A[..., k], g[..., k]) * A[..., k] for k in range(A.shape[-1])]
        maps.append(sum(each) if name == "cam" else np.maximum(sum(each), 0))
    return np.stack(maps)


def drawn(grid, signed, features=6, batch=3, seed=0):
    rng = np.random.default_rng(seed)
    activations = rng.normal(size=(batch, *grid, features))
    gradients = rng.normal(size=(batch, *grid, features))
    return (activations if signed else np.maximum(activations, 0)), gradients


def called(name, activations, gradients, dtype=tf.float64):
    maps = getattr(cam, name)(tf.constant(activations, dtype), tf.constant(gradients, dtype))
    assert maps.dtype == dtype
    return maps.numpy()


@pytest.mark.parametrize("name", WEIGHTS)
@pytest.mark.parametrize("grid", GRIDS, ids=str)
@pytest.mark.parametrize("signed", [False, True], ids=["relu", "signed"])
def test_formula(name, grid, signed):
    activations, gradients = drawn(grid, signed)
    wanted = reference(name, activations, gradients)
    assert np.abs(wanted).max() > 0
    np.testing.assert_allclose(called(name, activations, gradients), wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", WEIGHTS)
def test_single_precision_is_close_to_double(name):
    activations, gradients = drawn((7, 7), signed=False)
    single = called(name, activations, gradients, tf.float32)
    np.testing.assert_allclose(single, reference(name, activations, gradients), 1e-4, 1e-5)


# Two features on a grid of 1 × 2: A^0 = (1, 3), A^1 = (2, 0), g^0 = (2, 0), g^1 = (-1, -3).
GOLDEN = {
    "cam": [2 * 1 - 4 * 2, 2 * 3 - 4 * 0],
    "grad_cam": [0, 1 * 3],  # weights 1 and -2: 1 - 4 is cut off
    "grad_cam_plus_plus": [0.2 * 1, 0.2 * 3],  # 2 / (2 + 4 · 2) = 0.2, and nothing positive in g^1
    "xgrad_cam": [0, 0.5 * 3],  # weights 2 / 4 and -2 / 2: 0.5 - 2 is cut off
}


@pytest.mark.parametrize("name", GOLDEN)
def test_by_hand(name):
    activations = np.array([[[[1.0, 2.0], [3.0, 0.0]]]])
    gradients = np.array([[[[2.0, -1.0], [0.0, -3.0]]]])
    np.testing.assert_allclose(called(name, activations, gradients), [[GOLDEN[name]]], atol=1e-15)


@pytest.mark.parametrize("size", [1e-8, 8e-5, 8e-4, 1.0, 1e4])
@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
def test_plus_plus_has_the_papers_weights_at_every_size_of_gradient(size, dtype):
    # A small number added to the denominator, or to g, changes the weights of small gradients.
    rng = np.random.default_rng(1)
    activations = np.eye(8)[None] + rng.random((1, 8, 8))  # 8 places × 8 features
    gradients = size * rng.normal(size=activations.shape)
    maps = called("grad_cam_plus_plus", activations, gradients, dtype)
    assert np.isfinite(maps).all()
    wanted = reference("grad_cam_plus_plus", activations, gradients)
    np.testing.assert_allclose(maps, wanted, rtol=1e-5 if dtype == tf.float32 else 1e-12)
    found, paper = np.linalg.solve(activations[0], maps[0]), [
        plus_plus_weight(activations[0, :, k], gradients[0, :, k]) for k in range(8)
    ]  # fmt: skip
    assert np.corrcoef(found, paper)[0, 1] == pytest.approx(1, abs=1e-6)


def test_plus_plus_survives_gradients_of_all_sizes_at_once():
    sizes = np.array([-1e4, -1e-8, 0, 1e-30, 1e-8, 1e-3, 1, 1e4])
    activations = np.tile(np.linspace(0, 5, 8)[None, :, None], (1, 1, 4))
    gradients = np.stack([np.roll(sizes, shift) for shift in range(4)], -1)[None]
    maps = called("grad_cam_plus_plus", activations, gradients, tf.float32)
    assert np.isfinite(maps).all() and maps.max() > 0


def test_plus_plus_lets_negative_gradients_count_for_nothing():
    activations, gradients = drawn((4, 3), signed=False)
    cut = np.maximum(gradients, 0)
    np.testing.assert_array_equal(
        called("grad_cam_plus_plus", activations, gradients),
        called("grad_cam_plus_plus", activations, cut),
    )


def test_xgrad_gives_a_silent_feature_no_weight():
    activations, gradients = drawn((4, 3), signed=False)
    activations[..., 0] = 0
    maps = called("xgrad_cam", activations, gradients)
    np.testing.assert_allclose(maps, called("xgrad_cam", activations[..., 1:], gradients[..., 1:]))


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_one_dense_layer_behind_average_pooling_makes_the_methods_agree(grid):
    activations, _ = drawn(grid, signed=False)
    cells = np.prod(grid)
    weights = np.random.default_rng(2).normal(size=activations.shape[-1])
    gradients = np.broadcast_to(weights / cells, activations.shape)
    maps = called("cam", activations, gradients)
    np.testing.assert_allclose(maps, activations @ weights)
    for name in ("grad_cam", "xgrad_cam"):
        others = called(name, activations, gradients)
        np.testing.assert_allclose(cells * others, np.maximum(maps, 0), atol=1e-12)
    hires = kerascam.methods.pixelwise.hires_cam(tf.constant(activations), tf.constant(gradients))
    np.testing.assert_allclose(cells * hires.numpy(), maps, atol=1e-12)
    # Grad-CAM++: Z r / (2 + S_A r) with r = ReLU(w) / Z.
    r = np.maximum(weights, 0) / cells
    totals = activations.sum(tuple(range(1, len(grid) + 1)))
    closed = np.einsum("b...k,bk->b...", activations, cells * r / (2 + totals * r))
    np.testing.assert_allclose(called("grad_cam_plus_plus", activations, gradients), closed)


# ------------------------------------------------------------------------- through the front door


@pytest.fixture(scope="module")
def pooled_model():
    keras.utils.set_random_seed(7)
    return keras.Sequential([
        keras.Input((6, 7, 3)),
        keras.layers.Conv2D(5, 3, activation="relu", name="shallow"),
        keras.layers.Conv2D(4, 2, activation="relu", name="deep"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(3, activation="softmax", bias_initializer="random_normal", name="head"),
    ])  # fmt: skip


def test_a_models_own_weights_are_found(pooled_model):
    images = np.random.default_rng(3).random((4, 6, 7, 3), np.float32)
    classes = [0, 1, 2, 1]
    deep = keras.Model(pooled_model.inputs[0], pooled_model.get_layer("deep").output)
    activations = deep(images).numpy()
    weights, bias = (each.numpy() for each in pooled_model.get_layer("head").weights)
    wanted = np.einsum("bijk,kb->bij", activations, weights[:, classes])

    found = kerascam.CAM(pooled_model)(images, classes)
    np.testing.assert_allclose(found.maps, wanted, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.maps.mean((1, 2)) + bias[classes], found.scores, rtol=1e-4)
    cells = activations[0, ..., 0].size
    for explainer in (kerascam.GradCAM, kerascam.XGradCAM):
        maps = explainer(pooled_model)(images, classes).maps
        np.testing.assert_allclose(cells * maps, np.maximum(wanted, 0), rtol=1e-4, atol=1e-5)
    maps = kerascam.HiResCAM(pooled_model)(images, classes).maps
    np.testing.assert_allclose(cells * maps, wanted, rtol=1e-4, atol=1e-5)


def test_cam_says_where_it_does_not_apply(pooled_model):
    images = np.random.default_rng(4).random((2, 6, 7, 3), np.float32)
    message = r"layer 'shallow' does not suit CAM: CAM needs global average pooling and one dense"
    with pytest.raises(ValueError, match=message):
        kerascam.CAM(pooled_model, "shallow")(images)


@pytest.mark.parametrize("layers", [["shallow", "deep"], ["deep", "shallow"]], ids=" + ".join)
def test_cam_looks_at_every_layer_that_it_is_given(pooled_model, layers):
    images = np.random.default_rng(5).random((2, 6, 7, 3), np.float32)
    with pytest.raises(ValueError, match="does not suit CAM"):
        kerascam.CAM(pooled_model, layers)(images)


def test_constant_gradients_are_told_image_by_image():
    gradients = np.ones((4, 3, 3, 2), np.float32)
    gradients[1, 0, 0, 0] = 1.01
    gradients[2] = 0
    gradients[3, ..., 1] = 5  # another constant for another feature
    found = cam.gradients_constant(tf.ones((4, 3, 3, 2)), tf.constant(gradients))
    assert found.numpy().tolist() == [True, False, True, True]
