"""Which of several inputs is explained: the one that is asked for, or the likeliest one."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerascam import (
    CAM,
    GradCAM,
    GuidedGradCAM,
    IntegratedGradients,
    Saliency,
    find_target_layer,
    suggest_layers,
)
from kerascam.inputs import InputSpec, conform, place_of

L = keras.layers
RANDOM = np.random.default_rng(0)


def draw(*shape: int) -> np.ndarray:
    return RANDOM.normal(0, 1, shape).astype(np.float32)


@pytest.fixture(scope="module")
def towers() -> keras.Model:
    """Two images of different sizes, each with a tower of its own, and a row of numbers."""
    keras.utils.set_random_seed(0)
    small, large = keras.Input((8, 8, 3), name="small"), keras.Input((12, 10, 1), name="large")
    row = keras.Input((4,), name="row")
    pooled = [
        L.GlobalAveragePooling2D()(L.Conv2D(5, 3, activation="relu", name=f"of_{each.name}")(each))
        for each in (small, large)
    ]
    return keras.Model(
        {"small": small, "large": large, "row": row},
        L.Dense(3, name="scores")(L.Concatenate()([*pooled, row])),
    )


BATCH = {"small": draw(2, 8, 8, 3), "large": draw(2, 12, 10, 1), "row": draw(2, 4)}


def gradient_by(model: keras.Model, inputs: dict, name: str, class_index: int) -> np.ndarray:
    tensors = {each: tf.constant(value) for each, value in inputs.items()}
    with tf.GradientTape() as tape:
        tape.watch(tensors[name])
        scores = model(tensors, training=False)[:, class_index]
    return tape.gradient(scores, tensors[name]).numpy()


@pytest.mark.parametrize("chosen", ["small", "large", 0, 2])  # in the order of the names
def test_a_gradient_is_taken_by_the_input_that_is_asked_for(towers, chosen):
    name = chosen if isinstance(chosen, str) else ["large", "row", "small"][chosen]
    found = Saliency(towers, input=chosen)(BATCH, 1)
    wanted = np.abs(gradient_by(towers, BATCH, name, 1)).max(-1)
    np.testing.assert_allclose(found.maps, wanted, rtol=1e-4, atol=1e-7)
    np.testing.assert_array_equal(found.images, BATCH[name])
    assert found.notes == ()


def test_a_path_leads_over_one_input_and_leaves_the_others(towers):
    found = IntegratedGradients(towers, input="large", steps=64)(BATCH, 1)
    without = towers({**BATCH, "large": np.zeros_like(BATCH["large"])})[:, 1]
    np.testing.assert_allclose(found.maps.sum((1, 2)), found.scores - without, atol=2e-3)


@pytest.mark.parametrize("name", ["small", "large"])
def test_a_class_activation_map_lies_on_the_input_that_is_asked_for(towers, name):
    found = CAM(towers, input=name)(BATCH, 2)
    layer = towers.get_layer(f"of_{name}")
    weights = towers.get_layer("scores").kernel.numpy()[:, 2]
    weights = weights[:5] if name == "small" else weights[5:10]
    np.testing.assert_allclose(found.maps, layer(BATCH[name]).numpy() @ weights, rtol=1e-4)
    assert found.layer == f"of_{name}" and found.heatmaps.shape == BATCH[name].shape[:3]
    assert find_target_layer(towers, input=name) == found.layer
    assert [each.path for each in suggest_layers(towers, input=name)] == [found.layer]


def test_a_note_says_which_input_was_taken(towers):
    for explainer in (GradCAM(towers), Saliency(towers)):
        found = explainer(BATCH)
        note = "the heatmaps lie on input 'large'; input= chooses another: 'small'"
        if found.images.shape == (2, 8, 8, 3):  # whichever tower ends last
            note = "the heatmaps lie on input 'small'; input= chooses another: 'large'"
        assert note in found.notes


def test_an_image_is_taken_before_a_signal():
    signal, image = keras.Input((9, 2), name="signal"), keras.Input((6, 6, 3), name="image")
    pooled = [
        L.GlobalAveragePooling1D()(L.Conv1D(2, 3, name="of_signal")(signal)),
        L.GlobalAveragePooling2D()(L.Conv2D(2, 3, name="of_image")(image)),
    ]
    model = keras.Model([signal, image], L.Dense(2)(L.Concatenate()(pooled)))
    batch = [draw(1, 9, 2), draw(1, 6, 6, 3)]
    for method in (Saliency, GradCAM):
        found = method(model)(batch)
        assert found.heatmaps.shape == (1, 6, 6) and "input 'image'" in " ".join(found.notes)
        assert method(model, input="signal")(batch).heatmaps.shape == (1, 9)


def test_layer_and_gradient_of_guided_grad_cam_are_of_one_input(towers):
    found = GuidedGradCAM(towers, "of_large")(BATCH)
    assert found.heatmaps.shape == (2, 12, 10)
    np.testing.assert_array_equal(found.maps, GuidedGradCAM(towers, input="large")(BATCH).maps)


def test_one_run_of_a_shared_layer_belongs_to_an_input():
    keras.utils.set_random_seed(1)
    shared = L.Conv2D(4, 3, activation="relu", name="shared")
    left, right = keras.Input((8, 8, 3), name="left"), keras.Input((8, 8, 3), name="right")
    joined = L.Concatenate(name="joined")([shared(left), shared(right)])
    model = keras.Model([left, right], L.Dense(2)(L.GlobalAveragePooling2D()(joined)))
    pair = [draw(2, 8, 8, 3), draw(2, 8, 8, 3)]
    for run, name in enumerate(("left", "right")):
        wanted = GradCAM(model, "shared", call_index=run)(pair, 1).maps
        for found in (GradCAM(model, input=name), GradCAM(model, "shared", input=name)):
            explanation = found(pair, 1)
            assert explanation.layer == "shared"
            np.testing.assert_array_equal(explanation.maps, wanted)
            np.testing.assert_array_equal(explanation.images, pair[run])
    # Without a word, the map of both together.
    together = GradCAM(model)(pair, 1)
    assert together.layer == "joined"
    assert any("depends on input 'right' too" in note for note in together.notes)


def test_of_fused_inputs_the_map_of_all_is_drawn_on_the_one_asked_for():
    rgb, depth = keras.Input((8, 8, 3), name="rgb"), keras.Input((8, 8, 1), name="depth")
    fused = L.Conv2D(4, 3, name="fused")(L.Concatenate(name="stacked")([rgb, depth]))
    model = keras.Model({"rgb": rgb, "depth": depth}, L.Dense(2)(L.GlobalMaxPooling2D()(fused)))
    batch = {"rgb": draw(1, 8, 8, 3), "depth": draw(1, 8, 8, 1)}
    found = GradCAM(model, input="depth")(batch)
    assert found.layer == "fused" and found.images.shape == (1, 8, 8, 1)
    assert found.notes[-1].startswith("layer fused depends on input 'rgb' too")
    wanted = np.abs(gradient_by(model, batch, "depth", 0)).max(-1)
    np.testing.assert_allclose(Saliency(model, input="depth")(batch, 0).maps, wanted, rtol=1e-5)


class Pair(keras.Model):
    """Two arguments, an image and a row."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.scores = L.Conv2D(3, 3, name="conv"), L.Dense(2)

    def call(self, image, meta):
        return self.scores(tf.concat([tf.reduce_mean(self.conv(image), (1, 2)), meta], -1))


