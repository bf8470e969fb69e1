"""FullGrad and DeepLIFT: contributions that sum to the score, or to its change."""

import hashlib
import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers as L

import kerascam
from kerascam import targets

IMAGES = np.random.default_rng(0).random((2, 12, 12, 3)).astype("float32")
CLASSES = np.array([1, 2])
BOTH = pytest.mark.parametrize("name", ["FullGrad", "DeepLIFT"])


def seeded(model, seed=1):
    rng = np.random.default_rng(seed)
    values = [rng.normal(size=weight.shape) / 2 for weight in model.weights]
    model.set_weights(
        [
            each**2 if "variance" in w.name else each
            for each, w in zip(values, model.weights, strict=True)
        ]
    )
    return model


class Subclassed(keras.Model):
    """A nested model, a branch around it, and activations that are functions."""

    def __init__(self):
        super().__init__()
        self.body = keras.Sequential(
            [L.Conv2D(4, 3, padding="same"), L.BatchNormalization(), L.LeakyReLU()]
        )
        self.around = L.Conv2D(4, 1)
        self.pool = L.GlobalMaxPooling2D()
        self.head = L.Dense(3, activation="softmax")

    def call(self, images):
        joined = self.body(images) + keras.ops.relu(self.around(images))
        return self.head(self.pool(joined))


def small(rank=2, activation="relu", dtype=None):
    convolve, pool, whole = (
        getattr(L, f"{kind}{rank}D") for kind in ("Conv", "MaxPooling", "GlobalAveragePooling")
    )
    return seeded(
        keras.Sequential(
            [
                keras.Input((*[6] * rank, 2)),
                convolve(3, 3, padding="same", activation=activation, dtype=dtype),
                L.BatchNormalization(dtype=dtype),
                pool(2, dtype=dtype),
                convolve(3, 2, activation=activation, dtype=dtype),
                whole(dtype=dtype),
                L.Dense(3, activation="softmax", dtype="float32"),
            ]
        )
    )


def subclassed():
    model = Subclassed()
    model(IMAGES[..., :2])
    return seeded(model)


KINDS = {
    "one axis, GELU": lambda: small(1, "gelu"),
    "three axes, ReLU6, half precision": lambda: small(3, "relu6", "mixed_bfloat16"),
    "subclassed": subclassed,
}


@BOTH
@pytest.mark.parametrize("kind", KINDS)
def test_contributions_sum_to_the_score(name, kind):
    """In networks of linear layers, normalization, pooling and activations of each number."""
    model, rank = KINDS[kind](), {"o": 1, "t": 3, "s": 2}[kind[0]]
    images = np.random.default_rng(2).random((3, *[6] * rank, 2)).astype("float32")
    explainer = getattr(kerascam, name)(model)
    found = explainer(images, [0, 1, 2])
    assert found.maps.shape == images.shape[:-1] and not found.notes
    bound = 0.03 if "half" in kind else 2e-6
    assert abs(found.residual).max() < bound * max(abs(found.scores).max(), 1)
    alone = explainer(images[1:2], [1])
    np.testing.assert_allclose(alone.maps[0], found.maps[1], atol=2e-5)


@pytest.mark.parametrize("activation", ["sparse_plus", "sparse_sigmoid", "squareplus", "mish"])
def test_full_gradients_of_activations_that_are_put_together(activation):
    """Of powers, roots and choices between them and constants."""
    images = np.random.default_rng(2).normal(size=(3, 6, 6, 2))
    found = kerascam.FullGrad(small(activation=activation))(images, 1)
    assert abs(found.residual).max() < 2e-6 * max(abs(found.scores).max(), 1)


# ------------------------------------------------------------------------------ one dense layer


@pytest.mark.parametrize("name", ["CAM", "HiResCAM"])
def test_cams_tell_what_their_sum_misses_where_one_dense_layer_follows(name):
    def after(*tail):
        body = [keras.Input((6, 6, 2)), L.Conv2D(3, 3, activation="relu", name="last")]
        return seeded(keras.Sequential([*body, L.GlobalAveragePooling2D(), *tail]))

    images = np.random.default_rng(2).random((2, 6, 6, 2)).astype("float32")
    method = getattr(kerascam, name)
    for head in (L.Dense(3, activation="softmax"), L.Dense(1, activation="sigmoid")):
        found = method(after(head), "last", normalize="none")(images, 0)
        np.testing.assert_allclose(found.residual, 0, atol=1e-5)
        assert "misses" not in repr(found)
    bent = after(L.Dense(4, activation="tanh"), L.Dense(3))
    assert method(bent, "last")(images).residual is None  # nothing is promised
    # The map that is told of is the map that is returned.
    straight = after(L.Dense(3))
    twice = method(straight, "last", target=lambda outputs, classes: outputs[:, 0] - 5)(images)
    np.testing.assert_allclose(twice.residual, 0, atol=1e-5)


