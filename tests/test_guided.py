"""Guided backpropagation and deconvnet replace every ReLU's backward step, and say what they did.

The reference is a copy of the network, written out by hand, whose ReLUs carry the rule as a custom
gradient.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import zoo
from enlarging import enlarged
from keras import layers
from proofs import pairs, rows, wide

from kerascam import Deconvnet, Explainer, GradCAM, GuidedBackprop, GuidedGradCAM, Saliency

Activation = Callable[[tf.Tensor], tf.Tensor]


def close(found: Any, wanted: Any, tolerance: float = 1e-5) -> None:
    """Compare arrays; differences count as a fraction of the largest magnitude."""
    largest = np.abs(np.asarray(wanted)).max(initial=0)
    assert largest > 0
    np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerance * largest)


def ruled(forward: Activation, rule: str, ceiling: float = np.inf) -> Activation:
    """Give an activation the backward step of a rule."""

    @tf.custom_gradient
    def activate(x: tf.Tensor) -> Any:
        def backward(upstream: tf.Tensor) -> tf.Tensor:
            passes = tf.cast(upstream > 0, x.dtype)
            if rule == "guided":
                passes *= tf.cast((x > 0) & (x < ceiling), x.dtype)
            return upstream * passes

        return forward(x), backward

    return activate


RULES = {"guided": GuidedBackprop, "deconvnet": Deconvnet}


def by_hand(net: zoo.Net, images: np.ndarray, classes: Any, activation: Activation) -> np.ndarray:
    """Return the largest magnitude over the channels of the gradient under a rule."""
    x = tf.constant(images)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = activation(zoo.convolve(x, net.stem))
        y = activation(zoo.convolve(y, net.features, stride=2))
        y = activation(zoo.convolve(y, net.mix, padding="VALID"))
        logits = zoo.transform(tf.reduce_mean(y, [1, 2]), net.scores)
        scores = zoo.LINEAR.score(logits, tf.constant(classes))
    return np.abs(tape.gradient(scores, x).numpy()).max(-1)


# ------------------------------------------------------------------------- where a ReLU may stand


def with_steps(step: Callable[[Any], Any]) -> Callable[[zoo.Net], keras.Model]:
    """Build a functional network whose activations are steps of their own."""

    def build(net: zoo.Net) -> keras.Model:
        x = inputs = keras.Input((*zoo.SIZES[2], 3))
        for layer in (net.stem, net.features, net.mix):
            layer.activation = keras.activations.linear
            x = step(layer(x))
        return keras.Model(inputs, net.scores(net.pool(x)))

    return build


def subclassed(model_class: type[keras.Model]) -> Callable[[zoo.Net], keras.Model]:
    return lambda net: zoo.built(model_class(net.built()))


def in_block(net: zoo.Net) -> keras.Model:
    net.built()  # or else the tf.function keeps the weights of before
    inputs = keras.Input((*zoo.SIZES[2], 3))
    block = zoo.Block([net.stem, net.features], name="block")
    return keras.Model(inputs, net.scores(net.pool(net.mix(block(inputs)))))


def by_instance(net: zoo.Net) -> keras.Model:
    model = zoo.built(zoo.Subclassed(net))
    model.call = tf.function(model.call)
    return model


class HalfHiding(zoo.Subclassed):
    """Has two of its ReLUs in a helper that is a `tf.function`."""

    def __init__(self, net: zoo.Net) -> None:
        super().__init__(net)
        self.helper = tf.function(lambda x: self.features(self.stem(x)))

    def call(self, x: Any) -> Any:
        return self.scores(self.pool(self.mix(self.helper(x))))


RELUS: dict[str, Callable[[zoo.Net], keras.Model]] = {
    "in the layers": zoo.functional_net,
    "nested": zoo.nested_net,
    "nested twice": lambda net: zoo.nested_net(net, "outer"),
    "subclassed": subclassed(zoo.Subclassed),
    "tf.function call": subclassed(zoo.Bytewise),
    "XLA call": subclassed(zoo.CompiledBytewise),
    "tf.function layer": in_block,
    "tf.function on the instance": by_instance,
    "tf.function helper": subclassed(HalfHiding),
    "keras.ops.relu": with_steps(keras.ops.relu),
    "keras.activations.relu": with_steps(keras.activations.relu),
    "layers.ReLU": with_steps(lambda x: layers.ReLU()(x)),
    "layers.Activation": with_steps(lambda x: layers.Activation("relu")(x)),
    "layers.Lambda": with_steps(lambda x: layers.Lambda(tf.nn.relu)(x)),
}


@pytest.mark.parametrize(
    ("where", "rule"),
    [
        (where, rule)
        for where in rows(
            ("nested", "subclassed", "XLA call", "tf.function on the instance",
             "tf.function helper", "keras.ops.relu", "layers.Lambda"),
            RELUS,
        )
        for rule in wide(("guided", "deconvnet")[: 1 + (where == "nested")], tuple(RULES))
    ],
)  # fmt: skip
def test_reaches_every_relu(where: str, rule: str) -> None:
    net = zoo.Net()
    specimen = zoo.of_net(RELUS[where](net), net)
    explainer = RULES[rule](specimen.model)
    with zoo.untouched(specimen.model):
        found = explainer(specimen.inputs, [2, 0, 1])
    wanted = by_hand(net, specimen.inputs, [2, 0, 1], ruled(tf.nn.relu, rule))
    plain = by_hand(net, specimen.inputs, [2, 0, 1], tf.nn.relu)
    assert np.abs(wanted - plain).max() > 0.1 * plain.max()
    close(found.maps, wanted)
    assert any("backward step of 3 ReLUs" in note for note in found.notes)


RELU6: dict[str, Callable[[Any], Any]] = {
    "layers.ReLU": lambda x: layers.ReLU(max_value=6)(x),
    "layers.Activation": lambda x: layers.Activation("relu6")(x),
    "keras.ops": lambda x: keras.ops.relu6(x),
}


@pytest.mark.parametrize(("name", "rule"), pairs(tuple(RELU6), tuple(RULES)))
def test_reaches_relu6_which_is_closed_above_six(name: str, rule: str) -> None:
    net = zoo.Net()
    specimen = zoo.of_net(with_steps(RELU6[name])(net), net, inputs=zoo.images() * 10)
    found = RULES[rule](specimen.model)(specimen.inputs, [2, 0, 1])
    wanted = by_hand(net, specimen.inputs, [2, 0, 1], ruled(tf.nn.relu6, rule, ceiling=6))
    open_above = by_hand(net, specimen.inputs, [2, 0, 1], ruled(tf.nn.relu6, rule))
    assert rule == "deconvnet" or np.abs(wanted - open_above).max() > 0.1 * wanted.max()
    close(found.maps, wanted)
    assert any("backward step of 3 ReLUs" in note for note in found.notes)


@pytest.mark.parametrize("rule", RULES)
def test_a_frozen_graph_keeps_the_rule(rule: str) -> None:
    net = zoo.Net()
    specimen = zoo.of_net(zoo.nested_net(net), net)
    found = RULES[rule](specimen.model, freeze=True)(specimen.inputs, 1)
    close(found.maps, by_hand(net, specimen.inputs, [1, 1, 1], ruled(tf.nn.relu, rule)))


def test_the_rule_stays_with_its_own_explainer() -> None:
    net = zoo.Net()
    specimen = zoo.of_net(zoo.functional_net(net), net)
    guided = GuidedBackprop(specimen.model)
    guided(specimen.inputs)
    plain = by_hand(net, specimen.inputs, [1, 1, 1], tf.nn.relu)
    close(Saliency(specimen.model)(specimen.inputs, 1).maps, plain)


def test_a_relu_behind_the_score_is_not_counted() -> None:
    """A second output's ReLU has no part in the first one's map."""
    net = zoo.Net()
    inputs = keras.Input((*zoo.SIZES[2], 3))
    aside = layers.Dense(1, activation="relu")(layers.Flatten()(inputs))
    specimen = zoo.of_net(keras.Model(inputs, [net(inputs), aside]), net)
    found = GuidedBackprop(specimen.model, output=0)(specimen.inputs)
    assert found.notes == ("Guided backpropagation replaced the backward step of 3 ReLUs",)


# ---------------------------------------------------------------------- models without such ReLUs


@pytest.mark.parametrize(
    ("name", "rule"),
    wide(
        [("gelu", "guided"), ("silu", "deconvnet")],
        pairs(("tanh", "gelu", "silu", "elu", "selu", "leaky_relu"), tuple(RULES)),
    ),
)
def test_a_model_without_relu_is_told_of(name: str, rule: str) -> None:
    net = zoo.Net()
    activation = getattr(keras.activations, name)
    for layer in (net.stem, net.features, net.mix):
        layer.activation = activation
    specimen = zoo.of_net(zoo.functional_net(net), net)
    with pytest.warns(UserWarning, match="found no ReLU in the model: the map is the plain"):
        found = RULES[rule](specimen.model)(specimen.inputs, [2, 0, 1])
    close(found.maps, by_hand(net, specimen.inputs, [2, 0, 1], activation))
    assert any("found no ReLU" in note for note in found.notes)


# By name, what the warning calls it. A hard SiLU has a ReLU6 for its gate, which is no activation.
OTHERS = {
    "silu": "SiLU",
    "gelu": "(GELU|Erf)",
    "tanh": "Tanh",
    "elu": "Elu",
    "leaky_relu": "LeakyRelu",
    "hard_silu": "HardSigmoid",
}


@pytest.mark.parametrize("name", rows(("gelu", "tanh", "hard_silu"), OTHERS))
def test_activations_beside_the_relus_are_told_of(name: str) -> None:
    net = zoo.Net()
    net.mix.activation = getattr(keras.activations, name)
    specimen = zoo.of_net(zoo.functional_net(net), net)
    explainer = GuidedBackprop(specimen.model)
    with pytest.warns(UserWarning, match=f"{OTHERS[name]} activations kept their own backward"):
        found = explainer(specimen.inputs)
    assert any("backward step of 2 ReLUs" in note for note in found.notes)
    assert explainer(specimen.inputs).notes == found.notes  # told again, though not warned again


# ------------------------------------------------------------------------------- Guided Grad-CAM


@pytest.mark.parametrize(
    ("layer", "begin", "width", "freeze"),
    wide(
        [("stem", 0, 1, False), ("features", 0, 2, True), ("mix", 2, 2, False)],
        [
            (*layer, freeze)
            for layer in (("stem", 0, 1), ("features", 0, 2), ("mix", 2, 2))
            for freeze in (False, True)
        ],
    ),
)
def test_guided_grad_cam_is_guided_times_enlarged_grad_cam(
    layer: str, begin: int, width: int, freeze: bool
) -> None:
    """Behind `stem` and `features` lie ReLUs: the map of Grad-CAM has their plain gradient."""
    net = zoo.Net()
    specimen = zoo.of_net(zoo.functional_net(net), net)
    classes = [2, 0, 1]
    found = GuidedGradCAM(specimen.model, layer, freeze=freeze)(specimen.inputs, classes)

    guided = by_hand(net, specimen.inputs, classes, ruled(tf.nn.relu, "guided"))
    maps = GradCAM(specimen.model, layer)(specimen.inputs, classes).maps
    close(found.maps, guided * enlarged(maps, zoo.SIZES[2], [(begin, width)] * 2))


def test_the_grad_cam_in_guided_grad_cam_is_the_plain_one() -> None:
    net = zoo.Net()
    specimen = zoo.of_net(zoo.functional_net(net), net)
    wanted = zoo.reference(specimen, [2, 0, 1])
    weights = wanted.gradients.mean((1, 2), keepdims=True)
    maps = np.maximum((weights * wanted.activations).sum(-1, keepdims=True), 0)
    guided = by_hand(net, specimen.inputs, [2, 0, 1], ruled(tf.nn.relu, "guided"))
    found = Explainer(specimen.model, "guided_grad_cam", "features")(specimen.inputs, [2, 0, 1])
    close(found.maps, guided * tf.image.resize(maps, zoo.SIZES[2]).numpy()[..., 0])
