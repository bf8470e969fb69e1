"""The model card's conditions: temperature, brightness, crops, borders and mean maps."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scene_classification.evaluation.conditions import by_brightness, by_crop, middle
from scene_classification.evaluation.temperature import fit_temperature, with_temperature
from scene_classification.explanation.borders import border, common_maps
from scene_classification.networks.residual import residual_network

RANDOM = np.random.default_rng(0)


def softmax(scores):
    powers = np.exp(scores - scores.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


@pytest.mark.parametrize(("sure", "right"), [(0.8, 0.75), (0.6, 0.9), (0.99, 0.75)])
def test_of_two_classes_the_temperature_is_the_ratio_of_the_log_odds(sure, right):
    labels = (np.arange(100) >= round(100 * right)).astype(np.int64)
    found = fit_temperature(np.array([[sure, 1 - sure]] * 100), labels)
    odds = [np.log(share / (1 - share)) for share in (sure, right)]
    assert found == pytest.approx(odds[0] / odds[1], rel=1e-6)


@given(st.floats(0.5, 2))
def test_scores_divided_by_a_number_need_a_temperature_divided_by_it(factor):
    scores = np.random.default_rng(1).normal(0, 2, (300, 4))
    labels = (scores + np.random.default_rng(2).gumbel(0, 1.5, scores.shape)).argmax(1)
    found = [fit_temperature(softmax(one), labels) for one in (scores, scores / factor)]
    assert found[0] / found[1] == pytest.approx(factor, rel=1e-6)
    assert found[0] == pytest.approx(1.5, rel=0.15)  # what the labels were drawn with


def test_a_networks_scores_are_divided_and_it_is_left_as_it_is():
    network = residual_network("tiny", input_shape=(32, 32, 3))
    images = RANDOM.uniform(0, 255, (3, 32, 32, 3)).astype(np.float32)
    before = network.get_weights()
    calibrated = with_temperature(network, 2.0)
    halves = softmax(np.log(network(images).numpy()) / 2)
    np.testing.assert_allclose(calibrated(images).numpy(), halves, atol=1e-6)
    for ours, theirs in zip(network.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_thirds_are_of_equal_size_in_order_of_brightness():
    images = (
        np.full((9, 2, 2, 3), 1, np.uint8)
        * RANDOM.permutation(9).astype(np.uint8)[:, None, None, None]
    )
    brightness = images[:, 0, 0, 0]
    found = by_brightness(images, brightness < 4, seed=0)
    assert [one["value"] for one in found.values()] == pytest.approx([1, 1 / 3, 0])


def test_the_middle_is_the_middle():
    images = RANDOM.integers(0, 256, (2, 8, 8, 3), np.uint8)
    np.testing.assert_array_equal(middle(images, 1.0), images)
    one_color = np.zeros((1, 8, 8, 3), np.uint8)
    one_color[:, 2:6, 2:6] = 90
    np.testing.assert_array_equal(middle(one_color, 0.5), np.full((1, 8, 8, 3), 90, np.float32))


def test_a_network_that_sees_the_border_alone_fails_where_it_is_cut_off():
    images = np.zeros((4, 16, 16, 3), np.uint8)
    images[2:, 0] = 200  # class 1 has a bright upper edge

    def answer(batch):
        bright = (np.asarray(batch)[:, 0].mean((1, 2)) > 100).astype(float)
        return np.stack([1 - bright, bright], 1)

    found = by_crop(answer, images, np.array([0, 0, 1, 1]), seed=0)
    assert [one["value"] for one in found.values()] == [1.0, 0.5, 0.5, 0.5]


def test_the_heat_of_a_network_that_is_known_lies_where_it_must():
    # The score of class 0 is the mean of the red channel, of class 1 the mean of the green one:
    # Grad-CAM's map is that channel.
    inputs = keras.Input((16, 16, 3))
    cells = keras.layers.Conv2D(2, 1, use_bias=False)(inputs)
    scores = keras.layers.Dense(2, use_bias=False)(keras.layers.GlobalAveragePooling2D()(cells))
    network = keras.Model(inputs, keras.layers.Softmax()(scores))
    network.set_weights([np.eye(3)[:, :2].reshape(1, 1, 3, 2), np.eye(2)])
    images = np.zeros((3, 16, 16, 3), np.uint8)
    images[0, 0, :, 0] = 100  # all of it in the border
    images[1, 4:12, 4:12, 0] = 50  # none of it
    images[2, :, :, 1] = 10  # the same everywhere
    found = common_maps(network, images, np.array([0, 0, 1]), seed=0)
    assert found.area == border(16).mean() == pytest.approx(1 - 0.75**2)
    assert found.border["value"] == pytest.approx((1 + 0 + found.area) / 3, rel=1e-5)
    np.testing.assert_allclose(found.means[1], np.full((16, 16), 1 / 256), rtol=1e-5)
    np.testing.assert_allclose(found.means[0].sum(), 1, rtol=1e-5)
    assert found.means[0][0].sum() == pytest.approx(1 / 2, rel=1e-5)
