"""Noise images measure where cells look if the arithmetic ends; elsewhere both agree."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import zoo
from keras import layers
from proofs import rows
from test_forms import SIZE, seeing, spot

from kerascam import Explainer, GradCAM
from kerascam.explain.cache import find_sites
from kerascam.model import InputForm, measure

BOX = [[0.3, 0.3, 0.9, 0.9]]
BACK = np.eye(40, dtype="float32")[::-1]


def boxed(x: Any) -> Any:
    count = tf.shape(x)[0]
    return tf.image.crop_and_resize(x, tf.tile(BOX, [count, 1]), tf.range(count), (20, 20))


def scattered(x: Any) -> Any:
    rows = tf.transpose(x, (1, 0, 2, 3))
    turned = tf.scatter_nd(tf.range(40)[::-1, None], rows, tf.shape(rows))
    return tf.transpose(turned, (1, 0, 2, 3))


UNKNOWN: dict[str, Callable[[Any], Any]] = {
    "cut out and resized": boxed,
    "moved by an affine transform": lambda x: keras.ops.image.affine_transform(
        x, np.array([[1, 0, -10, 0, 1, 5, 0, 0]], "float32")
    ),
    "turned by a product": lambda x: tf.einsum("bhwc,hg->bgwc", x, BACK),
    "turned by scattering": scattered,
    "patches of TensorFlow": lambda x: tf.reshape(
        tf.image.extract_patches(x, [1, 4, 4, 1], [1, 4, 4, 1], [1, 1, 1, 1], "VALID"),
        (-1, 10, 15, 48),
    ),
}


@pytest.mark.parametrize(
    "name", rows(("moved by an affine transform", "turned by scattering"), UNKNOWN)
)
def test_the_peak_lies_on_the_spot_after_unknown_operations(name: str) -> None:
    model = seeing(layers.Lambda(UNKNOWN[name]))
    found = GradCAM(model)(spot(slice(22, 26), slice(40, 44)), 0)
    assert found.heatmaps.shape == (1, 40, 60)
    row, column = np.unravel_index(found.heatmaps[0].argmax(), (40, 60))
    assert 20 <= row <= 27
    assert 38 <= column <= 45
    assert any("it was measured" in note for note in found.notes)


@pytest.mark.parametrize("shift", [7, 20])
def test_what_lies_on_no_line_stays_on_the_layers_own_grid(shift: int) -> None:
    model = seeing(layers.Lambda(lambda x: tf.roll(x, shift, 1)), layers.AveragePooling2D(2))
    found = GradCAM(model)(spot(slice(22, 26), slice(40, 44)), 0)
    np.testing.assert_array_equal(found.heatmaps.shape, found.maps.shape)
    assert found.images is None
    assert any("layer's own grid" in note for note in found.notes)


STEPS: dict[str, Callable[[], keras.Layer]] = {
    "cropped": lambda: layers.Cropping2D(((20, 4), (0, 0))),
    "padded": lambda: layers.ZeroPadding2D(((20, 0), (0, 0))),
    "resized after a crop": lambda: layers.Resizing(20, 20, crop_to_aspect_ratio=True),
    "every other row": lambda: layers.Lambda(lambda x: x[:, 10::2]),
    "pooled": lambda: layers.MaxPooling2D(4),
    "flipped": lambda: layers.Lambda(lambda x: x[:, ::-1]),
}


@pytest.mark.parametrize("name", rows(("padded", "resized after a crop", "every other row"), STEPS))
def test_measurement_and_arithmetic_agree(name: str) -> None:
    model = seeing(STEPS[name]())
    image = np.random.default_rng(0).random((1, *SIZE)).astype("float32")
    (site,) = find_sites(model, ["c"], None)
    measured = measure(model, site, [image], None, 0, InputForm(2), None)
    found = GradCAM(model, "c", normalize="none")
    # The heatmap of one bright cell: where the arithmetic draws it.
    assert measured.edges is not None
    grid = found(image, 0).maps.shape[1:]
    wanted = {
        "cropped": [(20, 1), (0, 1)], "padded": [(-20, 1), (0, 1)],
        "resized after a crop": [(0, 2), (10, 2)], "every other row": [(9.5, 2), (0, 1)],
        "pooled": [(0, 4), (0, 4)], "flipped": [(40, -1), (0, 1)],
    }[name]  # fmt: skip
    for (begin, width), (own, step), length in zip(measured.edges, wanted, grid, strict=True):
        cells = np.arange(length)
        apart = np.abs(begin + width * (cells + 0.5) - own - step * (cells + 0.5))
        assert apart[1:-1].max() < max(0.5, abs(step) / 2)


def test_windows_on_the_first_axis_are_refused_by_name() -> None:
    def attended(x: Any) -> Any:  # a roll, which the arithmetic does not follow, and windows
        windows = tf.image.extract_patches(
            tf.roll(x, 3, 1), [1, 10, 10, 1], [1, 10, 10, 1], [1, 1, 1, 1], "VALID"
        )
        return tf.reshape(windows, (-1, 10, 10, tf.shape(x)[-1]))

    images = keras.Input(SIZE)
    features = layers.Conv2D(4, 1, name="c")(layers.Lambda(attended, (10, 10, 3))(images))
    back = layers.Lambda(lambda x: tf.reshape(x, (-1, 24 * 100, 4)), (2400, 4))(features)
    model = keras.Model(images, layers.Dense(2)(layers.GlobalAveragePooling1D()(back)))
    with pytest.raises(ValueError, match="layer 'c' mixes the images of a batch, or its"):
        GradCAM(model, "c")(np.random.default_rng(0).random((2, *SIZE)).astype("float32"), 0)


def test_a_layer_that_sees_other_images_of_the_batch_is_refused() -> None:
    model = seeing(layers.Lambda(lambda x: tf.roll(x, 1, 0) + tf.roll(x, 3, 1)))
    images = np.random.default_rng(0).random((2, *SIZE)).astype("float32")
    with pytest.raises(ValueError, match="'c' mixes the images of a batch"):
        GradCAM(model, "c")(images, 0)


#: Their cells see nearly the whole image, or are few: there the arithmetic decides.
VAGUE = ("lambda_behind", "mixer", "transformer", "transformer_with_grid")


@pytest.mark.parametrize(
    "name",
    rows(
        ("nested", "shared_second_run_subclassed", "lambda_behind", "transformer_with_grid",
         "three_dimensions", "inputs_in_dict_subclassed", "mixer"),
        zoo.KINDS,
    ),
)  # fmt: skip
def test_measurement_and_arithmetic_agree_over_the_zoo(name: str) -> None:
    keras.utils.set_random_seed(0)
    specimen = zoo.KINDS[name]()
    explain = Explainer(specimen.model, "grad_cam", specimen.layer, **specimen.options)
    asked = explain._asked(specimen.inputs, None, explain.programs.of)
    program = asked.compiled
    (form,), place = program.forms, program.image_place
    assert form.cells is not None
    assert place is not None
    measured = measure(
        specimen.model, form.site, asked.arrays, asked.like, place, program.input_form, form.grid
    )
    assert measured.edges is not None or name in VAGUE
    lengths = explain(specimen.inputs).maps.shape[1:]
    for (begin, width), (own, step), length in zip(
        measured.edges or (), form.cells.edges, lengths, strict=name not in VAGUE
    ):
        middle = length / 2
        assert begin + width * middle == pytest.approx(own + step * middle, abs=abs(step) / 2)
        assert width == pytest.approx(step, rel=0.5 if name in VAGUE else 0.3)


class Crop(layers.Layer):
    """The part of an image that a box says."""

    def call(self, both: Any) -> Any:
        images, boxes = both
        return tf.image.crop_and_resize(images, boxes, tf.range(tf.shape(images)[0]), (10, 15))


class BoxOfHeat(layers.Layer):
    """A box around the brightest pixel."""

    def call(self, images: Any) -> Any:
        _, rows, columns, _ = images.shape
        brightest = tf.argmax(tf.reshape(images[..., 0], (-1, rows * columns)), 1)
        places = tf.stack([brightest // columns, brightest % columns], 1)
        centre = tf.cast(places, "float32") / [rows - 1.0, columns - 1.0]
        return tf.concat([centre - 0.2, centre + 0.2], 1)


def test_a_place_that_another_input_says_is_not_measured_once_for_all() -> None:
    images, boxes = keras.Input(SIZE, name="images"), keras.Input((4,), name="boxes")
    features = layers.Conv2D(2, 1, kernel_initializer="ones", name="seen")(Crop()([images, boxes]))
    pooled = layers.GlobalAveragePooling2D()(features)
    model = keras.Model([images, boxes], layers.Dense(1, kernel_initializer="ones")(pooled))
    found = GradCAM(model, "seen")([spot(slice(22, 26), slice(40, 44)), np.float32(BOX)], 0)
    assert found.heatmaps.shape == (1, 10, 15)
    assert any("the map lies on the layer's own grid" in note for note in found.notes)


def test_a_place_that_follows_the_image_is_not_measured_by_noise() -> None:
    images = keras.Input(SIZE)
    cut = Crop()([images, BoxOfHeat()(images)])
    features = layers.Conv2D(2, 1, kernel_initializer="ones", name="seen")(cut)
    pooled = layers.GlobalAveragePooling2D()(features)
    model = keras.Model(images, layers.Dense(1, kernel_initializer="ones")(pooled))
    found = GradCAM(model, "seen")(spot(slice(22, 26), slice(40, 44)), 0)
    assert found.heatmaps.shape == (1, 10, 15)
    assert any("the map lies on the layer's own grid" in note for note in found.notes)


def test_a_second_input_that_moves_nothing_leaves_the_measured_place() -> None:
    images, gains = keras.Input(SIZE, name="images"), keras.Input((2,), name="gains")
    cut = layers.Lambda(boxed, output_shape=(20, 20, 3))(images)
    features = layers.Conv2D(2, 1, kernel_initializer="ones", name="seen")(cut)
    gained = layers.Multiply(name="gained")([features, layers.Reshape((1, 1, 2))(gains)])
    pooled = layers.GlobalAveragePooling2D()(gained)
    model = keras.Model([images, gains], layers.Dense(1, kernel_initializer="ones")(pooled))
    inputs = [spot(slice(22, 26), slice(40, 44)), np.array([[1.0, 2.0]], "float32")]
    found = GradCAM(model, "gained")(inputs, 0)
    row, column = np.unravel_index(found.heatmaps[0].argmax(), (40, 60))
    assert 20 <= row <= 27
    assert 38 <= column <= 45
    assert any("it was measured" in note for note in found.notes)


def test_tokens_whose_rows_run_in_turns_are_not_said_to_be_measured() -> None:
    """Every other row of patches runs backwards: the middle row and column alone do not show it."""
    order = np.arange(80).reshape(8, 10)
    order[1::2] = order[1::2, ::-1].copy()
    inputs = keras.Input((32, 40, 3))
    x = layers.Reshape((80, 4))(layers.Conv2D(4, 4, 4)(inputs))
    x = layers.Dense(4, name="tokens")(keras.ops.take(x, order.ravel(), axis=1))
    model = keras.Model(inputs, layers.Dense(2)(layers.GlobalMaxPooling1D()(x)))
    found = GradCAM(model, "tokens")(np.random.default_rng(0).random((1, 32, 40, 3)))
    assert any("nor measured" in note for note in found.notes)


def test_features_that_noise_does_not_wake_are_not_said_to_be_the_same_for_all_images() -> None:
    """A ReLU that is zero on noise has no derivative there: that says nothing of other images."""
    model = seeing(layers.Lambda(lambda x: keras.ops.relu(boxed(x) - 1e6)))
    images = np.random.default_rng(0).random((2, 40, 60, 3), np.float32)
    found = GradCAM(model, model.layers[0])(images, 0)
    assert found.statuses == ("zero activations",) * 2
    assert any("nor measured" in note for note in found.notes)