def test_arrays_among_the_options_are_named_by_their_hashes():
    model = seeded(keras.Sequential([keras.Input((4, 4, 3)), L.Flatten(), L.Dense(2)]))
    sample = np.random.default_rng(3).random((5, 4, 4, 3))
    found = kerascam.ExpectedGradients(model, samples=2, references=sample)(sample[:1])
    digest = hashlib.sha256(sample.tobytes()).hexdigest()
    assert f"references: 5×4×4×3 values of float64, SHA-256 {digest}" in found.notes


# ---------------------------------------------------------------------------------------- FullGrad


def scaled(values):
    size = abs(values)
    low, high = (each(axis=(1, 2, 3), keepdims=True) for each in (size.min, size.max))
    return ((size - low) / (high - low)).sum(-1)


def test_full_grad_by_layers_called_one_after_the_other():
    model = seeded(
        keras.Sequential(
            [
                keras.Input((12, 12, 3)),
                L.Rescaling(2.0, -1.0),
                L.Conv2D(4, 3, padding="same", activation="relu"),
                L.MaxPooling2D(2),
                L.BatchNormalization(),
                L.Conv2D(5, 3, padding="same", use_bias=False),
                L.ReLU(),
                L.Flatten(),
                L.Dense(3),
            ]
        )
    )
    rescaling, conv, pool, norm, last, relu, flatten, dense = model.layers
    gamma, beta, mean, variance = norm.get_weights()
    with tf.GradientTape() as tape:
        image = tf.constant(IMAGES)
        tape.watch(image)
        shifted = rescaling(image)
        convolved = tf.nn.conv2d(shifted, conv.kernel, 1, "SAME") + conv.bias
        normed = norm(pool(tf.nn.relu(convolved)))
        score = tf.gather(dense(flatten(relu(last(normed)))), CLASSES, axis=1, batch_dims=1)
    by_image, by_shift, by_bias, by_norm = (
        each.numpy() for each in tape.gradient(score, (image, shifted, convolved, normed))
    )
    folded = beta - gamma * mean / np.sqrt(variance + norm.epsilon)
    coarse = scaled(by_norm * folded)
    wanted = scaled(by_image * IMAGES) + scaled(-by_shift) + scaled(by_bias * conv.bias.numpy())
    wanted += tf.image.resize(coarse[..., None], (12, 12)).numpy()[..., 0]
    found = kerascam.FullGrad(model)(IMAGES, CLASSES)
    np.testing.assert_allclose(found.maps, wanted, atol=1e-4)
    assert abs(found.residual).max() < 1e-4


def test_full_grad_without_biases_is_the_size_of_gradient_times_input():
    model = seeded(
        keras.Sequential(
            [
                keras.Input((12, 12, 3)),
                L.Conv2D(4, 3, activation="relu", use_bias=False),
                L.GlobalAveragePooling2D(),
                L.Dense(3, use_bias=False),
            ]
        )
    )
    gray = IMAGES.mean(-1, keepdims=True) * [1.0, 0.0, 0.0]  # one channel: a sum is its product
    plain = kerascam.GradientTimesInput(model, normalize="none")(gray, CLASSES)
    size = abs(plain.maps)
    found = kerascam.FullGrad(model)(gray, CLASSES)
    np.testing.assert_allclose(found.maps, size / size.max((1, 2), keepdims=True), atol=1e-5)
    np.testing.assert_allclose(plain.maps.sum((1, 2)), found.scores, atol=1e-5)


def test_full_grad_of_words_begins_at_the_embedding():
    model = seeded(
        keras.Sequential(
            [
                keras.Input((7,), dtype="int32"),
                L.Embedding(9, 4),
                L.Conv1D(5, 3, padding="same", activation="relu"),
                L.GlobalAveragePooling1D(),
                L.Dense(3),
            ]
        )
    )
    words = np.random.default_rng(3).integers(0, 9, (2, 7))
    for name in ("FullGrad", "DeepLIFT"):
        found = getattr(kerascam, name)(model)(words, CLASSES)
        assert found.maps.shape == (2, 7) and abs(found.residual).max() < 1e-5


# ---------------------------------------------------------------------------------------- DeepLIFT


def test_deep_lift_of_a_linear_model_is_gradient_times_difference():
    model = seeded(keras.Sequential([keras.Input((12, 12, 3)), L.Flatten(), L.Dense(3)]))
    weights = model.get_weights()[0][:, CLASSES].T.reshape(2, 12, 12, 3)
    found = kerascam.DeepLIFT(model, baseline=0.25)(IMAGES, CLASSES)
    np.testing.assert_allclose(found.maps, (weights * (IMAGES - 0.25)).sum(-1), atol=1e-6)


