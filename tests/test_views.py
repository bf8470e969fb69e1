"""Layers that see frames, views or other parts of the images by themselves: a map for each."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from enlarging import enlarged
from keras import layers, ops
from proofs import wide

from kerascam import Explainer, GradCAM, LayerCAM, Saliency, find_target_layer, suggest_layers
from kerascam.pictures.figures import frames_figure

CLIPS = np.random.default_rng(0).normal(size=(2, 4, 12, 10, 3)).astype("float32")


def network() -> keras.Model:
    keras.utils.set_random_seed(1)
    return keras.Sequential([
        keras.Input((12, 10, 3)), layers.Conv2D(5, 3, activation="relu", name="conv"),
        layers.GlobalAveragePooling2D(),
    ], name="cnn")  # fmt: skip


def head(features: Any, cnn: keras.Model) -> keras.Model:
    del cnn
    return layers.Dense(3, name="scores")(layers.Flatten(name="join")(features))


def time_distributed() -> tuple[keras.Model, keras.Model, str]:
    cnn, clip = network(), keras.Input(CLIPS.shape[1:])
    y = layers.TimeDistributed(cnn, name="frames")(clip)
    return keras.Model(clip, head(y, cnn)), cnn, "frames/cnn/conv"


def folded() -> tuple[keras.Model, keras.Model, str]:
    cnn, clip = network(), keras.Input(CLIPS.shape[1:])
    y = cnn(ops.reshape(clip, (-1, *CLIPS.shape[2:])))
    return keras.Model(clip, head(ops.reshape(y, (-1, 4, 5)), cnn)), cnn, "cnn/conv"


def in_a_loop() -> tuple[keras.Model, keras.Model, str]:
    cnn, clip = network(), keras.Input(CLIPS.shape[1:])
    y = ops.stack([cnn(clip[:, frame]) for frame in range(4)], 1)
    return keras.Model(clip, head(y, cnn)), cnn, "cnn/conv"


KINDS: list[Callable[[], tuple[keras.Model, keras.Model, str]]] = [
    time_distributed, folded, in_a_loop,
]  # fmt: skip


def by_hand(model: keras.Model, cnn: keras.Model, target: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the activations and gradients of each frame, shape (batch, frames, ...)."""
    seen = [cnn.layers[0](CLIPS[:, frame]) for frame in range(4)]
    join, scores = model.get_layer("join"), model.get_layer("scores")
    with tf.GradientTape() as tape:
        for each in seen:
            tape.watch(each)
        score = scores(join(tf.stack([cnn.layers[1](each) for each in seen], 1)))[:, target]
    gradients = tape.gradient(score, seen)
    return np.stack(seen, 1), np.stack(gradients, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_each_frame_has_the_map_of_its_own(kind: Any) -> None:
    model, cnn, path = kind()
    found = GradCAM(model, normalize="none")(CLIPS, 1)
    assert found.layers == (path,)
    activations, gradients = by_hand(model, cnn, 1)
    weights = gradients.mean((2, 3), keepdims=True)
    wanted = np.maximum((weights * activations).sum(-1), 0)
    np.testing.assert_allclose(found.maps, wanted, atol=1e-6)
    enlarged_frames = enlarged(
        wanted.reshape(8, 10, 8), (12, 10), [(1, 1), (1, 1)]
    ).reshape(2, 4, 12, 10)  # fmt: skip
    np.testing.assert_allclose(found.heatmaps, enlarged_frames, atol=1e-6)
    np.testing.assert_array_equal(found.images, CLIPS)
    assert any("a map for each" in note for note in found.notes)
    assert not any("branches" in note for note in found.notes)
    np.testing.assert_allclose(found[1].maps, wanted[1:], atol=1e-6)


@pytest.mark.parametrize("kind", wide([in_a_loop], KINDS))
def test_frames_are_compared_on_one_scale(kind: Any) -> None:
    found = LayerCAM(kind()[0])(CLIPS, 0)
    np.testing.assert_allclose(found.heatmaps.max((1, 2, 3)), 1)
    raw = LayerCAM(kind()[0], normalize="none")(CLIPS, 0).heatmaps
    np.testing.assert_allclose(found.heatmaps * raw.max((1, 2, 3), keepdims=True), raw, atol=1e-6)


@pytest.mark.parametrize("kind", wide([in_a_loop], [time_distributed, in_a_loop]))
def test_one_run_lies_on_its_frame(kind: Any) -> None:
    model, _, path = kind()
    every = GradCAM(model, path, normalize="none")(CLIPS, 2)
    one = GradCAM(model, path, call_index=3, normalize="none")(CLIPS, 2)
    np.testing.assert_allclose(one.heatmaps, every.heatmaps[:, 3], atol=1e-7)
    np.testing.assert_array_equal(one.images, CLIPS[:, 3])
    assert one.overlay(np.zeros((2, 12, 10, 3), np.uint8)).shape == (2, 12, 10, 3)
    assert any("place 3 of axis 1" in note for note in one.notes)


@pytest.mark.parametrize("kind", wide([time_distributed], KINDS))
def test_guided_maps_multiply_frame_by_frame(kind: Any) -> None:
    model, _, path = kind()
    cam = GradCAM(model, path, normalize="none")(CLIPS, 0).heatmaps
    guided = Explainer(model, "guided_backprop", normalize="none")(CLIPS, 0).maps
    both = Explainer(model, "guided_grad_cam", path, normalize="none")(CLIPS, 0).maps
    np.testing.assert_allclose(both, guided * cam, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_what_follows_a_layer_runs_with_all_its_frames(kind: Any, register: Any) -> None:
    def frames_removed(activations: Any, rest: Any) -> Any:
        copies = ops.stack([activations, activations * 0])
        scores = rest(copies)
        return ops.ones_like(activations[..., 0]) * ops.reshape(
            scores[0] - scores[1], (-1, 1, 1, 1)
        )

    model, _, path = kind()
    found = Explainer(model, register(frames_removed), path, normalize="none")(CLIPS, 1)
    join, scores = model.get_layer("join"), model.get_layer("scores")
    nothing = scores(join(np.zeros((2, 4, 5), "float32")))[:, 1]
    wanted = model(CLIPS)[:, 1] - nothing
    np.testing.assert_allclose(found.maps[:, 0, 0, 0], wanted, atol=1e-5)


def test_the_layers_inside_are_suggested_once() -> None:
    model, _, path = time_distributed()
    assert find_target_layer(model) == path
    assert [each.path for each in suggest_layers(model)] == [path]


def test_rolled_windows_that_no_map_can_be_drawn_from_are_not_suggested() -> None:
    """The windows of shifted attention: their first axis is not the images."""
    inputs = keras.Input((16, 16, 3))
    x = layers.Conv2D(4, 2, 2, name="patches")(inputs)
    windows = ops.reshape(ops.roll(x, (-2, -2), (1, 2)), (-1, 2, 4, 2, 4, 4))
    windows = ops.reshape(ops.transpose(windows, (0, 1, 3, 2, 4, 5)), (-1, 4, 4, 4))
    windows = layers.Conv2D(4, 1, activation="relu", name="windows")(windows)
    x = ops.transpose(ops.reshape(windows, (-1, 2, 2, 4, 4, 4)), (0, 1, 3, 2, 4, 5))
    x = layers.Conv2D(4, 1, name="last")(ops.roll(ops.reshape(x, (-1, 8, 8, 4)), (2, 2), (1, 2)))
    model = keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling2D()(x)))
    assert "windows" not in {each.path for each in suggest_layers(model)}
    with pytest.raises(ValueError, match="first axis is not the images"):
        GradCAM(model, "windows")(np.random.default_rng(0).random((2, 16, 16, 3)))


