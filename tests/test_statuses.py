"""A status is about what is returned: "ok" promises evidence in the heatmap and finite numbers."""

from functools import cache

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from keras import layers
from proofs import rows

from kerascam import Explainer, GradCAM, HiResCAM, LayerCAM, Saliency, targets
from kerascam import maps as m

# ------------------------------------------------------------------------- cases known by hand


@pytest.mark.parametrize(
    ("code", "heatmap", "score", "wanted"),
    [
        (m.OK, [0.0, 1e-30], 1.0, "ok"),
        (m.OK, [0.0, -1.0], 1.0, "ok"),  # of a signed heatmap
        (m.OK, [0.0, 0.0], 1.0, "evidence lost in scaling"),
        (m.NO_EVIDENCE, [0.0, 0.0], 1.0, "no positive evidence"),
        (m.ZERO_GRADIENT, [0.0, 0.0], 1.0, "zero gradient"),
        (m.OK, [0.0, np.inf], 1.0, "not finite"),
        (m.OK, [0.0, 1.0], np.nan, "not finite"),
        (m.OK, [0.0, 1.0], -np.inf, "not finite"),
        (m.ZERO_ACTIVATIONS, [0.0, 0.0], np.nan, "not finite"),
        (m.NOT_FINITE, [0.0, 0.0], 1.0, "not finite"),
    ],
)
def test_a_status_of_an_answer(code, heatmap, score, wanted):
    found = m.of_answer(tf.constant([code]), tf.constant([heatmap]), [tf.constant([score])])
    assert m.STATUSES[found.numpy()[0]] == wanted


def corner(sign):
    """Paint a 3×3 map with one corner of evidence under an image of one pixel."""
    kernel = np.zeros((3, 3, 1, 1))
    kernel[0, 0] = sign
    return keras.Sequential([
        keras.Input((1, 1, 1)),
        layers.Conv2DTranspose(1, 3, name="painted",
                               kernel_initializer=keras.initializers.Constant(kernel)),
        layers.GlobalAveragePooling2D(), layers.Dense(2, kernel_initializer="ones"),
    ])  # fmt: skip


@pytest.mark.parametrize(
    ("sign", "wanted"), [(1, "evidence lost in scaling"), (-1, "no positive evidence")]
)
def test_evidence_that_no_pixel_of_a_smaller_image_samples_is_said(sign, wanted):
    found = HiResCAM(corner(sign), "painted")(np.ones((1, 1, 1, 1)))
    assert (found.maps.ravel() != 0).sum() == 1 and not found.heatmaps.any()
    assert found.statuses == (wanted,)


def test_a_layer_whose_evidence_is_lost_does_not_hide_that_of_another():
    painted = corner(1)
    x = layers.Conv2D(1, 3, name="whole", kernel_initializer="ones")(
        painted.get_layer("painted").output
    )
    model = keras.Model(painted.inputs[0], layers.Dense(1)(layers.Flatten()(x)))
    model.layers[-1].kernel.assign([[1.0]])
    assert LayerCAM(model, "painted")(np.ones((1, 1, 1, 1))).statuses == (m.STATUSES[m.LOST],)
    found = LayerCAM(model, ["painted", "whole"])(np.ones((1, 1, 1, 1)))
    assert found.statuses == ("ok",) and found.heatmaps.ravel().tolist() == [1]


def test_evidence_that_is_the_same_everywhere_has_no_range_to_show():
    model = keras.Sequential([
        keras.Input((4, 4, 1)), layers.Conv2D(2, 1, name="conv", kernel_initializer="ones"),
        layers.GlobalAveragePooling2D(), layers.Dense(2, kernel_initializer="ones"),
    ])  # fmt: skip
    flat = np.ones((1, 4, 4, 1))
    assert GradCAM(model, "conv")(flat).statuses == ("ok",)
    found = GradCAM(model, "conv", normalize="minmax")(flat)
    assert (found.maps > 0).all() and not found.heatmaps.any()
    assert found.statuses == ("evidence lost in scaling",)


def test_a_range_larger_than_any_number_is_stretched_all_the_same():
    found = m.normalize(tf.constant([[-3e38, 0.0, 3e38]]), "minmax").numpy()
    np.testing.assert_allclose(found, [[0, 0.5, 1]])


def test_scores_that_overflow_are_said():
    model = keras.Sequential([
        keras.Input((8, 8, 3)), layers.Flatten(), layers.Dense(2, kernel_initializer="ones"),
    ])  # fmt: skip
    images = np.stack([np.full((8, 8, 3), value) for value in (1.0, 1e38)])
    found = Saliency(model)(images)
    assert np.isinf(found.scores[1])
    assert found.statuses == ("ok", "not finite")
    np.testing.assert_array_equal(found.heatmaps[1], found.heatmaps[0])  # it is right


