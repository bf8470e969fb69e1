"""Maps by one weight per place and feature, against NumPy, and LayerCAM's fusion by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from enlarging import enlarged

import kerascam
from kerascam.methods import pixelwise

GRIDS = [(5,), (4, 3), (2, 3, 4)]


def relu(values):
    return np.maximum(values, 0)


FORMULAS = {
    "hires_cam": lambda A, g: sum(A[..., k] * g[..., k] for k in range(A.shape[-1])),
    "layer_cam": lambda A, g: relu(sum(relu(g[..., k]) * A[..., k] for k in range(A.shape[-1]))),
    "elementwise_grad_cam": lambda A, g: sum(
        relu(g[..., k] * A[..., k]) for k in range(A.shape[-1])
    ),
}


def called(name, activations, gradients, dtype=tf.float64):
    function = getattr(pixelwise, name)
    return function(tf.constant(activations, dtype), tf.constant(gradients, dtype)).numpy()


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("grid", GRIDS, ids=str)
@pytest.mark.parametrize("signed", [False, True], ids=["relu", "signed"])
@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
def test_formula(name, grid, signed, dtype):
    rng = np.random.default_rng(0)
    activations, gradients = rng.normal(size=(2, 3, *grid, 6))
    activations = activations if signed else relu(activations)
    wanted = FORMULAS[name](activations, gradients)
    np.testing.assert_allclose(
        called(name, activations, gradients, dtype),
        wanted,
        rtol=1e-5 if dtype == tf.float32 else 1e-12,
        atol=1e-5 if dtype == tf.float32 else 1e-12,
    )


# Two places of two features: A g = (2, -2), (-6, 0), and a place where both are negative: (3, 1).
@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("hires_cam", [0, -6, 4]),
        ("layer_cam", [2, 0, 0]),  # negative activations under positive gradients are cut off
        ("elementwise_grad_cam", [2, 0, 4]),
    ],
)
def test_by_hand(name, wanted):
    activations = [[[1.0, 2.0], [-3.0, 0.0], [-3.0, -1.0]]]
    gradients = [[[2.0, -1.0], [2.0, 5.0], [-1.0, -1.0]]]
    assert called(name, activations, gradients).tolist() == [wanted]


def test_a_counterfactual_turns_hires_cam_round():
    rng = np.random.default_rng(1)
    activations, gradients = rng.normal(size=(2, 2, 3, 3, 4))
    turned = called("hires_cam", activations, -gradients)
    np.testing.assert_array_equal(turned, -called("hires_cam", activations, gradients))


def test_behind_a_relu_layer_cam_and_elementwise_agree():
    rng = np.random.default_rng(2)
    activations, gradients = relu(rng.normal(size=(2, 3, 3, 4))), rng.normal(size=(2, 3, 3, 4))
    np.testing.assert_allclose(
        called("layer_cam", activations, gradients),
        called("elementwise_grad_cam", activations, gradients),
    )


# ------------------------------------------------------------------------------- LayerCAM's fusion


def fused(heatmaps, cells):
    return pixelwise.fuse_layer_cam([tf.constant(h, tf.float64) for h in heatmaps], cells).numpy()


def test_fusion_by_hand():
    fine = np.array([[[0.0, 0.25], [0.5, 1.0]]])
    coarse = np.array([[[0.1, 1.0], [0.2, 0.3]]])
    # tanh(2 · (0, 0.25, 0.5, 1)) = 0, 0.462117, 0.761594, 0.964028: the larger, over the maximum.
    wanted = [[[0.1, 1.0], [np.tanh(1), np.tanh(2)]]]
    np.testing.assert_allclose(fused([fine, coarse], [16, 4]), wanted)
    np.testing.assert_allclose(fused([coarse, fine], [4, 16]), wanted)


def test_layers_of_one_size_are_not_lifted():
    first, second = np.array([[[0.0, 1.0, 0.5]]]), np.array([[[1.0, 0.25, 0.75]]])
    np.testing.assert_allclose(fused([first, second], [4, 4]), [[[1.0, 1.0, 0.75]]])


def test_only_the_coarsest_of_three_stays_as_it_is():
    maps = np.array([[[0.5, 1.0, 0, 0]], [[1.0, 0, 0.25, 0]], [[0.1, 0.9, 0.1, 1.0]]])
    wanted = [np.tanh(2), np.tanh(2), np.tanh(0.5), 1.0]
    np.testing.assert_allclose(fused(maps, [64, 16, 4])[0], wanted)


def test_fusion_scales_each_image_on_its_own():
    maps = np.array([[[1.0, 0.1]], [[0.5, 1.0]]])
    fine = fused([maps, 0 * maps], [16, 4])
    np.testing.assert_allclose(fine, np.tanh(2 * maps) / np.tanh(2))
    np.testing.assert_array_equal(fused([0 * maps, 0 * maps], [4, 4]), 0 * maps)


def two_layers(size):
    keras.utils.set_random_seed(3)
    return keras.Sequential([
        keras.Input((size, size, 3)),
        keras.layers.Conv2D(4, 3, activation="relu", name="fine"),
        keras.layers.Conv2D(4, 3, strides=2, activation="relu", name="coarse"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(2),
    ])  # fmt: skip


IMAGES = np.random.default_rng(4).random((2, 9, 9, 3), np.float32)


FINE, COARSE = [(1, 1)] * 2, [(1.5, 2)] * 2  # where the cells begin, and how wide they are


def fused_by_hand(fine, coarse):
    def unit(maps, edges):
        heatmaps = enlarged(maps, (9, 9), edges)
        return heatmaps / heatmaps.max((1, 2), keepdims=True)

    largest = np.maximum(np.tanh(2 * unit(fine, FINE)), unit(coarse, COARSE))
    return largest / largest.max((1, 2), keepdims=True)


@pytest.mark.parametrize("size", [9, None], ids=["fixed size", "any size"])
def test_fusion_through_the_front_door(size):
    found = kerascam.LayerCAM(two_layers(size), ["fine", "coarse"])(IMAGES, 1)
    wanted = fused_by_hand(*found.maps)
    np.testing.assert_allclose(found.heatmaps, wanted, atol=1e-5)


def test_fusion_scales_every_layer_first_even_where_nothing_is_normalised_after():
    found = kerascam.LayerCAM(two_layers(9), ["fine", "coarse"], normalize="none")(IMAGES, 1)
    np.testing.assert_allclose(found.heatmaps, fused_by_hand(*found.maps), atol=1e-5)


def test_other_methods_fuse_by_the_mean():
    found = kerascam.GradCAM(two_layers(9), ["fine", "coarse"])(IMAGES, 1)
    total = np.zeros((2, 9, 9), np.float32)
    for maps, edges in zip(found.maps, (FINE, COARSE), strict=True):
        heatmaps = enlarged(maps, (9, 9), edges)
        total += heatmaps / np.maximum(heatmaps.max((1, 2), keepdims=True), 1e-30)
    wanted = total / np.maximum(total.max((1, 2), keepdims=True), 1e-30)
    np.testing.assert_allclose(found.heatmaps, wanted, atol=1e-5)
