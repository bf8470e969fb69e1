"""Where height, width, time and channels stand in an input: found, guessed and said, or given."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from enlarging import enlarged
from keras import layers, ops
from proofs import pairs

from kerascam import (
    Explainer,
    GradCAM,
    IntegratedGradients,
    Saliency,
    SmoothGrad,
    find_target_layer,
)

RANDOM = np.random.default_rng(5)


def gradient_by_hand(model: keras.Model, values: np.ndarray, unit: int) -> np.ndarray:
    x = tf.constant(values)
    with tf.GradientTape() as tape:
        tape.watch(x)
        score = model(x, training=False)[:, unit]
    return np.asarray(tape.gradient(score, x))


ADDERS: dict[str, Callable[[Any], Any]] = {
    "Reshape": lambda x: layers.Reshape((*x.shape[1:], 1))(x),
    "expand_dims": lambda x: ops.expand_dims(x, -1),
    "Lambda": lambda x: layers.Lambda(lambda x: x[..., None])(x),
    "three times": lambda x: ops.stack([x, x, x], -1),
}


def flat_model(add: Callable[[Any], Any], size: tuple[int, ...] = (12, 9)) -> keras.Model:
    keras.utils.set_random_seed(2)
    inputs = keras.Input(size)
    kind = {2: layers.Conv2D, 3: layers.Conv3D}[len(size)]
    x = kind(4, 3, activation="relu", name="c")(add(inputs))
    return keras.Model(inputs, layers.Dense(3)(layers.Flatten()(x)))


@pytest.mark.parametrize(("name", "axes"), pairs(tuple(ADDERS), (None, "hw")))
def test_images_without_a_channel_axis(name: str, axes: str | None) -> None:
    model, values = flat_model(ADDERS[name]), RANDOM.random((2, 12, 9), np.float32)
    found = Saliency(model, axes=axes, normalize="none")(values, 1)
    np.testing.assert_allclose(found.maps, abs(gradient_by_hand(model, values, 1)), rtol=1e-5)
    assert found.heatmaps.shape == (2, 12, 9)
    assert found.notes == ()
    cam = GradCAM(model, axes=axes)(values, 1)
    assert cam.layer == find_target_layer(model) == "c"
    assert cam.maps.shape == (2, 10, 7)
    if name != "three times":  # its colours are made inside
        wanted = enlarged(cam.maps, (12, 9), [(1, 1), (1, 1)])
        peak = wanted.max((1, 2), keepdims=True)
        np.testing.assert_allclose(cam.heatmaps, wanted / peak, atol=1e-5)
    assert cam.images is not None
    np.testing.assert_array_equal(cam.images, values[..., None])
    assert cam.overlay().shape == (2, 12, 9, 3)


def test_methods_that_ask_again_of_images_without_a_channel_axis() -> None:
    model, values = flat_model(ADDERS["Reshape"]), RANDOM.random((2, 12, 9), np.float32)
    found = IntegratedGradients(model, steps=64, normalize="none")(values, 2)
    change = model(values)[:, 2] - model(np.zeros_like(values))[:, 2]
    np.testing.assert_allclose(found.maps.sum((1, 2)), change, rtol=2e-2)
    assert SmoothGrad(model, samples=2)(values, 2).heatmaps.shape == (2, 12, 9)
    assert Explainer(model, "guided_grad_cam")(values, 2).heatmaps.shape == (2, 12, 9)


def test_volumes_and_clips_without_a_channel_axis() -> None:
    model, values = flat_model(ADDERS["Reshape"], (6, 8, 7)), RANDOM.random((2, 6, 8, 7))
    for method in ("saliency", "grad_cam"):
        found = Explainer(model, method)(values, 0)
        assert found.heatmaps.shape == (2, 6, 8, 7)
        assert found.notes[found.layer == "c" :] == ()


def test_clips_with_their_channels_in_the_middle() -> None:
    inputs = keras.Input((4, 3, 8, 7))
    x = layers.Conv3D(4, 2, activation="relu")(layers.Permute((1, 3, 4, 2))(inputs))
    model = keras.Model(inputs, layers.Dense(2)(layers.Flatten()(x)))
    values = RANDOM.random((2, 4, 3, 8, 7), np.float32)
    for axes in (None, "tchw"):
        found = Saliency(model, axes=axes, normalize="none")(values, 0)
        wanted = abs(gradient_by_hand(model, values, 0)).max(2)
        np.testing.assert_allclose(found.maps, wanted, rtol=1e-5)
        assert GradCAM(model, axes=axes)(values, 0).heatmaps.shape == (2, 4, 8, 7)


def test_leads_by_time() -> None:
    """As two axes of a picture, with the channel axis added, and as channels of a signal."""
    values = RANDOM.random((2, 6, 40), np.float32)
    keras.utils.set_random_seed(3)
    inputs = keras.Input((6, 40))
    x = layers.Conv2D(4, (1, 5), activation="relu", name="c")(layers.Reshape((6, 40, 1))(inputs))
    picture = keras.Model(inputs, layers.Dense(2)(layers.GlobalMaxPooling2D()(x)))
    x = layers.Conv1D(4, 5, activation="relu", name="c")(layers.Permute((2, 1))(inputs))
    signal = keras.Model(inputs, layers.Dense(2)(layers.GlobalMaxPooling1D()(x)))
    for model, size in ((picture, (6, 40)), (signal, (40,))):
        for found in (GradCAM(model)(values, 0), Saliency(model)(values, 0)):
            assert found.heatmaps.shape == (2, *size)


def spectrogram(inputs: Any, how: str) -> Any:
    x = inputs if len(inputs.shape) == 2 else ops.squeeze(inputs, -1)
    if how == "layer":
        if not hasattr(layers, "STFTSpectrogram"):
            pytest.skip("this Keras has no layer of spectrograms")
        return layers.STFTSpectrogram(
            mode="magnitude", frame_length=64, frame_step=32, fft_length=64, padding="same",
        )(inputs if len(inputs.shape) == 3 else x[..., None])[..., None]  # fmt: skip
    real, imaginary = ops.stft(x, 64, 32, 64)
    return ops.expand_dims(ops.square(real) + ops.square(imaginary), -1)


@pytest.mark.parametrize(("size", "how"), pairs(((512, 1), (512,)), ("ops", "layer")))
def test_waveforms_with_a_spectrogram_inside(size: tuple[int, ...], how: str) -> None:
    inputs = keras.Input(size)
    x = layers.Conv2D(4, 3, activation="relu", padding="same", name="c", kernel_initializer="ones")(
        spectrogram(inputs, how)
    )
    head = layers.Dense(1, kernel_initializer="ones")
    model = keras.Model(inputs, head(layers.GlobalMaxPooling2D()(x)))
    values = np.zeros((1, 512), np.float32)
    values[:, 300:340] = np.sin(np.arange(40))
    values = values.reshape(1, *size)
    cam = GradCAM(model)(values, 0)
    assert cam.layer == "c"
    assert cam.heatmaps.shape == (1, 512)
    assert cam.maps.ndim == 3
    assert 240 <= int(cam.heatmaps.argmax()) <= 400
    assert any("cells for each place of the input" in note for note in cam.notes)
    if how == "ops":
        saliency = Saliency(model, normalize="none")(values, 0)
        wanted = abs(gradient_by_hand(model, values, 0)).reshape(1, 512)
        np.testing.assert_allclose(saliency.maps, wanted, rtol=1e-4, atol=1e-4)


def dense(size: tuple[int, ...]) -> keras.Model:
    return keras.Sequential([keras.Input(size), layers.Flatten(), layers.Dense(2)])


@pytest.mark.parametrize(
    ("size", "axes", "heat", "said"),
    [((8, 6), None, (8, 6), "axes='hw' was assumed"), ((8, 6), "tc", (8,), ""),
     ((8, 6), "ct", (6,), ""), ((8, 7, 5), None, (8, 7), "axes='hwc' was assumed"),
     ((3, 7, 5), None, (7, 5), "axes='chw' was assumed"),
     ((8, 7, 5), "chw", (7, 5), ""), ((8, 7, 5), "dhw", (8, 7, 5), ""),
     ((8, 7, 3), None, (8, 7), ""), ((10,), "t", (10,), "")],
)  # fmt: skip
def test_what_no_product_tells_is_guessed_and_said_or_given(
    size: tuple[int, ...], axes: str | None, heat: tuple[int, ...], said: str
) -> None:
    model, values = dense(size), RANDOM.random((2, *size), np.float32)
    found = Saliency(model, axes=axes, normalize="none")(values, 0)
    assert found.heatmaps.shape == (2, *heat)
    assert [said in note for note in found.notes] == [True] * bool(said)
    wanted = abs(gradient_by_hand(model, values, 0))
    if axes is not None and "c" in axes:
        wanted = wanted.max(1 + axes.index("c"))
    elif len(heat) < len(size):
        wanted = wanted.max(1 if "'chw'" in said else -1)
    np.testing.assert_allclose(found.maps, wanted, rtol=1e-5)


def test_axes_that_are_not_as_the_model_sums_are_said() -> None:
    model = keras.Sequential([
        keras.Input((8, 6)), layers.Conv1D(3, 2), layers.Flatten(), layers.Dense(2),
    ])  # fmt: skip
    found = Saliency(model, axes="ct")(np.ones((1, 8, 6)), 0)
    assert found.heatmaps.shape == (1, 6)
    assert any("though the model sums over axis 1" in note for note in found.notes)


@pytest.mark.parametrize(
    ("axes", "error", "message"),
    [("xyz", ValueError, "received 'xyz'"),
     ("hhc", ValueError, "each once; received 'hhc'"), ("c", ValueError, "besides 'c'"),
     ("", ValueError, "besides 'c'"), ("HWC", ValueError, "received 'HWC'")],
)  # fmt: skip
def test_wrong_axes_are_refused(axes: Any, error: type[Exception], message: str) -> None:
    for method in ("saliency", "grad_cam", "integrated_gradients"):
        with pytest.raises(error, match=message):
            Explainer(dense((8, 7, 3)), method, axes=axes)


def test_axes_of_another_number_are_refused() -> None:
    with pytest.raises(ValueError, match=r"axes='hw' must have a letter for each axis .*\(8, 7, 3"):
        Saliency(dense((8, 7, 3)), axes="hw")(np.ones((1, 8, 7, 3)), 0)


def test_numbers_without_an_order_are_no_signal() -> None:
    with pytest.raises(ValueError, match="images are not among the model's inputs"):
        Saliency(dense((10,)))(np.ones((1, 10)), 0)


def test_a_product_after_the_layer_tells_where_the_channels_are() -> None:
    inputs = keras.Input((3, 9, 12))
    turned = layers.Permute((2, 3, 1), name="turned")(inputs)
    scores = layers.Dense(2)(ops.max(layers.Conv2D(4, 3)(turned), (1, 2)))
    found = GradCAM(keras.Model(inputs, scores), "turned")(np.ones((2, 3, 9, 12)))
    assert found.heatmaps.shape == (2, 9, 12)
    assert found.notes == ()
