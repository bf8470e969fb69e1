"""Models of text: one value per token, by the output of the embedding."""

import itertools
from typing import Any

import keras
import matplotlib
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from matplotlib.backends.backend_agg import FigureCanvasAgg

from kerascam import (
    GradCAM,
    GradientTimesInput,
    GuidedBackprop,
    HiResCAM,
    IntegratedGradients,
    Occlusion,
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


def test_methods_that_hide_parts_of_images_say_what_they_need() -> None:
    with pytest.raises(ValueError, match=r"hides or mixes parts .* can stop at the embedding"):
        Occlusion(network())(TOKENS)


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


WORDS = [
    "[CLS]",
    "a",
    "$fine$",
    "film",
    "not",
    "bad",
    "at",
    "all",
    "under_score",
    "w" * 40,
    "",
    ".",
]


def test_a_text_is_drawn_word_by_word_on_the_colour_of_its_heat() -> None:
    found = GradientTimesInput(network(), normalize="signed")(TOKENS, 1)
    drawn = found.plot(tokens=[WORDS, WORDS[::-1], [str(token) for token in TOKENS[2]]])
    FigureCanvasAgg(drawn).draw()
    axes = [one for one in drawn.axes if one.texts]
    assert [text.get_text() for text in axes[1].texts] == WORDS[::-1]
    assert [text.get_text() for text in axes[2].texts] == [str(token) for token in TOKENS[2]]
    shades = matplotlib.colormaps["RdBu_r"]
    for ax, heat in zip(axes, found.heatmaps, strict=True):
        top = np.abs(heat).max()
        colors = np.array([patch.get_facecolor()[:3] for patch in ax.patches])
        np.testing.assert_allclose(colors, shades((heat / top + 1) / 2)[:, :3], atol=0.01)
        boxes = [text.get_window_extent() for text in ax.texts]
        rims = [patch.get_window_extent() for patch in ax.patches]
        for box, rim, text in zip(boxes, rims, ax.texts, strict=True):
            assert not text.get_text() or (rim.x0 <= box.x0 and box.x1 <= rim.x1)
        lines = [round(rim.y0) for rim in rims]
        assert lines == sorted(lines, reverse=True)
        for one, following in itertools.pairwise(rims):
            assert one.x1 < following.x0 or round(one.y0) > round(following.y0)


def test_one_text_alone_may_be_given_as_its_words() -> None:
    drawn = Saliency(network())(TOKENS[:1], 1).plot(tokens=WORDS)
    assert [text.get_text() for text in drawn.axes[0].texts] == WORDS


@pytest.mark.parametrize(
    ("tokens", "error", "message"),
    [
        ("a film", TypeError, "tokens must be a list of words for each text, not 'a film'"),
        ([WORDS, WORDS], ValueError, "tokens must be those of 3 texts; received 2"),
        ([WORDS, WORDS, WORDS[:7]], ValueError, r"tokens\[2\] must have a word for each of the 12 "
         "tokens of its text; received 7: give '' for padding"),
        ([WORDS, WORDS, "film"], TypeError, r"tokens\[2\] must be a list of words, not 'film'"),
        (TOKENS, TypeError, r"tokens\[0\] must be a list of words"),
    ],
)  # fmt: skip
def test_wrong_words_are_refused(tokens: Any, error: type[Exception], message: str) -> None:
    found = Saliency(network())(TOKENS, 1)
    with pytest.raises(error, match=message):
        found.plot(tokens=tokens)


def test_words_go_with_texts_alone() -> None:
    found = Saliency(network())(TOKENS, 1)
    with pytest.raises(ValueError, match="photos do not go with tokens"):
        found.plot(TOKENS, tokens=[WORDS] * 3)
    pictures = keras.Sequential(
        [keras.Input((6, 5, 3)), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(2)]
    )
    seen = Saliency(pictures)(np.ones((1, 6, 5, 3)))
    with pytest.raises(ValueError, match="whose heatmaps have one axis, not 6×5"):
        seen.plot(tokens=WORDS)


def question_about_an_image() -> keras.Model:
    keras.utils.set_random_seed(3)
    image = keras.Input((16, 16, 3), name="image")
    words = keras.Input((6,), dtype="int32", name="words")
    patches = layers.Reshape((16, 8))(layers.Conv2D(8, 4, strides=4, name="patches")(image))
    embedded = layers.Embedding(50, 8, name="emb")(words)
    asked = layers.MultiHeadAttention(2, 4, name="cross")(embedded, patches)
    pooled = layers.GlobalAveragePooling1D()(layers.Add(name="sum")([embedded, asked]))
    return keras.Model([image, words], layers.Dense(3, name="scores")(pooled))


IMAGE = np.random.default_rng(1).normal(size=(2, 16, 16, 3)).astype("float32")


def test_a_gradient_method_stops_at_a_named_layer_beside_an_image() -> None:
    model = question_about_an_image()
    embedding, cross, scores = (model.get_layer(name) for name in ("emb", "cross", "scores"))
    patches = keras.Model(model.inputs[0], model.get_layer("patches").output)(IMAGE)
    embedded = tf.convert_to_tensor(embedding(TOKENS[:2, :6]))
    with tf.GradientTape() as tape:
        tape.watch(embedded)
        asked = cross(embedded, tf.reshape(patches, (2, 16, 8)))
        score = scores(tf.reduce_mean(embedded + asked, 1))[:, 1]
    inputs = [IMAGE, TOKENS[:2, :6]]
    found = Saliency(model, layer="emb", normalize="none")(inputs, 1)
    wanted = np.abs(tape.gradient(score, embedded)).max(-1)
    np.testing.assert_allclose(found.maps, wanted, rtol=1e-4, atol=1e-7)
    assert Saliency(model)(inputs, 1).heatmaps.shape == (2, 16, 16)
    with pytest.raises(ValueError, match="give as layer= the layer that turns whole numbers"):
        Saliency(model, input="words")(inputs, 1)


def test_what_words_see_of_an_image_lies_on_the_words() -> None:
    """Six words are no grid of two by two patches with two tokens more."""
    model = question_about_an_image()
    inputs = [IMAGE, TOKENS[:2, :6]]
    found = HiResCAM(model, "cross", normalize="none")(inputs, 1)
    features = keras.Model(model.inputs, model.get_layer("cross").output)(inputs).numpy()
    wanted = features @ model.get_layer("scores").kernel.numpy()[:, 1] / 6
    np.testing.assert_allclose(found.maps, wanted, rtol=1e-4, atol=1e-7)
    assert any("the map lies on the layer's own grid" in note for note in found.notes)


def test_a_layer_of_tokens_after_a_loop_has_its_own_grid() -> None:
    keras.utils.set_random_seed(1)
    tokens = keras.Input((12,), dtype="int32")
    hidden = layers.GRU(4, return_sequences=True, name="hidden")(layers.Embedding(50, 8)(tokens))
    model = keras.Model(tokens, layers.Dense(2, name="scores")(hidden))
    one = 5
    found = HiResCAM(model, target=lambda outputs, classes: outputs[:, one, 1],
                     normalize="none")(TOKENS)  # fmt: skip
    features = keras.Model(tokens, hidden)(TOKENS).numpy()
    wanted = features @ model.get_layer("scores").kernel.numpy()[:, 1]
    wanted[:, np.arange(12) != one] = 0
    assert found.layer == "hidden"
    np.testing.assert_allclose(found.maps, wanted, rtol=1e-4, atol=1e-7)