def test_turning_the_frames_before_they_are_folded_is_no_layer_of_features() -> None:
    keras.utils.set_random_seed(0)
    clip = keras.Input((4, 12, 10, 3))
    frames = ops.reshape(ops.transpose(clip, (1, 0, 2, 3, 4)), (-1, 12, 10, 3))
    features = layers.Conv2D(5, 3, activation="relu", name="seen")(frames)
    pooled = ops.reshape(layers.GlobalAveragePooling2D()(features), (4, -1, 5))
    model = keras.Model(clip, layers.Dense(3)(ops.mean(pooled, 0)))
    assert find_target_layer(model) == "seen"
    found = GradCAM(model, normalize="none")(CLIPS, 1)
    by_frame = keras.Model(clip, features)(CLIPS).numpy().reshape(4, len(CLIPS), 10, 8, 5)
    wanted = by_frame.transpose(1, 0, 2, 3, 4) @ model.layers[-1].kernel.numpy()[:, 1]
    np.testing.assert_allclose(found.maps, np.maximum(wanted, 0) / (4 * 80), rtol=1e-4, atol=1e-7)


def test_layers_after_a_mean_over_time_have_no_time() -> None:
    clip = keras.Input((4, 12, 10, 3))
    y = layers.Conv2D(3, 3, padding="same", activation="relu", name="flat")(ops.mean(clip, 1))
    model = keras.Model(clip, layers.Dense(2, name="scores")(layers.GlobalAveragePooling2D()(y)))
    found = GradCAM(model, normalize="none")(CLIPS, 0)
    activations = model.get_layer("flat")(CLIPS.mean(1)).numpy()
    weights = model.get_layer("scores").kernel.numpy()[:, 0] / (12 * 10)
    np.testing.assert_allclose(found.heatmaps, np.maximum(activations @ weights, 0), atol=1e-7)
    assert found.images is None
    assert any("no such axis" in note for note in found.notes)


