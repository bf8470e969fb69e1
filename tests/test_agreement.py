"""What is traced computes what the model computes, and changes nothing of it."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops
from proofs import wide

from kerascam import GradCAM, Saliency

CLIPS = np.random.default_rng(0).normal(size=(2, 5, 8, 8, 3)).astype("float32")
IMAGES = CLIPS[:, 0]


def open_clips() -> keras.Model:
    keras.utils.set_random_seed(1)
    cnn = keras.Sequential([
        keras.Input((8, 8, 3)), layers.Conv2D(4, 3, activation="relu", name="conv"),
        layers.GlobalAveragePooling2D(),
    ])  # fmt: skip
    clip = keras.Input((None, 8, 8, 3))
    return keras.Model(clip, layers.Dense(3)(ops.mean(layers.TimeDistributed(cnn)(clip), 1)))


@pytest.mark.parametrize("frames", wide([2], [1, 2, 5]))
def test_clips_of_any_length(frames: int) -> None:
    model, clips = open_clips(), tf.constant(CLIPS[:, :frames])
    with tf.GradientTape() as tape:
        tape.watch(clips)
        score = model(clips, training=False)[:, 0]
    wanted = np.abs(tape.gradient(score, clips)).max(-1)
    explainer = Saliency(model)
    for length in (5, frames):  # of another length first
        found = explainer(CLIPS[:, :length], 0)
    np.testing.assert_allclose(found.maps, wanted, atol=1e-7)
    np.testing.assert_allclose(found.scores, score, atol=1e-6)
    assert GradCAM(model)(CLIPS[:, :frames]).heatmaps.shape == (2, frames, 8, 8)


class Folded(layers.Layer):
    def call(self, clips: Any) -> Any:
        return tf.reshape(clips, (-1, 8, 8, 3))

    def compute_output_shape(self, shape: Any) -> Any:
        return (None, *shape[2:])


class Unfolded(layers.Layer):
    def call(self, inputs: Any) -> Any:
        return tf.reshape(inputs[0], (-1, tf.shape(inputs[1])[1], 4))

    def compute_output_shape(self, shape: Any) -> Any:
        return (None, None, 4)


def test_views_of_open_number_are_put_back() -> None:
    clip = keras.Input((None, 8, 8, 3))
    y = layers.Conv2D(4, 3, padding="same", activation="relu", name="conv")(Folded()(clip))
    y = Unfolded()([layers.GlobalAveragePooling2D()(y), clip])
    model = keras.Model(clip, layers.Dense(2, name="scores")(ops.mean(y, 1)))
    found = GradCAM(model, "conv", normalize="none")(CLIPS, 1)
    features = model.get_layer("conv")(CLIPS.reshape(-1, 8, 8, 3)).numpy().reshape(2, 5, 8, 8, 4)
    weights = model.get_layer("scores").kernel.numpy()[:, 1] / (5 * 64)
    np.testing.assert_allclose(found.heatmaps, np.maximum(features @ weights, 0), atol=1e-6)


class Counting(layers.Layer):
    """Count the calls in a variable that Keras knows nothing of, and answer by it."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.calls = tf.Variable(0.0, trainable=False)

    def call(self, inputs: Any) -> Any:
        self.calls.assign_add(1.0)
        return inputs * self.calls


class CountingInside(Counting):
    @tf.function
    def call(self, inputs: Any) -> Any:
        if tf.reduce_sum(inputs) > -1e9:
            self.calls.assign_add(1.0)
        return inputs * self.calls


@pytest.mark.parametrize("kind", [Counting, CountingInside])
def test_a_variable_that_a_layer_assigns_to_stays(kind: Any) -> None:
    counting = kind()
    model = keras.Sequential([
        keras.Input((8, 8, 3)), counting, layers.Conv2D(4, 3, name="conv"),
        layers.GlobalAveragePooling2D(), layers.Dense(2),
    ])  # fmt: skip
    counting.calls.assign(2.0)
    wanted = model(IMAGES).numpy()[:, 1]
    assert counting.calls.numpy() == 3
    counting.calls.assign(2.0)
    for explainer in (GradCAM(model, "conv"), Saliency(model)):
        for _ in range(2):
            np.testing.assert_allclose(explainer(IMAGES, 1).scores, wanted, rtol=1e-5)
            np.testing.assert_allclose(explainer.score(IMAGES, 1), wanted, rtol=1e-5)
            assert counting.calls.numpy() == 2


class OtherInGraphs(layers.Layer):
    """Compute something else while a graph is traced."""

    def call(self, inputs: Any) -> Any:
        return inputs if tf.executing_eagerly() else inputs * 2


def test_a_model_that_computes_otherwise_in_a_graph_is_refused() -> None:
    model = keras.Sequential([
        keras.Input((8, 8, 3)), OtherInGraphs(), layers.Conv2D(4, 3, name="conv"),
        layers.GlobalAveragePooling2D(), layers.Dense(2),
    ])  # fmt: skip
    with pytest.raises(ValueError, match="returns other numbers in a graph .* 100% of the largest"):
        GradCAM(model, "conv")(IMAGES)
    with pytest.raises(ValueError, match="returns other numbers in a graph"):
        GradCAM(model, "conv").score(IMAGES)


def test_a_model_that_draws_its_answer_is_not() -> None:
    model = keras.Sequential([
        keras.Input((8, 8, 3)), layers.Lambda(lambda x: x + tf.random.normal(tf.shape(x))),
        layers.Conv2D(4, 3, name="conv"), layers.GlobalMaxPooling2D(), layers.Dense(2),
    ])  # fmt: skip
    assert len(GradCAM(model, "conv")(IMAGES)) == 2


@pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize")
def test_a_frozen_float8_model_is_a_snapshot() -> None:
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, activation="relu", name="conv")(inputs)
    x = layers.Dense(5, activation="relu", name="pixels")(x)
    model = keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling2D()(x)))
    model.quantize("float8")
    live, frozen = GradCAM(model, "conv"), GradCAM(model, "conv", freeze=True)
    before = live(IMAGES, 1).maps
    np.testing.assert_allclose(frozen(IMAGES, 1).maps, before, atol=1e-6)
    kernel = model.get_layer("conv").kernel
    kernel.assign(kernel * 2)
    np.testing.assert_array_equal(frozen(IMAGES, 1).maps, frozen(IMAGES, 1).maps)
    np.testing.assert_allclose(frozen(IMAGES, 1).maps, before, atol=1e-6)
    assert np.abs(live(IMAGES, 1).maps - before).max() > 1e-4
