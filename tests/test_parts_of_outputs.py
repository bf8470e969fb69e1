"""Layers of several tensors: each by its name, or the one that the output is computed from."""

import copy
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from proofs import pairs

from kerascam import GradCAM, find_target_layer, suggest_layers

IMAGES = np.random.default_rng(0).random((2, 12, 10, 3)).astype("float32")


class Gated(layers.Layer):
    """Give a mask, and the features under it: as a tuple, as a dict, or nested."""

    def __init__(self, kind: str, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.kind = kind
        self.inner = layers.Conv2D(4, 3, activation="relu", name="inner")
        self.gate = layers.Conv2D(1, 1, activation="sigmoid", name="gate")

    def call(self, inputs: Any) -> Any:
        features = self.inner(inputs)
        mask = self.gate(features)
        return self._as_kind(mask, features * mask)

    def compute_output_spec(self, inputs: Any, **arguments: Any) -> Any:
        size = (inputs.shape[0], inputs.shape[1] - 2, inputs.shape[2] - 2)
        return self._as_kind(keras.KerasTensor((*size, 1)), keras.KerasTensor((*size, 4)))

    def _as_kind(self, mask: Any, features: Any) -> Any:
        if self.kind == "tuple":
            return mask, features
        return {"mask": mask, "deep": [features]} if self.kind == "nested" else {
            "mask": mask, "features": features,
        }  # fmt: skip


NAMES = {"tuple": "1", "dict": "features", "nested": "deep/0"}


class Subclassed(keras.Model):
    def __init__(self, kind: str) -> None:
        super().__init__()
        self.block, self.kind = Gated(kind, name="block"), kind
        self.pool, self.scores = layers.GlobalAveragePooling2D(), layers.Dense(3, name="scores")

    def call(self, inputs: Any) -> Any:
        return self.scores(self.pool(features_of(self.block(inputs), self.kind)))


def features_of(output: Any, kind: str) -> Any:
    if kind == "tuple":
        return output[1]
    return output["features"] if kind == "dict" else output["deep"][0]


def functional(kind: str) -> keras.Model:
    images = keras.Input(IMAGES.shape[1:])
    features = features_of(Gated(kind, name="block")(images), kind)
    return keras.Model(
        images, layers.Dense(3, name="scores")(layers.GlobalAveragePooling2D()(features))
    )


def subclassed(kind: str) -> keras.Model:
    model = Subclassed(kind)
    model(IMAGES)
    return model


@pytest.mark.parametrize(("made", "kind"), pairs((functional, subclassed), tuple(NAMES)))
def test_the_tensor_that_the_output_is_computed_from(made: Any, kind: str) -> None:
    keras.utils.set_random_seed(3)
    model = made(kind)
    features = features_of(model.get_layer("block")(IMAGES), kind).numpy()
    weights = model.get_layer("scores").kernel.numpy()[:, 1] / features[0, ..., 0].size
    wanted = np.maximum(features @ weights, 0)
    path = f"block/{NAMES[kind]}"
    for name in ("block", path, None):
        found = GradCAM(model, name, normalize="none")(IMAGES, 1)
        np.testing.assert_allclose(found.maps, wanted, atol=1e-6)
    assert found.layers == (path,)
    assert find_target_layer(model, IMAGES) == path
    assert path in [each.path for each in suggest_layers(model, IMAGES)]
    assert any(path in note for note in GradCAM(model, "block")(IMAGES).notes)


@pytest.mark.parametrize("made", [functional, subclassed])
def test_the_other_tensor_is_refused_as_the_score_does_not_depend_on_it(made: Any) -> None:
    with pytest.raises(ValueError, match="does not depend on layer 'block'"):
        GradCAM(made("dict"), "block/mask")(IMAGES)


def test_a_tensor_that_a_layer_does_not_give_is_told_with_those_it_gives() -> None:
    with pytest.raises(ValueError, match="it returns block/mask, block/features"):
        GradCAM(functional("dict"), "block/feature")(IMAGES)
    with pytest.raises(ValueError, match="'block/inner' returns no tensor 'x'"):
        GradCAM(functional("dict"), "block/inner/x")(IMAGES)


def test_what_follows_a_part_runs_with_another_one(register: Any) -> None:
    def without_features(activations: Any, rest: Any) -> Any:
        return tf.ones_like(activations[..., 0]) * rest(activations * 0)[:, None, None]

    model = functional("dict")
    name = register(without_features)
    from kerascam import Explainer

    found = Explainer(model, name, "block/features", normalize="none")(IMAGES, 2)
    np.testing.assert_allclose(found.maps, 0, atol=1e-7)  # the head has no bias yet
    again = copy.copy(Explainer(model, name, "block/features", normalize="none"))
    np.testing.assert_allclose(again(IMAGES, 2).maps, 0, atol=1e-7)
