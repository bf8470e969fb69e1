"""A method is handed what its parameters are named: each supply, against a calculation of its own.

One small network stands for all kinds of models: functional, nested, subclassed, and of mixed
precision. It ends in global average pooling and one dense layer, so that scores and gradients
have a closed form.
"""

from collections import Counter

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers as L
from proofs import pairs, rows

from kerascam import Explainer, GradCAM
from kerascam.model import graph
from kerascam.model import trace as trace_module
from kerascam.registry import SUPPLIES, Registry

IMAGES = np.random.default_rng(0).normal(size=(3, 8, 8, 3)).astype("float32")
CLASSES = np.array([2, 0, 1])


class Subclassed(keras.Model):
    def __init__(self, **arguments):
        super().__init__(**arguments)
        self.first = L.Conv2D(4, 3, padding="same", activation="relu", name="first")
        self.last = L.Conv2D(6, 3, padding="same", activation="relu", name="last")
        self.pool = L.GlobalAveragePooling2D()
        self.head = L.Dense(3, name="head")

    def call(self, x):
        return self.head(self.pool(self.last(self.first(x))))


def functional(dtype=None):
    # In half precision a value close to a ReLU's kink is rounded to one side or the other.
    kind = "softplus" if dtype else "relu"
    x = keras.Input((8, 8, 3), name="image")
    y = L.Conv2D(4, 3, padding="same", activation=kind, name="first", dtype=dtype)(x)
    y = L.Conv2D(6, 3, padding="same", activation=kind, name="last", dtype=dtype)(y)
    y = L.GlobalAveragePooling2D(dtype=dtype)(y)
    return keras.Model(x, L.Dense(3, name="head", dtype="float32" if dtype else None)(y))


def nested():
    x = keras.Input((8, 8, 3))
    body = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            L.Conv2D(4, 3, padding="same", activation="relu", name="first"),
            L.Conv2D(6, 3, padding="same", activation="relu", name="last"),
        ],
        name="body",
    )
    return keras.Model(x, L.Dense(3, name="head")(L.GlobalAveragePooling2D()(body(x))))


def subclassed():
    model = Subclassed()
    model(IMAGES)
    return model


BUILD = {
    "functional": functional,
    "nested": nested,
    "subclassed": subclassed,
    "mixed precision": lambda: functional("mixed_bfloat16"),
}


class Known:
    """A model, and what its layers give, computed by calling them one after the other."""

    def __init__(self, kind):
        self.model = BUILD[kind]()
        rng = np.random.default_rng(1)
        self.model.set_weights([rng.normal(size=w.shape) / 3 for w in self.model.get_weights()])
        found = {layer.name: layer for layer in self.model._flatten_layers()}
        self.first, self.last, self.head = (found[name] for name in ("first", "last", "head"))
        self.tolerance = 2e-2 if kind == "mixed precision" else 1e-5
        self.weights, self.bias = self.head.get_weights()

    def shallow(self, images):
        return np.asarray(tf.cast(self.first(images), tf.float32))

    def deep(self, images):
        return np.asarray(tf.cast(self.last(self.first(images)), tf.float32))

    def score(self, images):
        return self.of_features(self.deep(images))

    def of_features(self, features):
        return (features.mean((1, 2)) * self.weights.T[CLASSES]).sum(1) + self.bias[CLASSES]

    def gradient(self, images):
        with tf.GradientTape() as tape:
            watched = tf.constant(images)
            tape.watch(watched)
            logits = self.model(watched, training=False)
            score = tf.gather(logits, CLASSES, axis=1, batch_dims=1)
        return tape.gradient(score, watched).numpy()

    def explain(self, method, layer=None, **options):
        return Explainer(self.model, method, layer, normalize="none", **options)

    def check(self, method, wanted, layer=None, **options):
        """Compare the raw maps, of the batch and of each image alone."""
        explainer = self.explain(method, layer, **options)
        together = explainer(IMAGES, CLASSES).maps
        scale = np.abs(wanted).max()
        np.testing.assert_allclose(together, wanted, rtol=0, atol=self.tolerance * scale)
        for place in range(len(IMAGES)):
            alone = explainer(IMAGES[place : place + 1], CLASSES[place : place + 1]).maps
            np.testing.assert_allclose(
                alone[0], together[place], rtol=0, atol=self.tolerance * scale
            )


