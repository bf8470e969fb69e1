"""ReLUs that guided backpropagation does not reach are counted and named."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from proofs import pairs

from kerascam import Deconvnet, GuidedBackprop, GuidedGradCAM

IMAGES = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype("float32")


def network(step: Callable[[Any], Any], name: str) -> keras.Model:
    """Make a network of two ReLUs around a step of the name."""
    keras.utils.set_random_seed(1)
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, activation="relu")(inputs)
    x = step(x) if isinstance(step, layers.Layer) else layers.Lambda(step, name=name)(x)
    x = layers.Conv2D(4, 3, activation="relu", name="last")(x)
    return keras.Model(inputs, layers.Dense(3)(layers.GlobalAveragePooling2D()(x)))


@tf.custom_gradient
def rule_of_its_own(x: tf.Tensor) -> Any:
    return tf.nn.relu(tf.nn.relu(x) - 0.1), lambda gradient: gradient * tf.cast(x > 0, x.dtype)


STEPS: dict[str, tuple[Callable[[Any], Any], int]] = {
    "branch": (lambda x: tf.cond(tf.reduce_sum(x) > 0, lambda: tf.nn.relu(x - 0.1), lambda: x), 1),
    "loop": (lambda x: tf.while_loop(lambda i, _: i < 3, lambda i, y: (i + 1, tf.nn.relu(y - 0.1)),
                                     (0, x))[1], 1),
    "rule": (rule_of_its_own, 2),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "method"), pairs(tuple(STEPS), (GuidedGradCAM, GuidedBackprop, Deconvnet))
)
def test_relus_out_of_reach_are_counted(name: str, method: Any) -> None:
    step, count = STEPS[name]
    plural = "" if count == 1 else "s"
    with pytest.warns(UserWarning, match=rf"{count} ReLU{plural} in {name} kept their own backwar"):
        found = method(network(step, name))(IMAGES, 0)
    assert any("replaced the backward step of 2 ReLUs" in note for note in found.notes)
    assert any(f"{count} ReLU{plural} in {name} kept" in note for note in found.notes)


def test_relus_of_a_saved_model_are_counted(tmp_path: Path) -> None:
    inner = keras.Sequential([
        keras.Input((6, 6, 4)), layers.Conv2D(4, 1, activation="relu"), layers.ReLU(),
        layers.Conv2D(4, 1, activation="relu"),
    ])  # fmt: skip
    inner.export(tmp_path / "inner", verbose=False)
    saved = layers.TFSMLayer(tmp_path / "inner", call_endpoint="serve", name="saved")
    with pytest.warns(UserWarning, match=r"3 ReLUs in saved kept their own backward step"):
        GuidedBackprop(network(saved, "saved"))(IMAGES, 0)


def test_relus_of_a_recurrent_cell_are_counted() -> None:
    inputs = keras.Input((None, 5))
    x = layers.Conv1D(4, 3, activation="relu")(inputs)
    x = layers.SimpleRNN(4, activation="relu", name="cell")(x)
    model = keras.Model(inputs, layers.Dense(2)(x))
    with pytest.warns(UserWarning, match=r"1 ReLU in cell\S* kept their own backward step"):
        found = GuidedBackprop(model)(np.ones((2, 6, 5)), 0)
    assert found.notes[0].endswith("replaced the backward step of 1 ReLU")


def test_code_that_cannot_be_seen_is_named() -> None:
    def step(x: Any) -> Any:
        return tf.ensure_shape(tf.py_function(tf.nn.relu, [x], tf.float32), x.shape)

    with pytest.warns(UserWarning, match=r"what runs inside eager cannot be seen"):
        GuidedBackprop(network(step, "eager"))(IMAGES, 0)


def test_a_model_whose_relus_are_all_out_of_reach_is_refused() -> None:
    inputs = keras.Input((6, 5))
    x = layers.SimpleRNN(4, activation="relu", name="cell")(inputs)
    model = keras.Model(inputs, layers.Dense(2)(x))
    with pytest.raises(ValueError, match=r"reaches no ReLU of the model: 1 ReLU in cell"):
        GuidedBackprop(model)(np.ones((2, 6, 5)), 0)


def test_a_silu_has_a_rule_of_its_own_and_no_relu() -> None:
    keras.utils.set_random_seed(1)
    model = network(tf.nn.silu, "silu")
    with pytest.warns(UserWarning, match=r"SiLU activations kept"):
        found = GuidedBackprop(model)(IMAGES, 0)
    assert not any("ReLUs in" in note or "ReLU in" in note for note in found.notes)
