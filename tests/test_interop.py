"""kerascam's methods, handed to other libraries."""

import keras
import numpy as np
import pytest

from kerascam import GradCAM, Saliency, black_box
from kerascam.interop import quantus_explain_func

IMAGES = np.random.default_rng(0).random((3, 12, 10, 3)).astype("float32")


def network(seed: int) -> keras.Model:
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.Input((12, 10, 3)),
            keras.layers.Conv2D(4, 3, activation="relu", name="first"),
            keras.layers.Conv2D(5, 3, activation="relu", name="second"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(4, activation="softmax"),
        ]
    )


def test_maps_are_the_explainers_with_an_axis_of_one_channel() -> None:
    model, classes = network(0), np.array([3, 0, 2])
    explain = quantus_explain_func(GradCAM, layer="first", normalize="none")
    found = explain(model, inputs=IMAGES, targets=classes)
    own = GradCAM(model, layer="first", normalize="none")(IMAGES, classes).heatmaps
    np.testing.assert_array_equal(found, own[:, None])
    assert found.shape == (3, 1, 12, 10)


def test_the_weights_are_those_of_the_model_that_is_handed_over() -> None:
    one, other = network(0), network(1)
    explain = quantus_explain_func(Saliency)
    first = explain(one, inputs=IMAGES, targets=np.zeros(3, int), device="cpu")
    second = explain(other, inputs=IMAGES, targets=np.zeros(3, int))
    expected = Saliency(other)(IMAGES, 0).heatmaps[:, None]
    np.testing.assert_array_equal(second, expected)
    assert not np.allclose(first, second)
    one.set_weights(other.get_weights())  # as Quantus does between two layers
    third = explain(one, inputs=IMAGES, targets=np.zeros(3, int))
    np.testing.assert_array_equal(third, expected)


def test_images_may_come_with_their_channels_first() -> None:
    model, explain = network(0), quantus_explain_func(Saliency)
    last = explain(model, inputs=IMAGES, targets=np.zeros(3, int))
    first = explain(model, inputs=IMAGES.transpose(0, 3, 1, 2), targets=np.zeros(3, int))
    np.testing.assert_array_equal(first, last)


def test_images_that_fit_no_way_are_refused_by_the_explainer() -> None:
    with pytest.raises(ValueError, match=r"images must have shape \(batch, 12, 10, 3\)"):
        quantus_explain_func(Saliency)(network(0), inputs=IMAGES[:, :9], targets=np.zeros(3, int))


def test_an_explainer_is_made_once_of_each_model_that_comes() -> None:
    made = []

    class Counted(Saliency):
        def __init__(self, model: keras.Model) -> None:
            made.append(model.name)
            super().__init__(model)

    model, explain = network(0), quantus_explain_func(Counted)
    for _ in range(3):
        explain(model, inputs=IMAGES, targets=np.zeros(3, int))
    assert made == [model.name]


@pytest.mark.parametrize("method", ["GradCAM", black_box, network(0)])
def test_what_is_no_class_of_explainers_is_refused(method: object) -> None:
    with pytest.raises(TypeError, match="method must be a class such as kerascam.GradCAM, not"):
        quantus_explain_func(method)
