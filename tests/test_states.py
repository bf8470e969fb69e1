"""Models with states, with a batch size, with several arguments: as they are called, and left."""

import itertools
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import zoo
from keras import layers, ops
from proofs import rows, wide

import kerascam
from kerascam import Explainer

CLIPS = np.random.default_rng(0).random((2, 4, 12, 12, 1), np.float32)


@keras.saving.register_keras_serializable("test_states")
class Counting(layers.Layer):
    """Counts its calls, and scales by the count."""

    def build(self, shape: Any) -> None:
        """Start at one."""
        del shape
        self.calls = self.add_weight(shape=(), initializer="ones", trainable=False, name="calls")

    def call(self, x: Any) -> Any:
        """Scale, then count."""
        scaled = x * self.calls
        self.calls.assign(self.calls + 1)
        return scaled


def clips_to_scores() -> tuple[keras.Model, list[keras.Variable]]:
    """Make a model with states, and list these."""
    keras.utils.set_random_seed(1)
    inputs = keras.Input((4, 12, 12, 1), batch_size=2)
    x = layers.TimeDistributed(layers.Conv2D(4, 3, activation="relu"), name="frames")(inputs)
    counting, recurrent = Counting(), layers.LSTM(5, stateful=True)
    x = recurrent(counting(layers.TimeDistributed(layers.GlobalAveragePooling2D())(x)))
    model = keras.Model(inputs, layers.Dense(3)(x))
    return model, [*model.variables, *recurrent.states]


@pytest.mark.parametrize(
    ("method", "freeze"),
    wide(
        [("grad_cam", True)],
        list(itertools.product(["grad_cam", "saliency", "smooth_grad"], [False, True])),
    ),
)
def test_the_same_clips_twice_and_every_variable_as_it_was(method: str, freeze: bool) -> None:
    model, variables = clips_to_scores()
    model(CLIPS, training=False)  # from here on the states are not zero
    before = [variable.numpy() for variable in variables]
    layer = {"layer": "frames"} if method == "grad_cam" else {}
    explainer = Explainer(model, method, freeze=freeze, **layer)
    first, second = explainer(CLIPS, 1), explainer(CLIPS, 1)
    for variable, value in zip(variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)
    np.testing.assert_array_equal(first.scores, second.scores)
    np.testing.assert_array_equal(first.heatmaps, second.heatmaps)
    np.testing.assert_allclose(first.scores, model(CLIPS, training=False)[:, 1], rtol=1e-5)


def test_a_graph_without_variables_cannot_assign_to_one() -> None:
    specimen = zoo.KINDS["subclassed_with_bare_variables"]()
    with zoo.untouched(specimen.model), pytest.raises(ValueError) as caught:
        Explainer(specimen.model, freeze=True)(specimen.inputs)
    for variable in (specimen.model.calls, specimen.model.tally.calls, specimen.model.last[0]):
        assert repr(variable.name) in str(caught.value)
    assert "freeze=True keeps a graph without variables: assign only if training" in str(
        caught.value
    )


def test_a_model_with_states_is_told_its_batch_size() -> None:
    model, _ = clips_to_scores()
    with pytest.raises(ValueError, match="come 2 at a time.*received 1"):
        Explainer(model, "grad_cam", "frames")(CLIPS[:1], 1)


@keras.saving.register_keras_serializable("test_states")
class OfDeclaredBatch(layers.Layer):
    """Reshapes by the batch size that the model declares."""

    def call(self, x: Any) -> Any:
        """Multiply rows of pixels, as attention does."""
        batch, height, width, depth = x.shape
        y = tf.reshape(x, [batch, height * width, depth])
        return tf.reshape(tf.matmul(tf.nn.softmax(tf.matmul(y, y, transpose_b=True)), y), x.shape)


def test_a_declared_batch_size_that_the_model_computes_with_stays() -> None:
    keras.utils.set_random_seed(4)

    def build(batch: int | None, attend: Any) -> keras.Model:
        inputs = keras.Input((6, 6, 3), batch_size=batch)
        x = layers.Conv2D(4, 3, activation="relu", name="c")(inputs)
        return keras.Model(inputs, layers.Dense(3)(layers.GlobalAveragePooling2D()(attend(x))))

    def by_hand(x: Any) -> Any:
        y = ops.reshape(x, (-1, 16, 4))
        weights = ops.softmax(ops.matmul(y, ops.transpose(y, (0, 2, 1))))
        return ops.reshape(ops.matmul(weights, y), (-1, 4, 4, 4))

    declared, free = build(2, OfDeclaredBatch()), build(None, by_hand)
    free.set_weights(declared.get_weights())
    images = np.random.default_rng(5).random((2, 6, 6, 3), np.float32)
    methods = ("grad_cam", "saliency", "smooth_grad")
    for method in rows(("grad_cam", "saliency"), methods):
        found, wanted = (Explainer(each, method)(images, 1) for each in (declared, free))
        np.testing.assert_allclose(found.scores, wanted.scores, rtol=1e-5)
        np.testing.assert_allclose(found.heatmaps, wanted.heatmaps, atol=1e-4)
    assert kerascam.suggest_layers(declared)
    explainer = Explainer(declared, "grad_cam")
    for count in (1, 3):
        with pytest.raises(ValueError, match=f"come 2 at a time.*received {count}"):
            explainer(np.ones((count, 6, 6, 3)), 1)


@keras.saving.register_keras_serializable("test_states")
class ImageAndTable(keras.Model):
    """Takes its inputs as arguments of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.features = layers.Conv2D(4, 3, activation="relu", name="features")
        self.scores = layers.Dense(3)

    def call(self, image: Any, table: Any, training: bool = False) -> Any:
        """Score the image's mean features and the table."""
        del training
        x = ops.mean(self.features(image), (1, 2))
        return self.scores(ops.concatenate([x, table], -1))


def test_inputs_as_arguments_of_their_own() -> None:
    keras.utils.set_random_seed(6)
    rng = np.random.default_rng(7)
    image = rng.random((2, 9, 9, 3)).astype("float32")
    table = rng.random((2, 5)).astype("float32")
    model = ImageAndTable()
    outputs = model(image, table)
    for given in ([image, table], (image, table), {"image": image, "table": table},
                  {"table": table, "image": image}):  # fmt: skip
        found = Explainer(model, "grad_cam", "features")(given, [0, 2])
        np.testing.assert_allclose(found.scores, [outputs[0, 0], outputs[1, 2]], rtol=1e-5)
        features = model.features(image).numpy()
        weights = model.scores.kernel.numpy()[:4, [0, 2]] / 49
        maps = np.maximum(np.einsum("bijk,kb->bij", features, weights), 0)
        np.testing.assert_allclose(found.maps, maps, rtol=1e-4, atol=1e-7)
