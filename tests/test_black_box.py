"""A function that cannot be looked into is explained as the network that it runs."""

import keras
import numpy as np
import pytest
from keras import layers

import kerascam
from kerascam import RISE, Explainer, Occlusion, black_box, targets

ASKING = {
    "occlusion": {"patch": 4, "stride": 4},
    "rise": {"samples": 40},
    "lime": {"samples": 40},
    "kernel_shap": {"samples": 40, "segments": np.arange(256).reshape(16, 16) // 64},
    "sobol_attribution": {"samples": 4},
    "hsic_attribution": {"samples": 40},
}


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(0)
    return keras.Sequential([
        keras.Input((16, 16, 3)), layers.Conv2D(4, 3, activation="relu"),
        layers.GlobalAveragePooling2D(), layers.Dense(3, "softmax"),
    ])  # fmt: skip


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).random((2, 16, 16, 3), "float32")


@pytest.mark.parametrize("method", ASKING)
def test_black_box_has_the_maps_of_the_network_behind_it(network, images, method):
    asked = black_box(lambda batch: network(batch).numpy(), (16, 16, 3), activation="softmax")

    found = Explainer(asked, method, target=targets.probability, **ASKING[method])(images)
    wanted = Explainer(network, method, target=targets.probability, **ASKING[method])(images)

    np.testing.assert_allclose(found.maps, wanted.maps, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(found.predictions, wanted.predictions, rtol=1e-5)
    np.testing.assert_array_equal(found.classes, wanted.classes)


def test_logit_of_a_softmax_is_the_logarithm_and_of_a_sigmoid_the_logit(images):
    chances = np.array([[0.2, 0.5, 0.3]], "float32")
    softmax = black_box(
        lambda batch: np.repeat(chances, len(batch), 0), (16, 16, 3), activation="softmax"
    )
    sigmoid = black_box(lambda batch: np.full(len(batch), 0.2), (16, 16, 3), activation="sigmoid")

    assert Occlusion(softmax).score(images, 2) == pytest.approx(np.log([0.3, 0.3]), rel=1e-6)
    assert Occlusion(sigmoid).score(images, 1) == pytest.approx(np.log([0.25, 0.25]), rel=1e-6)
    explanation = Occlusion(sigmoid)(images)
    assert explanation.classes.tolist() == [0, 0]
    assert explanation.probabilities == pytest.approx(0.8)


def test_function_is_given_images_of_the_declared_type_and_no_more_than_asked():
    given = []

    def brightness(batch):
        given.append((batch.dtype, len(batch)))
        return batch.mean((1, 2, 3))

    model = black_box(brightness, (None, None, 1), units=1, batch_size=5, dtype="uint8")
    image = np.zeros((1, 8, 8, 1), "uint8")
    image[0, 0, 0] = 192

    explanation = Occlusion(model, patch=2, stride=2, baseline=0)(image)

    assert {dtype for dtype, _ in given} == {np.dtype("uint8")}
    assert max(count for _, count in given) == 5
    assert explanation.maps[0, 0, 0] == pytest.approx(192 / 64)  # all of the mean is that pixel's
    assert explanation.maps[0, 2:].max() == 0


def test_exported_model_is_asked_through_its_layer(network, images, tmp_path):
    network.export(tmp_path, verbose=False)
    served = keras.Sequential([
        keras.Input((16, 16, 3)), layers.TFSMLayer(tmp_path, call_endpoint="serve")
    ])  # fmt: skip

    found = Occlusion(served, patch=4, stride=4)(images)
    wanted = Occlusion(network, patch=4, stride=4, target=targets.probability)(images)

    np.testing.assert_allclose(found.maps, wanted.maps, atol=1e-6)


class TooManyError(Exception):
    pass


def test_what_the_function_raises_comes_as_it_is(images):
    def one_by_one(batch):
        if len(batch) > 1:
            raise TooManyError("one image at a time")
        return batch.mean((1, 2))

    with pytest.raises(TooManyError, match="one image at a time"):
        Occlusion(black_box(one_by_one, (16, 16, 3)))(images)
    alone = black_box(one_by_one, (16, 16, 3), batch_size=1)
    assert Occlusion(alone).score(images, 1) == pytest.approx(images.mean((1, 2))[:, 1])


def test_a_function_that_ends_like_an_iterator_is_told(images):
    def ended(batch):
        raise StopIteration

    with pytest.raises(RuntimeError, match="function raised StopIteration"):
        Occlusion(black_box(ended, (16, 16, 3), units=3))(images)


def test_function_may_change_what_it_is_given(images):
    def in_place(batch):
        batch -= 0.5
        return batch.mean((1, 2))

    given = images.copy()
    found = RISE(black_box(in_place, (16, 16, 3)), samples=20)(given, 0)
    wanted = RISE(black_box(lambda batch: (batch - 0.5).mean((1, 2)), (16, 16, 3)), samples=20)

    np.testing.assert_allclose(found.maps, wanted(images, 0).maps, atol=1e-6)
    np.testing.assert_array_equal(given, images)


@pytest.mark.parametrize(
    "returned", [[[1.0, 2.0], [3.0]], {"scores": 1.0}, np.ones((2, 2)) * 1j, [["cat", "dog"]] * 2]
)
def test_outputs_that_are_no_numbers_are_refused(images, returned):
    with pytest.raises(TypeError, match="function must return an array of real numbers"):
        Occlusion(black_box(lambda batch: returned, (16, 16, 3), units=2)).score(images)


def test_outputs_that_float32_cannot_hold_are_infinite(images):
    large = black_box(lambda batch: batch.mean((1, 2)) * np.float64(1e300), (16, 16, 3))
    assert np.isinf(Occlusion(large).score(images, 0)).all()


@pytest.mark.parametrize(
    ("function", "named", "error"),
    [
        (lambda batch: batch[0], {"units": 3}, "shape (2, 3)"),
        (lambda batch: batch.mean((1, 2)), {"units": 3, "activation": "softmax"}, "sum to one"),
        (lambda batch: batch.mean((1, 2)) + 1, {"units": 3, "activation": "sigmoid"}, "from 0 to"),
    ],
)
def test_outputs_that_are_not_as_promised_are_refused(images, function, named, error):
    with pytest.raises(ValueError, match="function must return") as raised:
        Occlusion(black_box(function, (16, 16, 3), **named))(images)
    assert error in str(raised.value)


@pytest.mark.parametrize(
    ("arguments", "named", "error"),
    [
        ((3, (8, 8, 1)), {}, TypeError),
        ((np.sum, 8), {}, ValueError),
        ((np.sum, (8, 8, 1)), {"activation": "relu"}, ValueError),
        ((np.sum, (None, 8, 1)), {}, ValueError),
        ((np.sum, (8, 8, 1)), {"batch_size": 0}, ValueError),
        ((np.sum, (8, 8, 1)), {"dtype": "pixels"}, ValueError),
        ((np.sum, (8, 8, 1)), {"dtype": "string"}, ValueError),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_wrong_arguments_are_named(arguments, named, error):
    with pytest.raises(error, match="function|input_shape|activation|units|batch_size|dtype"):
        black_box(*arguments, **named)


def test_methods_that_need_more_say_which_to_take(images):
    model = black_box(lambda batch: batch.mean((1, 2)), (16, 16, 3))

    with pytest.raises(ValueError, match="such as Occlusion"):
        kerascam.Saliency(model)(images)
    with pytest.raises(ValueError, match="such as Occlusion"):
        kerascam.GradCAM(model)(images)


def test_python_code_is_not_exported_and_leaves_nothing(images, tmp_path):
    explainer = Occlusion(black_box(lambda batch: batch.mean((1, 2)), (16, 16, 3)))

    with pytest.raises(ValueError, match="Python function"):
        kerascam.export(explainer, tmp_path / "model")
    assert not list((tmp_path / "model").glob("*"))