def test_layers_of_different_axes_are_not_fused() -> None:
    clip = keras.Input((4, 12, 10, 3))
    deep = layers.Conv3D(2, 1, name="deep")(clip)
    flat = layers.Conv2D(3, 3, name="flat")(ops.mean(deep, 1))
    model = keras.Model(clip, layers.GlobalAveragePooling2D()(flat))
    with pytest.raises(ValueError, match="'deep' and 'flat' cannot be fused"):
        GradCAM(model, ["deep", "flat"])(CLIPS, 0)


def test_a_layer_that_sees_two_images_is_asked_which() -> None:
    cnn, one, two = network(), keras.Input((12, 10, 3)), keras.Input((12, 10, 3))
    model = keras.Model([one, two], layers.Dense(2)(cnn(one) - cnn(two)))
    with pytest.raises(ValueError, match="ran 2 times .* call_index="):
        GradCAM(model, "cnn/conv")([CLIPS[:, 0], CLIPS[:, 1]], 0)


def test_a_head_that_sees_two_levels_of_a_pyramid_is_asked_which() -> None:
    """Grids of two sizes cannot be put side by side."""
    inputs, head_of_all = keras.Input((16, 16, 3)), layers.Conv2D(2, 3, padding="same", name="head")
    fine = layers.Conv2D(4, 3, 2, padding="same")(inputs)
    coarse = layers.Conv2D(4, 3, 2, padding="same")(fine)
    scores = [layers.GlobalAveragePooling2D()(head_of_all(level)) for level in (fine, coarse)]
    model = keras.Model(inputs, layers.Add()(scores))
    images = np.random.default_rng(0).random((2, 16, 16, 3))
    with pytest.raises(ValueError, match="'head' ran 2 times.*call_index=, from 0 to 1"):
        GradCAM(model, "head")(images)
    assert [GradCAM(model, "head", call_index=run)(images).maps.shape for run in (0, 1)] == [
        (2, 8, 8), (2, 4, 4),
    ]  # fmt: skip


def test_rows_of_frames_are_drawn() -> None:
    model = time_distributed()[0]
    drawn = GradCAM(model)(CLIPS, 0).plot()
    titles = [ax.get_title() for ax in drawn.axes if ax.get_title()]
    assert titles == [f"frame {frame}" for frame in range(4)] * 2
    heat = np.zeros((1, 3, 2, 2))
    heat[0, 2] = 1
    drawn = frames_figure(np.full((1, 3, 8, 8, 3), 90, np.uint8), heat)
    first, _, last = (ax.get_images()[0].get_array() for ax in drawn.axes[:3])
    np.testing.assert_array_equal(first[-8:], 90)  # no evidence: the frame as it was
    assert (last[-8:] != 90).all(axis=(0, 1)).any()


def test_the_gradient_of_a_clip_is_that_of_the_model() -> None:
    model = folded()[0]
    clips = tf.constant(CLIPS)
    with tf.GradientTape() as tape:
        tape.watch(clips)
        score = model(clips)[:, 0]
    wanted = np.abs(tape.gradient(score, clips)).max(-1)
    np.testing.assert_allclose(Saliency(model)(CLIPS, 0).maps, wanted, atol=1e-7)