def test_a_probability_that_is_not_finite_is_said():
    inputs = keras.Input((4, 4, 1))
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(1, 1, name="conv")(inputs))
    outputs = keras.ops.softmax(keras.ops.concatenate([x, np.inf * (x * 0 + 1)], 1))
    model = keras.Model(inputs, outputs)
    # The probability of class 0 is 0 or NaN, as the machine's softmax has it.
    found = GradCAM(model, "conv", target=own_unit)(np.ones((2, 4, 4, 1)), 1)
    assert np.isnan(found.probabilities).all() and np.isfinite(found.scores).all()
    assert found.statuses == ("not finite", "not finite")


def own_unit(outputs, classes):
    return targets.logit(outputs, 0 * classes)


def test_a_model_without_probabilities_is_none_the_worse():
    model = keras.Sequential([
        keras.Input((4, 4, 1)), layers.Conv2D(2, 1, name="conv", kernel_initializer="ones"),
        layers.GlobalAveragePooling2D(), layers.Dense(2, kernel_initializer="ones"),
    ])  # fmt: skip
    found = GradCAM(model)(np.ones((1, 4, 4, 1)))
    assert np.isnan(found.probabilities).all() and found.statuses == ("ok",)


# ----------------------------------------------------------------------- the promise, as a law

MAGNITUDES = [0, 1e-45, 1e-38, 1e-37, 1e-30, 1e-20, 1e-4, 1, 255, 1e5, 1e10, 1e19, 1e30, 1e38, 3e38]


@cache
def model(dtype, grid):
    """Make a network whose map is `grid` times as fine as the image."""
    keras.utils.set_random_seed(0)
    given = "float64" if dtype == "float64" else "float32"
    inputs = keras.Input((6, 6, 2), dtype=given)
    x = layers.Conv2D(3, 3, padding="same", activation="relu", name="first", dtype=dtype)(inputs)
    x = layers.UpSampling2D(grid, dtype=dtype)(x) if grid > 1 else x
    x = layers.Conv2D(3, 3, padding="same", activation="relu", name="second", dtype=dtype)(x)
    x = layers.GlobalAveragePooling2D(dtype=dtype)(x)
    return keras.Model(inputs, layers.Dense(3, "softmax", dtype=dtype)(x))


@cache
def explainer(method, normalize, dtype="float32", grid=1, layer=None):
    layer = list(layer) if isinstance(layer, tuple) else layer
    return Explainer(model(dtype, grid), method, layer, normalize=normalize)


ASKED = {
    "Grad-CAM": ("grad_cam", "max"),
    "Grad-CAM, a finer map": ("grad_cam", "minmax", "float32", 3, "second"),
    "Grad-CAM++": ("grad_cam_plus_plus", "none", "float32", 3, "second"),
    "HiResCAM": ("hires_cam", "signed", "float32", 3, "second"),
    "HiResCAM, unscaled": ("hires_cam", "none", "mixed_float16"),
    "LayerCAM of two": ("layer_cam", "max", "float32", 3, ("first", "second")),
    "Grad-CAM of two": ("grad_cam", "minmax", "mixed_bfloat16", 1, ("first", "second")),
    "Eigen-CAM": ("eigen_cam", "max"),
    "Grad-CAM in float64": ("grad_cam", "max", "float64"),
    "Grad-CAM in float16": ("grad_cam", "minmax", "mixed_float16", 3, "second"),
    "Saliency": ("saliency", "max"),
    "Saliency in bfloat16": ("saliency", "minmax", "mixed_bfloat16"),
    "gradient × input": ("gradient_times_input", "signed"),
    "guided Grad-CAM": ("guided_grad_cam", "max"),
}


@pytest.mark.parametrize(
    "name",
    rows(
        ("Grad-CAM++", "HiResCAM, unscaled", "Grad-CAM of two", "Grad-CAM in float16",
         "Saliency in bfloat16", "gradient × input"),
        ASKED,
    ),
)  # fmt: skip
@given(
    drawn=st.lists(
        st.tuples(st.integers(0, 999), st.sampled_from(MAGNITUDES), st.booleans()),
        min_size=1,
        max_size=6,
    )
)
def test_ok_promises_evidence_and_finite_numbers(name, drawn):
    images = []
    for seed, magnitude, single in drawn:
        values = np.random.default_rng(seed).uniform(-1, 1, (6, 6, 2))
        keep = values == values.max() if single else True
        images.append(np.where(keep, values, 0) * magnitude)
    found = explainer(*ASKED[name])(np.stack(images))
    several = isinstance(found.maps, tuple)
    for place, status in enumerate(found.statuses):
        heatmap = found.heatmaps[place]
        raw = [each[place] for each in (found.maps if several else [found.maps])]
        numbers = [found.scores[place], found.probabilities[place]]
        assert np.isfinite(heatmap).all() and all(np.isfinite(each).all() for each in raw)
        good = (
            heatmap.any() and np.isfinite(numbers).all() and any((each > 0).any() for each in raw)
        )
        if status == "ok":
            assert good
        elif not several:  # of several, one may be good and another not finite
            assert not good