@pytest.fixture(scope="module", params=rows(("subclassed", "mixed precision"), BUILD))
def known(request):
    return Known(request.param)


def spread(values, images):
    """Lay one number per image over its grid."""
    return tf.reshape(tf.cast(values, tf.float32), [-1, 1, 1]) * tf.ones_like(images[..., 0])


def test_images(known, register):
    def own_images(images):
        """Show the first channel."""
        return images[..., 0]

    known.check(register(own_images), IMAGES[..., 0])


def test_activations(known, register):
    def own_activations(activations, *, power=1.0):
        """Sum the features, each to a power."""
        return tf.reduce_sum(activations**power, -1)

    name = register(own_activations)
    known.check(name, known.deep(IMAGES).sum(-1), known.last)
    known.check(name, (known.deep(IMAGES) ** 2).sum(-1), known.last, power=2.0)


def test_gradients(known, register):
    def own_gradients(gradients):
        """Sum the gradients."""
        return tf.reduce_sum(gradients, -1)

    wanted = known.weights.sum(0)[CLASSES] / 64
    known.check(
        register(own_gradients), wanted[:, None, None] * np.ones(IMAGES.shape[:3]), known.last
    )


def test_layers(known, register):
    def own_layers(layers):
        """Multiply the sums of two layers' activations, and of the second's gradients."""
        (shallow, _), (deep, gradients) = layers
        return tf.reduce_sum(shallow, -1) * tf.reduce_sum(deep, -1) * tf.reduce_sum(gradients, -1)

    per_place = known.weights.sum(0)[CLASSES][:, None, None] / 64
    wanted = known.shallow(IMAGES).sum(-1) * known.deep(IMAGES).sum(-1) * per_place
    known.check(register(own_layers), wanted, [known.first, known.last])


def test_gradient(known, register):
    def own_gradient(gradient, images):
        """Add the gradient here, and at two copies."""
        copies = gradient(tf.stack([2 * images, -images]))
        return tf.reduce_sum(gradient(images) + 10 * copies[0] + 100 * copies[1], -1)

    wanted = (
        known.gradient(IMAGES) + 10 * known.gradient(2 * IMAGES) + 100 * known.gradient(-IMAGES)
    ).sum(-1)
    known.check(register(own_gradient), wanted)


def test_score(known, register):
    def own_score(score, images):
        """Add the score of other images, and of two copies."""
        copies = score(tf.stack([2 * images, -images]))
        return spread(score(images / 2) + 10 * copies[0] + 100 * copies[1], images)

    wanted = known.score(IMAGES / 2) + 10 * known.score(2 * IMAGES) + 100 * known.score(-IMAGES)
    known.check(register(own_score), wanted[:, None, None] * np.ones(IMAGES.shape[:3]))


def test_rest(known, register):
    def own_rest(rest, activations):
        """Add the score without features, and of two copies of them."""
        copies = rest(tf.stack([2 * activations, activations**2]))
        scores = rest(tf.zeros_like(activations)) + 10 * copies[0] + 100 * copies[1]
        return tf.reshape(scores, [-1, 1, 1]) * tf.ones_like(activations[..., 0])

    features = known.deep(IMAGES)
    wanted = (
        known.bias[CLASSES]
        + 10 * known.of_features(2 * features)
        + 100 * known.of_features(features**2)
    )
    name = register(own_rest)
    known.check(name, wanted[:, None, None] * np.ones(features.shape[:3]), known.last)
    assert known.explain(name, known.last)(IMAGES).notes == ()


def test_localization(known, register):
    def own_localization(images, localization, *, localizer="grad_cam"):
        """Multiply the first channel by another method's heatmap."""
        return images[..., 0] * localization

    name = register(own_localization)
    heatmaps = GradCAM(known.model, known.first, normalize="none")(IMAGES, CLASSES).heatmaps
    known.check(name, IMAGES[..., 0] * heatmaps, known.first)
    signed = known.explain("hires_cam", known.last)(IMAGES, CLASSES).heatmaps
    known.check(name, IMAGES[..., 0] * signed, known.last, localizer="hires_cam")
    with pytest.raises(ValueError, match="localizer must be a method that draws its map on a lay"):
        known.explain(name, localizer="saliency")


class Attention(L.Layer):
    """An attention with one head, written out by hand, whose values are its inputs."""

    def call(self, x):
        weights = keras.ops.softmax(keras.ops.matmul(x, keras.ops.transpose(x, (0, 2, 1))))
        return keras.ops.matmul(weights, x)