class Listed(keras.Model):
    """Two images in a list."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = L.Conv2D(3, 3, name="first"), L.Conv2D(3, 3, name="second")
        self.scores = L.Dense(2)

    def call(self, pair):
        pooled = [
            tf.reduce_mean(conv(image), (1, 2))
            for conv, image in zip((self.first, self.second), pair, strict=True)
        ]
        return self.scores(tf.concat(pooled, -1))


def test_inputs_of_subclassed_models():
    pair, batch = Pair(), [draw(2, 6, 6, 3), draw(2, 4)]
    pair(*batch)
    assert Saliency(pair, input="image")(batch).heatmaps.shape == (2, 6, 6)
    with pytest.raises(ValueError, match=r"of 'image' \(0\), 'meta' \(1\), not 'picture'"):
        Saliency(pair, input="picture")
    listed, images = Listed(), [draw(2, 6, 6, 3), draw(2, 7, 7, 3)]
    listed(images)
    for place, layer in enumerate(("first", "second")):
        found = GradCAM(listed, input=place)(images)
        assert found.layer == layer and found.heatmaps.shape == images[place].shape[:3]
    late = GradCAM(listed, input=2)  # how many there are is known at the call
    with pytest.raises(ValueError, match=r"of 'input 0' \(0\), 'input 1' \(1\), not 2"):
        late(images)


def test_nested_inputs_are_taken_as_the_model_takes_them():
    keras.utils.set_random_seed(2)
    one, two = keras.Input((6, 6, 1), name="one"), keras.Input((6, 6, 1), name="two")
    row = keras.Input((2,), name="row")
    pooled = [L.GlobalAveragePooling2D()(L.Conv2D(2, 3)(each)) for each in (one, two)]
    structure = {"pictures": [one, two], "row": row}
    model = keras.Model(structure, L.Dense(2)(L.Concatenate()([*pooled, row])))
    pictures, numbers = [draw(3, 6, 6, 1), draw(3, 6, 6, 1)], draw(3, 2)
    explain = Saliency(model, input="two")
    nested = explain({"pictures": pictures, "row": numbers})
    np.testing.assert_array_equal(nested.images, pictures[1])
    by_name = explain({"one": pictures[0], "two": pictures[1], "row": numbers})
    np.testing.assert_array_equal(nested.maps, by_name.maps)
    np.testing.assert_allclose(
        nested.scores, model({"pictures": pictures, "row": numbers}).numpy().max(-1), rtol=1e-5
    )
    with pytest.raises(ValueError, match=r"must be nested .*images\['pictures'\]\[1\]"):
        explain({"pictures": pictures[:1], "row": numbers})


def test_a_nest_has_its_leaves_where_the_model_has_them():
    specs = [InputSpec(name, (), "float32", path) for name, path in
             (("a", (0, 0)), ("b", (0, 1)), ("c", (1,)))]  # fmt: skip
    a, b, c = np.ones(2), np.full(2, 2), np.full(2, 3)
    for given in ([[a, b], c], ((a, b), c), [a, b, c], {"a": a, "b": b, "c": c}):
        assert [array[0] for array in conform(given, specs)] == [1, 2, 3]
    with pytest.raises(ValueError, match=r"images\[0\]\[1\], images\[1\]; received"):
        conform([[a, b], c, c, c], specs)


# -------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("method", [GradCAM, Saliency, GuidedGradCAM])
@pytest.mark.parametrize(
    ("chosen", "error", "message"),
    [
        ("medium", ValueError, r"of 'large' \(0\), 'row' \(1\), 'small' \(2\), not 'medium'"),
        (3, ValueError, "not 3"),
        (-1, ValueError, "not -1"),
        (True, TypeError, "one name or index, not True"),
    ],
    ids=str,
)
def test_an_input_that_there_is_not(towers, method, chosen, error, message):
    with pytest.raises(error, match=message):
        method(towers, input=chosen)


@pytest.mark.parametrize("method", [GradCAM, Saliency])
def test_numbers_have_no_map(towers, method):
    with pytest.raises(
        ValueError, match=r"input='row' .* no grid .* with a grid: 'large', 'small'"
    ):
        method(towers, input="row")(BATCH)


def test_a_layer_of_another_input(towers):
    with pytest.raises(ValueError, match="'of_small' does not suit input='large': it does not dep"):
        GradCAM(towers, "of_small", input="large")(BATCH)
    with pytest.raises(ValueError, match="'of_large' does not depend on the input that the map"):
        GradCAM(towers, ["of_small", "of_large"])(BATCH)


def test_whole_numbers_have_no_gradient():
    image, codes = keras.Input((6, 6, 3), name="image"), keras.Input((6, 6, 1), dtype="int32")
    summed = L.GlobalAveragePooling2D()(L.Conv2D(2, 3)(image))
    own = L.Lambda(lambda each: tf.reduce_mean(tf.cast(each, tf.float32), (1, 2)))(codes)
    model = keras.Model([image, codes], L.Dense(2)(L.Concatenate()([summed, own])))
    with pytest.raises(ValueError, match="the one to explain is number 1.*floating input"):
        Saliency(model, input=1)([draw(1, 6, 6, 3), np.ones((1, 6, 6, 1), np.int32)])


def test_names_and_places_are_one():
    with pytest.raises(TypeError, match="make an explainer for each"):
        place_of(["a", "b"], [])
    specs = [InputSpec(name, (2,), None) for name in ("a", "b")]
    assert place_of("b", specs) == place_of(1, specs) == place_of(np.int64(1), specs) == 1