def test_deep_lift_by_the_chain_of_multipliers():
    """Dense layers in NumPy: each activation's multiplier is Δy / Δz."""
    model = seeded(
        keras.Sequential(
            [
                keras.Input((12, 12, 3)),
                L.Flatten(),
                L.Dense(6, activation="relu"),
                L.Dense(5, activation="gelu"),
                L.Dense(3),
            ]
        )
    )
    start = np.random.default_rng(4).random((12, 12, 3)).astype("float32")
    weights = [each.astype("float64") for each in model.get_weights()]
    flat = [each.reshape(len(each), -1).astype("float64") for each in (IMAGES, start[None])]
    slopes = []
    for kernel, bias, function in (
        (*weights[:2], lambda z: np.maximum(z, 0)),
        (*weights[2:4], lambda z: z * (1 + np.vectorize(math.erf)(z / 2**0.5)) / 2),
    ):
        before = [each @ kernel + bias for each in flat]
        flat = [function(each) for each in before]
        slopes.append((flat[0] - flat[1]) / (before[0] - before[1]))
    multipliers = slopes[1] * weights[4][:, CLASSES].T
    multipliers = (multipliers @ weights[2].T) * slopes[0] @ weights[0].T
    wanted = (multipliers.reshape(IMAGES.shape) * (IMAGES - start)).sum(-1)
    found = kerascam.DeepLIFT(model, baseline=start)(IMAGES, CLASSES)
    np.testing.assert_allclose(found.maps, wanted, atol=1e-5)


def test_deep_lift_of_a_maximum_goes_to_where_it_was_taken():
    model = keras.Sequential([keras.Input((4, 1)), L.MaxPooling1D(2), L.Flatten(), L.Dense(1)])
    model.set_weights([np.ones((2, 1)), np.zeros(1)])
    found = kerascam.DeepLIFT(model, baseline=[[0.0], [4.0], [1.0], [1.0]])
    # The first pair falls from 4 to 3, the second rises from 1 to 5.
    maps = found(np.float32([[[3.0], [2.0], [5.0], [2.0]]])).maps
    np.testing.assert_allclose(maps, [[0.0, -1.0, 4.0, 0.0]], atol=1e-6)


def test_deep_lift_sees_what_a_saturated_activation_has_done():
    """y = 1 - relu(1 - x): the gradient at x = 2 is zero, and the difference is 1."""
    model = keras.Sequential(
        [keras.Input((2, 1)), L.Dense(1, activation="relu"), L.Dense(1), L.GlobalAveragePooling1D()]
    )
    model.set_weights([np.full(w.shape, 1.0 if w.ndim == 1 else -1.0) for w in model.get_weights()])
    found = kerascam.DeepLIFT(model)(np.float32([[[2.0], [0.5]]]))
    np.testing.assert_allclose(found.maps, [[0.5, 0.25]], atol=1e-6)


def test_deep_lift_names_what_has_no_rule_and_refuses_what_has_no_pair():
    gate = keras.Sequential(
        [
            keras.Input((6, 2)),
            L.Dense(3),
            L.Lambda(lambda z: z[..., :1] * z),
            L.LayerNormalization(),
            L.Flatten(),
            L.Dense(3),
        ]
    )
    found = kerascam.DeepLIFT(seeded(gate))(np.ones((1, 6, 2)))
    assert found.notes[-1].startswith("DeepLIFT has no rule for products of activations")
    assert "; its sum misses" in repr(found)
    grid = keras.Sequential([keras.Input((6, 2)), L.Dense(3)])
    target = targets.region_mean(np.ones((2, 6)))  # a mask for each image
    with pytest.raises(ValueError, match="target holds something for each image of the batch"):
        kerascam.DeepLIFT(grid, target=target)(np.ones((2, 6, 2)))


def test_contributions_sum_through_limits_and_functions_of_one_number():
    x = keras.Input((6, 2))
    dense = [L.Dense(4, bias_initializer="normal") for _ in range(4)]
    y = keras.activations.celu(dense[0](L.Flatten()(x)))
    y = L.ReLU(max_value=0.5)(dense[1](y))
    y = keras.ops.exp(-keras.ops.minimum(0.3, dense[2](y)))
    y = keras.ops.sin(keras.ops.arctan(dense[3](y)))
    model = seeded(keras.Model(x, L.Dense(2)(y)))
    images = np.random.default_rng(0).normal(size=(2, 6, 2))
    for method in (kerascam.FullGrad, kerascam.DeepLIFT):
        found = method(model)(images, 1)
        np.testing.assert_allclose(found.residual, 0, atol=1e-4)
        assert not any("no rule" in note for note in found.notes)


@pytest.mark.parametrize(
    "choice",
    [
        lambda: L.ReLU(threshold=0.3),
        lambda: L.ELU(alpha=2.0),
        lambda: L.Activation("hard_shrink"),
    ],
)
def test_deep_lift_names_choices(choice):
    model = keras.Sequential([keras.Input((6, 2)), L.Dense(3), choice(), L.Flatten(), L.Dense(2)])
    found = kerascam.DeepLIFT(seeded(model))(np.ones((1, 6, 2)))
    assert found.notes[-1].startswith("DeepLIFT has no rule for choices by activations")


def test_deep_lift_of_a_model_that_remembers_its_first_batch():
    """As Sequential models without an Input do."""
    model = keras.Sequential([L.Conv1D(3, 3, activation="relu"), L.Flatten(), L.Dense(3)])
    model(np.ones((2, 6, 2)))
    found = kerascam.DeepLIFT(seeded(model))(np.random.default_rng(2).random((2, 6, 2)))
    np.testing.assert_allclose(found.residual, 0, atol=1e-6)
