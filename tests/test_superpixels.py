"""Superpixels follow the edges of a photograph, and are segments of the methods that hide them."""

import keras
import numpy as np
import pytest
from keras import layers

from kerascam import KernelSHAP, superpixels

pytest.importorskip("skimage")

COLOURS = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]], np.uint8)


def test_no_superpixel_lies_on_two_colours():
    image = COLOURS.repeat(17, 0).repeat(23, 1)
    labels = superpixels(image, 24)
    parts = [labels[:17, :23], labels[:17, 23:], labels[17:, :23], labels[17:, 23:]]
    found = [set(part.ravel().tolist()) for part in parts]
    assert len(set.union(*found)) == sum(map(len, found)) >= 4
    assert set.union(*found) == set(range(labels.max() + 1))
    np.testing.assert_array_equal(labels, superpixels(image / 255, 24))


def test_shapley_values_of_a_sum_are_the_sums_of_the_superpixels():
    model = keras.Sequential([keras.Input((16, 16, 3)), layers.Flatten(), layers.Dense(1)])
    weights = np.random.default_rng(0).normal(size=(16 * 16 * 3, 1)).astype("float32")
    model.layers[-1].set_weights([weights, np.zeros(1)])
    photo = COLOURS.repeat(8, 0).repeat(8, 1)
    labels = superpixels(photo, 9)
    image = photo[None] / np.float32(255)

    found = KernelSHAP(model, segments=labels, samples=400, baseline=0)(image).maps[0]

    products = (image.ravel() * weights.ravel()).reshape(16, 16, 3).sum(-1)
    expected = np.bincount(labels.ravel(), products.ravel())[labels]
    np.testing.assert_allclose(found, expected, rtol=1e-2, atol=1e-2)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("image", "options", "error", "named"),
    [
        (np.zeros((2, 8, 8, 3)), {}, ValueError, "image"),
        (np.zeros((8, 8, 3)), {"count": 1}, ValueError, "count"),
        (np.zeros((8, 8, 3)), {"compactness": 0}, ValueError, "compactness"),
    ],
)
def test_wrong_arguments_are_named(image, options, error, named):
    with pytest.raises(error, match=named):
        superpixels(image, **options)