class Tokens(keras.Model):
    def __init__(self):
        super().__init__()
        self.patches = L.Conv2D(4, 2, strides=2)
        self.tokens = L.Reshape((16, 4))
        self.attention = Attention()
        self.pool = L.GlobalAveragePooling1D()
        self.head = L.Dense(3)

    def call(self, x):
        return self.head(self.pool(self.attention(self.tokens(self.patches(x)))))


def transformer(kind):
    if kind == "subclassed":
        model = Tokens()
        model(IMAGES)
        return model
    dtype = "mixed_bfloat16" if kind == "mixed precision" else None
    x = keras.Input((8, 8, 3))
    y = L.Reshape((16, 4))(L.Conv2D(4, 2, strides=2, dtype=dtype)(x))
    z = keras.Input((16, 4))
    attend = (
        keras.Model(z, Attention(dtype=dtype)(z)) if kind == "nested" else Attention(dtype=dtype)
    )
    y = L.GlobalAveragePooling1D(dtype=dtype)(attend(y))
    return keras.Model(x, L.Dense(3, dtype="float32" if dtype else None)(y))


@pytest.mark.parametrize(
    ("kind", "wanted"), pairs(tuple(BUILD), ("attentions", "attention_gradients"))
)
def test_attentions(kind, wanted, register):
    if wanted == "attentions":

        def own_attentions(attentions):
            """Show what the last token looks at."""
            (one,) = attentions
            return tf.reshape(one[:, 0, -1], [-1, 4, 4])

    else:

        def own_attentions(attention_gradients):
            """Show the gradient by what the last token looks at."""
            (one,) = attention_gradients
            return tf.reshape(one[:, 0, -1], [-1, 4, 4])

    model = transformer(kind)
    kernel, _, weights, _ = model.get_weights()
    patches = IMAGES.reshape(3, 4, 2, 4, 2, 3).transpose(0, 1, 3, 2, 4, 5).reshape(3, 16, 12)
    x = patches @ kernel.reshape(12, 4)  # the biases begin as zeros
    products = np.exp(x @ x.transpose(0, 2, 1))
    matrix = products / products.sum(-1, keepdims=True)
    slope = (x * weights.T[CLASSES][:, None, :]).sum(-1) / 16  # each key's value, by the class
    expected = matrix[:, -1] if wanted == "attentions" else slope
    explainer = Explainer(model, register(own_attentions), normalize="none")
    found = explainer(IMAGES, CLASSES).maps.reshape(3, 16)
    tolerance = 3e-2 if kind == "mixed precision" else 1e-5
    np.testing.assert_allclose(found, expected, atol=tolerance * np.abs(expected).max())
    alone = np.concatenate(
        [
            explainer(IMAGES[place : place + 1], CLASSES[place : place + 1]).maps.reshape(1, 16)
            for place in range(3)
        ]
    )
    np.testing.assert_allclose(alone, found, atol=tolerance * np.abs(expected).max())


def test_the_attention_of_keras_in_order(register):
    """Two MultiHeadAttention layers: heads, queries and keys as the layers themselves say."""
    x = keras.Input((8, 8, 3))
    tokens = L.Reshape((16, 4))(L.Conv2D(4, 2, strides=2)(x))
    one, two = L.MultiHeadAttention(2, 4), L.MultiHeadAttention(3, 2)
    middle = one(tokens, tokens)
    end = two(middle, tokens)
    model = keras.Model(x, L.Dense(3)(L.GlobalAveragePooling1D()(end)))

    def own_order(attentions):
        """Show both matrices' first queries."""
        first, second = attentions
        both = tf.concat([first[:, 1, :1], second[:, 2, :1]], 1)
        return tf.reshape(both, [-1, 8, 4])

    tokens = keras.Model(x, tokens)(IMAGES)
    middle, first = one(tokens, tokens, return_attention_scores=True)
    _, second = two(middle, tokens, return_attention_scores=True)
    expected = np.concatenate([first[:, 1, :1], second[:, 2, :1]], 1).reshape(3, 8, 4)
    found = Explainer(model, register(own_order), normalize="none")(IMAGES, CLASSES).maps
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_no_attention_is_said(register):
    def own_attentions(attentions):
        """Show the first one."""
        return attentions[0][:, 0]

    name = register(own_attentions)
    with pytest.raises(ValueError, match="model has no attention that can be seen"):
        Explainer(functional(), name)(IMAGES)


