"""F-Fidelity against closed forms, and with a model that was tuned."""

import keras
import numpy as np
import pytest
from keras import layers as L

from kerascam import GradCAM, evaluate
from kerascam.metrics import f_fidelity, hidden_at_random

SIZE, PIXELS = (6, 8), 48
MASKS = np.zeros((2, *SIZE), bool)
MASKS[0, 1:4, 2:6] = MASKS[1, :2, :6] = True  # 12 pixels each
IMAGES, ORACLE = MASKS[..., None].astype(float), MASKS.astype(float)
CLASSES = np.array([0, 1])
NONE = {"baseline": 0.0}


def share_shown(copies):
    return (copies[..., 0] * MASKS).sum((-2, -1)) / 12


def never(copies):
    raise AssertionError("the model itself is asked")


def test_of_the_evidence_exactly_the_share_is_hidden():
    """5 of 48 pixels are 0.1 of the image, or 0.5 of a part of 12."""
    found = f_fidelity(share_shown, CLASSES, IMAGES, ORACLE, sizes=[0.25], **NONE)
    np.testing.assert_allclose(found, 5 / 12, atol=1e-12)
    few = f_fidelity(share_shown, CLASSES, IMAGES, ORACLE, sizes=[0.25], chance=0.25, **NONE)
    np.testing.assert_allclose(few, 3 / 12, atol=1e-12)
    opposite = f_fidelity(share_shown, CLASSES, IMAGES, 1 - ORACLE, sizes=[0.75], **NONE)
    np.testing.assert_allclose(opposite, -5 / 12, atol=1e-12)


def test_it_falls_as_soon_as_the_size_exceeds_the_evidence_s():
    """Of the strongest s, 0.1 / s is hidden: of evidence of 1/4 that is 5/12, 5/24 at s = 1/2."""
    curve = [
        f_fidelity(share_shown, CLASSES, IMAGES, ORACLE, sizes=[size], samples=800, **NONE)
        for size in (0.125, 0.25, 0.5, 0.75)
    ]
    rest = 5 * 6 / 42 / 12  # of 42 other pixels, 6 are evidence
    wanted = [3 / 12 - rest, 5 / 12, 5 / 24, 5 / 36]
    np.testing.assert_allclose(curve, np.stack([wanted, wanted], 1), atol=0.012)
    assert (np.argmax(curve, 0) == 1).all()


def test_random_maps_gain_nothing_in_the_mean():
    rng = np.random.default_rng(0)
    found = [
        f_fidelity(share_shown, CLASSES, IMAGES, rng.random((2, *SIZE)), samples=2, **NONE)
        for _ in range(300)
    ]
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(600)


def test_a_tuned_model_is_asked_in_place_of_the_model():
    """One that sees no masks has none to tell apart; one of a single sigmoid has two classes."""
    still = f_fidelity(
        never, CLASSES, IMAGES, ORACLE, tuned=lambda images: np.ones((len(images), 3)), **NONE
    )
    np.testing.assert_array_equal(still, 0)

    def sigmoid(images):
        return (images[..., 0].sum((-2, -1)) / 12)[:, None]

    one = f_fidelity(never, CLASSES, IMAGES, ORACLE, tuned=sigmoid, sizes=[0.25], **NONE)
    np.testing.assert_allclose(one, [-5 / 12, 5 / 12], atol=1e-12)  # class 0 is 1 − p


def test_a_share_of_each_image_is_hidden_whatever_a_map_says():
    images = np.full((5, *SIZE, 2), 7, np.uint8)
    found = hidden_at_random(images, share=0.25, baseline=0.0)
    assert found.dtype == np.uint8 and ((found == 0).all(-1).sum((1, 2)) == 12).all()
    assert len({image.tobytes() for image in found}) == 5
    np.testing.assert_array_equal(found, hidden_at_random(images, share=0.25, baseline=0.0))
    assert (found != hidden_at_random(images, share=0.25, baseline=0.0, seed=1)).any()


def test_with_a_model_and_a_tuned_copy():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([
        keras.Input((*SIZE, 1)), L.Conv2D(4, 3, activation="relu"), L.GlobalMaxPooling2D(),
        L.Dense(2, "softmax"),
    ])  # fmt: skip
    tuned = keras.models.clone_model(model)
    tuned.set_weights(model.get_weights())
    tuned.compile("sgd", "sparse_categorical_crossentropy")
    before = [weight.numpy().copy() for weight in model.weights]
    tuned.fit(hidden_at_random(IMAGES), CLASSES, epochs=3, verbose=0)
    found = evaluate(
        GradCAM(model), IMAGES, CLASSES, metrics={"f_fidelity": {"tuned": tuned, "samples": 4}}
    )
    heatmaps = GradCAM(model)(IMAGES, CLASSES).heatmaps
    wanted = f_fidelity(never, CLASSES, IMAGES, heatmaps, tuned=tuned, samples=4)
    np.testing.assert_allclose(found.of("grad_cam", "f_fidelity"), wanted, atol=1e-6)
    for weight, own in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), own)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sizes": []}, "sizes must be shares between 0 and 1"),
        ({"sizes": [0.5, 1.0]}, "sizes must be shares between 0 and 1"),
        ({"sizes": 0.5}, "sizes must be shares between 0 and 1, not 0.5"),
        ({"chance": 2}, "chance must be from 0 to 1, not 2"),
        ({"most": "all"}, "most must be a number, not 'all'"),
        ({"samples": 0}, "samples must be at least 1, not 0"),
        ({"tuned": "model"}, "tuned must be a model or function of images, not 'model'"),
        ({"tuned": lambda images: images}, r"tuned must return probabilities of shape \(\d+, cl"),
        ({"tuned": lambda images: np.ones((len(images), 0))}, "tuned knows 0 classes, and class 1"),
    ],
)
def test_mistakes(options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        f_fidelity(share_shown, CLASSES, IMAGES, ORACLE, **options)
