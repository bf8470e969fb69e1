"""Heatmaps lie where the layer's cells look, whatever the model does to its images first."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from enlarging import enlarged
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers, ops
from proofs import pairs, wide

from kerascam import Explainer, GradCAM, LayerCAM, Saliency

SIZE = (40, 60, 3)


def seeing(*steps: keras.Layer, size: tuple[int, ...] = SIZE) -> keras.Model:
    """Make a network whose score is the brightest place, with positive weights."""
    model = keras.Sequential([
        keras.Input(size), *steps, layers.Conv2D(4, 1, activation="relu", name="c"),
        layers.GlobalMaxPooling2D(), layers.Dense(1),
    ])  # fmt: skip
    for weight in model.trainable_variables:
        weight.assign(tf.ones_like(weight) * 0.1)
    return model


def spot(rows: slice, columns: slice, size: tuple[int, ...] = SIZE) -> np.ndarray:
    image = np.zeros((1, *size), "float32")
    image[:, rows, columns] = 1
    return image


STEPS: dict[str, Any] = {
    "cropped": lambda: layers.Cropping2D(((20, 4), (0, 0))),
    "cropped in the middle": lambda: layers.CenterCrop(20, 30),
    "padded": lambda: layers.ZeroPadding2D(((20, 0), (0, 0))),
    "turned": lambda: layers.Permute((2, 1, 3)),
    "resized after a crop": lambda: layers.Resizing(20, 20, crop_to_aspect_ratio=True),
    "resized after padding": lambda: layers.Resizing(20, 20, pad_to_aspect_ratio=True),
    "flipped": lambda: layers.Lambda(lambda x: x[:, ::-1]),
    "every other row": lambda: layers.Lambda(lambda x: x[:, 10::2]),
    "as it is": lambda: layers.Rescaling(1.0),
}


@pytest.mark.parametrize(("name", "freeze"), pairs(tuple(STEPS), (False, True)))
def test_the_peak_lies_on_the_spot(name: str, freeze: bool) -> None:
    found = GradCAM(seeing(STEPS[name]()), freeze=freeze)(spot(slice(22, 26), slice(40, 44)), 0)
    assert found.heatmaps.shape == (1, 40, 60)
    row, column = np.unravel_index(found.heatmaps[0].argmax(), (40, 60))
    assert 21 <= row <= 26
    assert 39 <= column <= 44
    assert not any("could not be followed" in note for note in found.notes)


def test_heatmaps_are_zero_outside_a_crop() -> None:
    model = seeing(layers.Cropping2D(((20, 4), (7, 8))))
    found = LayerCAM(model, normalize="none")(np.ones((1, *SIZE), "float32"), 0)
    wanted = enlarged(found.maps, (40, 60), [(20, 1), (7, 1)])
    np.testing.assert_allclose(found.heatmaps, wanted, rtol=1e-6)
    assert not found.heatmaps[:, :20].any()
    assert not found.heatmaps[:, 36:].any()


@settings(max_examples=wide(5, 100), deadline=None)
@given(
    above=st.integers(0, 12), below=st.integers(0, 6), left=st.integers(0, 12),
    stride=st.integers(1, 3), pad=st.integers(0, 5), turn=st.booleans(),
    row=st.integers(14, 24), column=st.integers(14, 24),
)  # fmt: skip
def test_the_peak_lies_on_the_spot_after_any_geometry(
    above: int, below: int, left: int, stride: int, pad: int, turn: bool, row: int, column: int
) -> None:
    size = (36, 44, 3)
    steps = [layers.Cropping2D(((above, below), (left, 0))), layers.ZeroPadding2D(((pad, 0), 2))]
    if turn:
        steps.append(layers.Permute((2, 1, 3)))
    model = seeing(*steps, layers.AveragePooling2D(stride), size=size)
    found = GradCAM(model)(spot(slice(row, row + 6), slice(column, column + 6), size), 0)
    peaks = np.argwhere(found.heatmaps[0] == found.heatmaps.max())
    assert (peaks >= (row - stride, column - stride)).all()
    assert (peaks <= (row + 5 + stride, column + 5 + stride)).all()


def test_channels_first_under_layers_that_want_them_last() -> None:
    model = seeing(layers.Permute((2, 3, 1)), size=(3, 32, 48))
    image = np.moveaxis(spot(slice(8, 12), slice(30, 34), (32, 48, 3)), -1, 1)
    for method in ("grad_cam", "saliency", "guided_grad_cam"):
        found = Explainer(model, method)(image, 0)
        assert found.heatmaps.shape == (1, 32, 48)
        assert found.images is not None
        assert found.images.shape == (1, 32, 48, 3)
        row, column = np.unravel_index(found.heatmaps[0].argmax(), (32, 48))
        assert 8 <= row < 12
        assert 30 <= column < 34


def test_leads_by_time_lie_along_time() -> None:
    model = keras.Sequential([
        keras.Input((8, 64)), layers.Permute((2, 1)),
        layers.Conv1D(4, 5, activation="relu", kernel_initializer="ones", name="c"),
        layers.GlobalMaxPooling1D(), layers.Dense(1, kernel_initializer="ones"),
    ])  # fmt: skip
    signal = np.zeros((1, 8, 64), "float32")
    signal[:, 3, 40] = 1
    for found in (GradCAM(model)(signal, 0), Saliency(model)(signal, 0)):
        assert found.heatmaps.shape == (1, 64)
        assert abs(int(found.heatmaps.argmax()) - 40) <= 2


@keras.saving.register_keras_serializable("test_forms")
class Windows(layers.Layer):
    """Attention within four windows of an 8 × 8 grid, cut out and put back as in Swin."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.inside = layers.Dense(8, activation="relu", name="inside")

    def call(self, x: Any) -> Any:
        """Cut, transform, put back."""
        cut = ops.transpose(ops.reshape(x, (-1, 2, 4, 2, 4, 8)), (0, 1, 3, 2, 4, 5))
        w = self.inside(ops.reshape(cut, (-1, 16, 8)))
        back = ops.transpose(ops.reshape(w, (-1, 2, 2, 4, 4, 8)), (0, 1, 3, 2, 4, 5))
        return ops.reshape(back, (-1, 8, 8, 8))


