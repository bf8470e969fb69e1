"""The layer follows what the score depends on: detectors, outputs of several, averaged networks."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from proofs import rows, wide

from kerascam import GradCAM, find_target_layer, suggest_layers

IMAGES = np.random.default_rng(0).random((2, 32, 32, 3), np.float32)


def convolved(features: Any, name: str, units: int, size: int, stride: int = 1, **more: Any) -> Any:
    return layers.Conv2D(units, size, stride, padding="same", name=name, **more)(features)


@pytest.fixture(scope="module")
def detector() -> keras.Model:
    """Boxes of three grids, 8×8, 4×4 and 2×2, two on each cell, in one output after the other."""
    keras.utils.set_random_seed(1)
    images = keras.Input((32, 32, 3))
    features = images
    scores, corners = [], []
    for level, stride in (("p3", 4), ("p4", 2), ("p5", 2)):
        features = convolved(features, level, 6, 3, stride, activation="relu")
        own = convolved(features, f"scores_{level}", 6, 1)
        scores.append(layers.Reshape((-1, 3))(own))
        corners.append(layers.Reshape((-1, 4))(convolved(features, f"corners_{level}", 8, 3)))
    classes = layers.Activation("softmax")(layers.Concatenate(axis=1)(scores))
    corners = layers.Concatenate(axis=1)(corners)
    return keras.Model(images, {"boxes": {"corners": corners}, "classes": classes})


def box(place: int) -> Any:
    def score(outputs: Any, classes: Any) -> Any:
        return tf.gather(outputs["classes"], classes, axis=2, batch_dims=1)[:, place]

    return score


@pytest.mark.parametrize(
    ("place", "layer", "first"),
    wide([(130, "p4", 128)], [(37, "p3", 0), (130, "p4", 128), (165, "p5", 160)]),
)
def test_one_box_of_several_grids(
    detector: keras.Model, place: int, layer: str, first: int
) -> None:
    found = GradCAM(detector, target=box(place))(IMAGES, classes=1)
    features = keras.Model(detector.inputs[0], detector.get_layer(layer).output)(IMAGES)
    with tf.GradientTape() as tape:
        tape.watch(features)
        scores = detector.get_layer(f"scores_{layer}")(features)
        boxes = tf.nn.softmax(tf.reshape(scores, (2, -1, 3)))
        score = boxes[:, place - first, 1]
    weights = tf.reduce_mean(tape.gradient(score, features), (1, 2), keepdims=True)
    wanted = tf.nn.relu(tf.reduce_sum(weights * features, -1))
    assert found.layer == layer and len(found.notes) == 1
    np.testing.assert_allclose(found.scores, score, rtol=1e-5)
    np.testing.assert_allclose(found.maps, wanted, atol=1e-7)


def best(outputs: Any, classes: Any) -> Any:
    return tf.reduce_max(tf.gather(outputs["classes"], classes, axis=2, batch_dims=1), 1)


def corner_of_the_best(outputs: Any, classes: Any) -> Any:
    scores = tf.gather(outputs["classes"], classes, axis=2, batch_dims=1)
    return tf.gather(outputs["boxes"]["corners"][..., 0], tf.argmax(scores, 1), batch_dims=1)


ASKED: dict[str, dict[str, Any]] = {
    "best": {"target": best},
    "corner of the best": {"target": corner_of_the_best},
    "all": {"output": "classes"},
}


@pytest.mark.parametrize("name", rows(("corner of the best",), ASKED))
def test_boxes_that_may_lie_on_any_grid(detector: keras.Model, name: str) -> None:
    asked = ASKED[name]
    explain = GradCAM(detector, **asked)
    notes = explain(IMAGES, classes=1).notes
    assert explain.layer == "p5"
    assert notes[1] == (
        "layer p5 is one of 3 branches that the score depends on; "
        "layer=['p3', 'p4', 'p5'] fuses them"
    )
    fused = GradCAM(detector, layer=["p3", "p4", "p5"], **asked)(IMAGES, classes=1)
    assert len(fused.layers) == 3 and set(fused.statuses) == {"ok"}


def test_an_output_is_named_by_its_path(detector: keras.Model) -> None:
    by_path = GradCAM(detector, "p3", output="boxes/corners")(IMAGES, classes=2)
    np.testing.assert_array_equal(by_path.predictions, detector(IMAGES)["boxes"]["corners"])
    assert GradCAM(detector, "p3", output="boxes")(IMAGES, classes=2).scores == pytest.approx(
        by_path.scores
    )
    message = "the model has 2 outputs; choose one by output=, one of: 'boxes/corners', 'classes'"
    with pytest.raises(ValueError, match=message):
        GradCAM(detector)(IMAGES)
    with pytest.raises(ValueError, match="one of 'boxes/corners', 'classes', not 'corners'"):
        GradCAM(detector, output="corners")(IMAGES)


@pytest.mark.parametrize("end", [layers.Softmax(), layers.UpSampling2D(2), layers.Flatten()])
def test_before_the_convolution_that_scores_each_pixel(end: keras.layers.Layer) -> None:
    images = keras.Input((32, 32, 3))
    features = convolved(images, "features", 4, 3, 2, activation="relu")
    model = keras.Model(images, end(convolved(features, "logits", 3, 1)))
    assert find_target_layer(model) == "features"


def test_one_of_two_averaged_networks() -> None:
    keras.utils.set_random_seed(0)
    images = keras.Input((32, 32, 3))
    heads = []
    for name in ("left", "right"):
        features = convolved(images, name, 4, 3, 2, activation="relu")
        pooled = layers.GlobalAveragePooling2D()(layers.MaxPooling2D()(features))
        heads.append(layers.Dense(3)(pooled))
    model = keras.Model(images, layers.Average()(heads))
    found = GradCAM(model)(IMAGES)
    last, other = found.layer, {"left": "right", "right": "left"}[found.layer]
    assert found.notes[1] == (
        f"layer {last} is one of 2 branches that the score depends on; "
        f"layer=['{other}', '{last}'] fuses them"
    )


def test_through_the_loop_of_a_recurrent_layer() -> None:
    signal = keras.Input((24, 2))
    features = layers.Conv1D(4, 3, name="features")(signal)
    model = keras.Model(signal, layers.Dense(2)(layers.LSTM(3)(features)))
    assert find_target_layer(model) == "features"


def test_suggested_layers_can_be_explained(detector: keras.Model) -> None:
    suggested = {each.path: each for each in suggest_layers(detector, target=box(130))}
    assert list(suggested) == ["p3", "p4", "scores_p4"]
    assert [each.cells for each in suggested.values()] == ["4×4 px", "8×8 px", "8×8 px"]
    for path in suggested:
        GradCAM(detector, path, target=box(130))(IMAGES, classes=1)


def test_the_layer_is_found_for_a_target(detector: keras.Model) -> None:
    found = {place: find_target_layer(detector, target=box(place)) for place in (37, 130, 165)}
    assert found == {37: "p3", 130: "p4", 165: "p5"}


def test_the_probabilities_of_a_segmentation_are_not_suggested() -> None:
    images = keras.Input((32, 32, 3))
    features = convolved(layers.Cropping2D(4, name="cut")(images), "features", 4, 3, 2)
    model = keras.Model(images, layers.Softmax()(convolved(features, "logits", 3, 1)))
    suggested = suggest_layers(model)
    assert [each.path for each in suggested] == ["cut", "features", "logits"]
    assert [each.cells for each in suggested][:2] == ["1×1 px from 4, 4", "2×2 px from 4, 4"]
    for each in suggested:
        GradCAM(model, each.path)(IMAGES)
