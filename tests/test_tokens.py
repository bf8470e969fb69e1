"""Models of text: one value per token, by the output of the embedding."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from kerascam import (
    GradCAM,
    GradientTimesInput,
    GuidedBackprop,
    IntegratedGradients,
    Saliency,
    SmoothGrad,
)

TOKENS = np.random.default_rng(0).integers(1, 50, (3, 12))


def network(**arguments: Any) -> keras.Model:
    keras.utils.set_random_seed(1)
    return keras.Sequential([
        keras.Input((12,), dtype="int32"), layers.Embedding(50, 8, name="emb", **arguments),
        layers.Conv1D(6, 5, activation="relu", name="c"), layers.GlobalMaxPooling1D(),
        layers.Dense(2, "softmax"),
    ])  # fmt: skip


def score(model: keras.Model, embedded: tf.Tensor) -> tf.Tensor:
    _, conv, pool, dense = model.layers
    return (tf.matmul(pool(conv(embedded)), dense.kernel) + dense.bias)[:, 1]


def by_hand(model: keras.Model) -> tuple[np.ndarray, np.ndarray]:
    """Return the embeddings, and the gradient of the logit by them."""
    embedded = tf.convert_to_tensor(model.layers[0](TOKENS))
    with tf.GradientTape() as tape:
        tape.watch(embedded)
        scores = score(model, embedded)
    return embedded.numpy(), tape.gradient(scores, embedded).numpy()


@pytest.mark.parametrize("layer", [None, "emb"])
def test_one_value_per_token(layer: str | None) -> None:
    model = network()
    embedded, gradient = by_hand(model)
    saliency = Saliency(model, layer=layer, normalize="none")(TOKENS, 1)
    np.testing.assert_allclose(saliency.maps, abs(gradient).max(-1), rtol=1e-5)
    product = GradientTimesInput(model, layer=layer, normalize="none")(TOKENS, 1)
    np.testing.assert_allclose(product.heatmaps, (gradient * embedded).sum(-1), atol=1e-6)
    assert saliency.layer == "emb"
    assert any("for the output of layer emb" in note for note in saliency.notes) == (layer is None)
    assert saliency.images is not None
    np.testing.assert_array_equal(saliency.images[..., 0], TOKENS)
    saliency.plot()


def test_integrated_gradients_are_complete() -> None:
    model = network()
    found = IntegratedGradients(model, steps=256, normalize="none")(TOKENS, 1)
    embedded, _ = by_hand(model)
    change = score(model, embedded) - score(model, tf.zeros_like(embedded))
    np.testing.assert_allclose(found.maps.sum(1), change, rtol=1e-2, atol=1e-3)
    assert found.heatmaps.shape == (3, 12)


def test_other_gradient_methods() -> None:
    model = network()
    _, gradient = by_hand(model)
    found = SmoothGrad(model, samples=2, noise=0.0, normalize="none")(TOKENS, 1)
    np.testing.assert_allclose(found.maps, abs(gradient).max(-1), rtol=1e-5)
    assert GuidedBackprop(model)(TOKENS, 1).heatmaps.shape == (3, 12)


def test_maps_of_layers_lie_on_the_tokens() -> None:
    found = GradCAM(network(), "c")(TOKENS, 1)
    assert (found.maps.shape, found.heatmaps.shape) == ((3, 8), (3, 12))


def test_two_embeddings_are_asked_about() -> None:
    inputs = keras.Input((12,), dtype="int32")
    x = layers.Embedding(50, 8, name="one")(inputs) + layers.Embedding(50, 8, name="two")(inputs)
    model = keras.Model(inputs, layers.Dense(2)(layers.GlobalMaxPooling1D()(x)))
    with pytest.raises(ValueError, match=r"as layer=; its embeddings: 'one', 'two'"):
        Saliency(model)
    found = Saliency(model, layer="one")(TOKENS, 1)
    assert found.heatmaps.shape == (3, 12)
    assert found.layer == "one"