@pytest.fixture(scope="module")
def windowed() -> keras.Model:
    keras.utils.set_random_seed(2)
    inputs = keras.Input((32, 32, 3))
    x = Windows(name="block")(layers.Conv2D(8, 4, 4, name="patch")(inputs))
    return keras.Model(inputs, layers.Dense(3)(layers.GlobalAveragePooling2D()(x)))


IMAGES = np.random.default_rng(3).random((2, 32, 32, 3), np.float32)


def test_windows_are_put_back_where_they_lie(windowed: keras.Model) -> None:
    inside = GradCAM(windowed, "block/inside")(IMAGES, [0, 2])
    outside = GradCAM(windowed, "block")(IMAGES, [0, 2])
    assert inside.maps.shape == (2, 8, 8)
    np.testing.assert_allclose(inside.maps, outside.maps, rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(inside.heatmaps, outside.heatmaps, rtol=1e-5, atol=1e-8)


def test_rest_puts_windows_back_too(windowed: keras.Model, register: Callable[[Any], str]) -> None:
    """Without a bias after the layer, the score is linear in its output."""

    def score_doubled(rest: Any, activations: Any) -> Any:
        """Return by how much the score grows with the layer's output doubled."""
        more = rest(2 * activations) - rest(activations)
        return more[:, None, None] * ops.ones_like(activations[..., 0])

    name = register(score_doubled)
    found = Explainer(windowed, name, "block/inside", normalize="none")(IMAGES, 1)
    np.testing.assert_allclose(found.maps[:, 0, 0], found.scores, rtol=1e-5)


@keras.saving.register_keras_serializable("test_forms")
class Positions(layers.Layer):
    """Adds what is learned of each place, as vision transformers do."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.learned = layers.Embedding(16, 8, name="learned")

    def call(self, x: Any) -> Any:
        """Add it."""
        return x + self.learned(ops.arange(16)[None])


def test_what_is_the_same_for_all_images_is_refused() -> None:
    inputs = keras.Input((16, 16, 3))
    x = layers.Reshape((16, 8))(layers.Conv2D(8, 4, 4)(inputs))
    x = Positions(name="positions")(x)
    model = keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling1D()(x)))
    with pytest.raises(ValueError, match="'positions/learned' returns the same values for every"):
        GradCAM(model, "positions/learned")(np.ones((1, 16, 16, 3)), 0)


def test_a_step_that_is_not_followed_is_said() -> None:
    inputs = keras.Input((8, 8, 3))
    x = layers.Lambda(lambda x: tf.sort(x, 1))(inputs)
    x = layers.Conv2D(4, 1, activation="relu", name="c")(x)
    net = keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling2D()(x)))
    found = GradCAM(net, "c")(np.ones((1, 8, 8, 3)), 0)
    assert any("could not be followed" in note for note in found.notes), found.notes


def test_a_prefix_before_cells_of_open_number() -> None:
    keras.utils.set_random_seed(8)
    inputs = keras.Input((None, 3))
    x = layers.Conv1D(8, 4, 4)(inputs)
    x = ops.concatenate([ops.mean(x, 1, keepdims=True), x], 1)
    x = layers.Dense(8, activation="relu", name="tokens")(x)
    scores = layers.Dense(2, kernel_initializer="ones")(layers.GlobalAveragePooling1D()(x))
    model = keras.Model(inputs, scores)
    signal = np.random.default_rng(8).random((2, 32, 3))
    found = GradCAM(model, "tokens")(signal, 0)
    assert not any("could not be followed" in note for note in found.notes)
    assert found.maps.shape == (2, 8)  # by the length at hand
    wanted = enlarged(found.maps, (32,), [(0, 4)])
    np.testing.assert_allclose(found.heatmaps, wanted / wanted.max(1, keepdims=True), atol=1e-5)
