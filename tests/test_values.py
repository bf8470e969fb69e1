"""Notes that save beginners: values of another range than the model takes, repeated logits."""

import functools

import keras
import numpy as np
import pytest
from proofs import pairs, rows

from kerascam import EigenCAM, GradCAM, HiResCAM, LayerCAM, targets

L = keras.layers
BYTES = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3)).astype(np.float32)
SHARES, CENTERED = BYTES / 255, BYTES / 127.5 - 1
IMAGENET = {"mean": [0.485, 0.456, 0.406], "variance": [0.052, 0.05, 0.051]}
OF_BYTES = {"mean": [123.7, 116.3, 103.5], "variance": [3409.0, 3262.0, 3291.0]}


def network(*first, size=8, channels=3):
    inputs = keras.Input((size, size, channels))
    x = inputs
    for layer in first:
        x = layer(x)
    x = L.Conv2D(4, 3, activation="relu", name="last")(x)
    return keras.Model(inputs, L.Dense(2, "softmax")(L.GlobalAveragePooling2D()(x)))


#: One explainer, and so one trace, for each model.
explainer = functools.cache(GradCAM)


def notes(model, images, layer="last"):
    return explainer(model, layer)(images).notes


def nested():
    return keras.Sequential([keras.Input((8, 8, 3)), L.RandomFlip(), L.Rescaling(1 / 255)])


FOR_BYTES = {
    "to [0, 1]": lambda: [L.Rescaling(1 / 255)],
    "to [-1, 1]": lambda: [L.Rescaling(1 / 127.5, -1)],
    "then normalized": lambda: [L.Rescaling(1 / 255), L.Normalization(**IMAGENET)],
    "normalized": lambda: [L.Normalization(**OF_BYTES)],
    "centered": lambda: [L.Normalization(mean=[103.9, 116.8, 123.7], variance=[1.0] * 3)],
    "after augmentation": lambda: [L.RandomFlip(), L.Rescaling(1 / 255)],
    "nested": lambda: [nested()],
}
FOR_SHARES = {
    "to [-1, 1]": lambda: [L.Rescaling(2.0, -1)],
    "normalized": lambda: [L.Normalization(**IMAGENET)],
}
FOR_ANY = {
    "nothing": list,
    "one": lambda: [L.Rescaling(1.0)],
    "16 bits": lambda: [L.Rescaling(1 / 65535)],
    "sixteenths": lambda: [L.Rescaling(1 / 16)],
    "to bytes": lambda: [L.Rescaling(255.0)],
    "back and forth": lambda: [L.Rescaling(255.0), L.Rescaling(1 / 255)],
    "an unknown layer": lambda: [L.Activation("relu"), L.Rescaling(1 / 255)],
    "standard": lambda: [L.Normalization(mean=[0.0] * 3, variance=[1.0] * 3)],
    "Hounsfield": lambda: [L.Normalization(mean=[-200.0] * 3, variance=[40000.0] * 3)],
}


@pytest.mark.parametrize(
    "name", rows(("to [-1, 1]", "then normalized", "centered", "nested"), FOR_BYTES)
)
def test_scaled_images_for_a_model_that_scales(name):
    model = network(*FOR_BYTES[name]())
    for images, low in ((SHARES, "0"), (CENTERED, "-1")):
        (note,) = notes(model, images)
        assert note.startswith(f"the images lie from {low} to 1, but the model begins with layer ")
        assert note.endswith("which is made for 0 to 255: leave out the scaling before the model")
    assert notes(model, BYTES) == notes(model, BYTES.astype(np.uint8)) == ()


@pytest.mark.parametrize("first", FOR_SHARES.values(), ids=FOR_SHARES)
def test_bytes_for_a_model_of_scaled_images(first):
    model = network(*first())
    (note,) = notes(model, BYTES)
    assert note.startswith("the images hold values up to 255, but the model begins with layer ")
    assert note.endswith("which is made for 0 to 1: divide them by 255")
    assert notes(model, SHARES) == notes(model, CENTERED) == ()