def test_the_rest_alone_is_run(monkeypatch, register):
    """In the graph, the replaced score depends on no operation up to the layer."""
    seen = []
    plain = trace_module.Again._scores

    def watched(self, outputs, classes):
        scores = plain(self, outputs, classes)
        by_name = {each.name: each for each in scores.graph.get_operations()}
        seen.append(Counter(by_name[name].type for name in graph.ancestors([scores])))
        seen.append(Counter(each.type for each in by_name.values()))
        return scores

    monkeypatch.setattr(trace_module.Again, "_scores", watched)

    def own_rest(rest, activations):
        """Score what no layer gave."""
        return rest(tf.ones_like(activations))[:, None, None] * tf.ones_like(activations[..., 0])

    Explainer(functional(), register(own_rest), "last")(IMAGES)
    needed, traced = seen
    # The first pass settled the class by its two convolutions and its head; the second needs its
    # own head alone, though all of the model was traced again.
    assert traced["Conv2D"] == 4 and needed["Conv2D"] == 2
    assert traced["MatMul"] == needed["MatMul"] == 2


def test_a_layer_that_is_no_bottleneck_is_handled_and_noted(register):
    """Beside a skip connection, the rest keeps the image's own values."""
    x = keras.Input((8, 8, 3))
    first = L.Conv2D(4, 3, padding="same", name="first")(x)
    inner = L.Conv2D(4, 3, padding="same", name="inner")(first)
    model = keras.Model(x, L.Dense(3)(L.GlobalAveragePooling2D()(L.Add()([first, inner]))))

    def own_rest(rest, activations):
        """Add the score without the layer, and of two copies."""
        copies = rest(tf.stack([activations, 2 * activations]))
        scores = rest(tf.zeros_like(activations)) + 10 * copies[0] + 100 * copies[1]
        return tf.reshape(scores, [-1, 1, 1]) * tf.ones_like(activations[..., 0])

    explainer = Explainer(model, register(own_rest), "inner", normalize="none")
    found = explainer(IMAGES, CLASSES)
    layers = {layer.name: layer for layer in model.layers}
    beside = layers["first"](IMAGES).numpy()
    through = layers["inner"](beside).numpy()
    weights, bias = model.layers[-1].get_weights()
    by_class = weights.T[CLASSES]

    def score(features):
        return (features.mean((1, 2)) * by_class).sum(1) + bias[CLASSES]

    wanted = score(beside) + 10 * score(beside + through) + 100 * score(beside + 2 * through)
    np.testing.assert_allclose(found.maps[:, 0, 0], wanted, rtol=1e-4)
    assert any("on the images through branches around layer inner" in note for note in found.notes)


def test_tokens_go_back_to_the_layers_form(register):
    """What replaces tokens on their grid keeps the layer's class token."""
    x = keras.Input((8, 8, 3))
    patches = L.Reshape((16, 4))(L.Conv2D(4, 2, strides=2)(x))
    padded = L.ZeroPadding1D((1, 0))(patches)
    tokens = L.Dense(4, bias_initializer="ones", name="tokens")(padded)
    model = keras.Model(x, L.Dense(3)(L.Flatten()(tokens)))

    def own_rest(rest, activations):
        """Score without the patches."""
        return rest(0 * activations)[:, None, None] * tf.ones_like(activations[..., 0])

    found = Explainer(model, register(own_rest), "tokens", normalize="none")(IMAGES, CLASSES)
    weights, _ = model.layers[-1].get_weights()
    wanted = weights[:4].sum(0)[CLASSES]  # the class token is the bias of ones
    np.testing.assert_allclose(found.maps[:, 0, 0], wanted, rtol=1e-5)


def test_an_unknown_parameter_is_refused_with_the_list():
    def own(activations, weights):
        """Do something."""

    with pytest.raises(TypeError, match="positional parameter 'weights', which nothing supp") as no:
        Registry("method").register(title="", class_name="", citation=None)(own)
    assert all(f"\n  {name}: " in str(no.value) for name in SUPPLIES)


def test_a_localization_needs_the_name_of_its_method():
    def own(images, localization):
        """Do something."""

    with pytest.raises(TypeError, match="needs a keyword-only option localizer"):
        Registry("method").register(title="", class_name="", citation=None)(own)