@pytest.mark.parametrize(
    "name", rows(("16 bits", "back and forth", "an unknown layer", "Hounsfield"), FOR_ANY)
)
def test_no_evidence_no_note(name):
    model = network(*FOR_ANY[name]())
    for images in (BYTES, SHARES, CENTERED):
        assert notes(model, images) == ()


@pytest.fixture(scope="module")
def scaling():
    return network(L.Rescaling(1 / 255))


@pytest.mark.parametrize(
    "images",
    [
        pytest.param(np.zeros((2, 8, 8, 3)), id="black"),
        pytest.param(np.ones((2, 8, 8, 3)), id="ones"),
        pytest.param(np.round(SHARES), id="a mask"),
        pytest.param(np.full((2, 8, 8, 3), 0.4), id="almost black"),
        pytest.param(SHARES / 10, id="black with noise"),
        pytest.param(np.stack([SHARES[0], BYTES[1]]), id="one of two"),
        pytest.param(CENTERED * 2, id="standardized"),
        pytest.param(np.uint8(SHARES * 1.9), id="dark bytes"),
    ],
)
def test_what_may_be_right_gets_no_note(scaling, images):
    assert notes(scaling, images) == ()


def test_dark_photographs_and_wide_ranges_get_no_note():
    model = network(L.Rescaling(2.0, -1))
    for images in (BYTES / 10, BYTES * 100, BYTES - 100):
        assert notes(model, images) == ()


def test_a_signal_a_fork_and_a_subclassed_model_get_no_note():
    signal = keras.Sequential([
        keras.Input((16, 2)), L.Rescaling(1 / 255), L.Conv1D(3, 3, name="last"),
        L.GlobalAveragePooling1D(), L.Dense(2),
    ])  # fmt: skip
    assert notes(signal, np.random.default_rng(0).random((2, 16, 2))) == ()
    inputs = keras.Input((8, 8, 3))
    both = L.Concatenate()([L.Rescaling(1 / 255)(inputs), inputs])
    x = L.Conv2D(3, 3, name="last")(both)
    fork = keras.Model(inputs, L.Dense(2)(L.GlobalAveragePooling2D()(x)))
    assert notes(fork, SHARES) == ()


def test_weights_that_are_adapted_later_are_read():
    scale = L.Normalization(**OF_BYTES)
    explain = GradCAM(network(scale), "last")
    assert explain(SHARES).notes and not explain(BYTES).notes
    scale.mean, scale.variance = (np.float32([[[value] * 3]]) for value in (0.5, 0.06))
    assert not explain(SHARES).notes


def test_values_are_looked_at_without_another_trace(monkeypatch):
    from kerascam.explain import forward, program

    explain, traced = GradCAM(network(L.Rescaling(1 / 255)), "last"), []
    for module in (program, forward):
        inner = module.compile_graph
        monkeypatch.setattr(
            module,
            "compile_graph",
            lambda *a, inner=inner, name=module.__name__, **k: (
                traced.append(name) or inner(*a, **k)
            ),
        )
    for images in (SHARES, BYTES[:1], BYTES[0]):
        found = explain(images)
        assert found.predictions.shape == (len(found), 2)
    assert traced == ["kerascam.explain.program"]
    for classes in (None, 0, [1, 0]):
        explain.score(SHARES, classes)
    assert traced == ["kerascam.explain.program", "kerascam.explain.forward"]


# ------------------------------------------------------------------------------ repeated logits


def segmenter(*last, size=8):
    inputs = keras.Input((size, size, 3))
    x = L.Conv2D(4, 3, padding="same", activation="relu", name="features")(inputs)
    for layer in last:
        x = layer(x)
    return keras.Model(inputs, x)


REPEATED = "is one 1×1 convolution away from the output"


@pytest.mark.parametrize(("bias", "activation"), pairs((True, False), ("softmax", "sigmoid", None)))
def test_one_convolution_from_a_segmentation_repeats_the_logits(bias, activation):
    keras.utils.set_random_seed(1)
    head = L.Conv2D(3, 1, use_bias=bias, activation=activation)
    model = segmenter(head)
    features = keras.Model(model.inputs[0], model.get_layer("features").output)
    explain = GradCAM(model, "features", normalize="none")
    for index in range(3):
        found = explain(SHARES, index)
        assert [REPEATED in note for note in found.notes] == [True]
        logits = features(SHARES).numpy() @ head.kernel.numpy()[0, 0, :, index]
        np.testing.assert_allclose(found.maps, np.maximum(logits, 0) / 64, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "last",
    [
        pytest.param([L.Conv2D(3, 3, padding="same")], id="3×3"),
        pytest.param([L.Conv2D(5, 1), L.Conv2D(3, 1)], id="two"),
        pytest.param([L.Conv2D(3, 1), L.UpSampling2D()], id="enlarged"),
        pytest.param([L.Conv2D(3, 1, strides=2)], id="strides"),
        pytest.param([L.BatchNormalization(), L.Conv2D(3, 1)], id="normalized"),
        pytest.param([L.GlobalAveragePooling2D(), L.Dense(3)], id="no segmentation"),
    ],
)
def test_other_heads_get_no_note(last):
    model = segmenter(*(type(layer).from_config(layer.get_config()) for layer in last))
    assert GradCAM(model, "features")(SHARES, 1).notes == ()


def boxes_of(features, name, anchors=2, size=1):
    scores = L.Conv2D(3 * anchors, size, padding="same", name=name)(features)
    return L.Reshape((-1, 3))(scores)


def test_one_convolution_from_a_detector_repeats_the_logits_of_its_boxes():
    keras.utils.set_random_seed(1)
    inputs = keras.Input((8, 8, 3))
    fine = L.Conv2D(4, 3, padding="same", activation="relu", name="fine")(inputs)
    coarse = L.Conv2D(5, 3, 2, padding="same", activation="relu", name="coarse")(fine)
    boxes = L.Concatenate(axis=1)([boxes_of(fine, "of_fine"), boxes_of(coarse, "of_coarse")])
    model = keras.Model(inputs, L.Softmax()(boxes))
    features = keras.Model(inputs, coarse)(SHARES).numpy()
    kernel = model.get_layer("of_coarse").kernel.numpy()[0, 0].reshape(5, 2, 3)
    predicted = model(SHARES).numpy().argmax(-1)
    explain = GradCAM(model, "coarse", normalize="none")
    for index in range(3):
        found = explain(SHARES, index)
        assert [REPEATED in note for note in found.notes] == [True]
        own = predicted == index
        own[~own.any(1)] = True  # of a class that no box has, the mean over all
        shares = own[:, 128:].reshape(2, 16, 2).sum(1) / own.sum(1, keepdims=True)
        wanted = np.einsum("bijk,ka,ba->bij", features, kernel[..., index], shares) / 16
        np.testing.assert_allclose(found.maps, np.maximum(wanted, 0), rtol=1e-4, atol=1e-6)
    assert not any(REPEATED in note for note in GradCAM(model, "fine")(SHARES, 1).notes)


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(lambda x: boxes_of(x, "own", size=3), id="3×3"),
        pytest.param(lambda x: L.Reshape((-1, 4))(L.Conv2D(6, 1)(x)), id="cells mixed"),
        pytest.param(
            lambda x: L.Concatenate()([boxes_of(x, "one"), boxes_of(x, "other")]), id="side by side"
        ),
        pytest.param(lambda x: boxes_of(L.UpSampling2D()(x), "own"), id="enlarged"),
    ],
)
def test_other_detectors_get_no_note(end):
    inputs = keras.Input((8, 8, 3))
    features = L.Conv2D(4, 3, padding="same", activation="relu", name="features")(inputs)
    model = keras.Model(inputs, end(features))
    notes = GradCAM(model, "features")(SHARES, 1).notes
    assert not any(REPEATED in note for note in notes)


def test_other_methods_and_targets_get_no_note():
    model = segmenter(L.Conv2D(3, 1))
    for explain in (
        HiResCAM(model, "features"),  # in the region of the class alone
        LayerCAM(model, "features"),
        EigenCAM(model, "features"),
        GradCAM(model, "features", target=targets.region_mean(np.eye(8))),
    ):
        assert explain(SHARES, 1).notes == ()
