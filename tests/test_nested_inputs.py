"""Inputs in nested dicts and lists, `mask` and `training`, of models that declare nothing."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from ask_in_session import Served, exported
from keras import layers

from kerascam import GradCAM, IntegratedGradients, Saliency, suggest_layers

RANDOM = np.random.default_rng(0)


def draw(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(np.float32)


def pooled(features: Any) -> Any:
    return tf.reduce_mean(features, (1, 2))


class Parts(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.first = layers.Conv2D(4, 3, activation="relu", name="first")
        self.second = layers.Conv2D(4, 3, activation="relu", name="second")
        self.scores = layers.Dense(3, name="scores")


class Scene(Parts):
    def call(self, inputs: Any) -> Any:
        left, right = inputs["views"]
        both = [pooled(self.first(left)), 2 * pooled(self.second(right)), inputs["meta"]["row"]]
        return self.scores(tf.concat(both, -1))


class Album(Parts):
    def call(self, inputs: Any, mask: Any = None, training: Any = False) -> Any:
        found = [pooled(self.first(page["image"])) * page["weight"] for page in inputs]
        return self.scores(tf.add_n(found) * (9.0 if training else 1.0))


class Report(Parts):
    def call(self, image: Any, meta: Any) -> Any:
        return self.scores(tf.concat([pooled(self.first(image)), meta["row"], *meta["more"]], -1))


class Masked(Parts):
    def call(self, image: Any, mask: Any, training: Any) -> Any:
        masked = pooled(self.first(image) * mask[..., None])
        return self.scores(masked * (9.0 if training else 1.0))


SCENE = {"views": [draw(2, 8, 8, 3), draw(2, 8, 8, 3)], "meta": {"row": draw(2, 4)}}
ALBUM = [{"image": draw(2, 8, 8, 3), "weight": draw(2, 1)} for _ in range(3)]
REPORT = (draw(2, 8, 8, 3), {"row": draw(2, 4), "more": [draw(2, 1)]})
MASKED = (draw(2, 8, 8, 3), np.float32(RANDOM.random((2, 6, 6)) > 0.5))


def built(kind: type[keras.Model], inputs: Any, run: Callable[..., Any]) -> keras.Model:
    keras.utils.set_random_seed(0)
    model = kind()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras advises a `build`
        run(model, inputs)
    return model


def whole(model: keras.Model, inputs: Any) -> Any:
    return model(inputs, training=False)


def one_by_one(model: keras.Model, inputs: Any) -> Any:
    return model(*inputs, training=False)


def gradient(model: keras.Model, inputs: Any, run: Callable[..., Any], pick: Any) -> np.ndarray:
    tensors = tf.nest.map_structure(tf.constant, inputs)
    with tf.GradientTape() as tape:
        tape.watch(pick(tensors))
        scores = run(model, tensors)[:, 1]
    return np.abs(tape.gradient(scores, pick(tensors))).max(-1)


@pytest.mark.parametrize(
    ("kind", "inputs", "run", "chosen", "pick"),
    [
        (Scene, SCENE, whole, None, lambda x: x["views"][0]),
        (Scene, SCENE, whole, "views/1", lambda x: x["views"][1]),
        (Scene, SCENE, whole, 1, lambda x: x["views"][1]),
        (Album, ALBUM, whole, "2/image", lambda x: x[2]["image"]),
        (Report, REPORT, one_by_one, None, lambda x: x[0]),
        (Report, REPORT, one_by_one, "image", lambda x: x[0]),
        (Masked, MASKED, one_by_one, None, lambda x: x[0]),
    ],
)
def test_a_gradient_is_that_of_the_model_called_as_it_is(kind, inputs, run, chosen, pick):
    model = built(kind, inputs, run)
    found = Saliency(model, input=chosen, normalize="none")(inputs, 1)
    np.testing.assert_allclose(found.maps, gradient(model, inputs, run, pick), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(found.scores, run(model, inputs)[:, 1], rtol=1e-5)
    np.testing.assert_array_equal(found.images, pick(inputs))


def test_maps_lie_on_the_input_that_the_layer_looks_at():
    model = built(Scene, SCENE, whole)
    assert [each.path for each in suggest_layers(model, SCENE)] == ["first", "second"]
    for layer, place in (("first", 0), ("second", 1)):
        found = GradCAM(model, layer, normalize="none")(SCENE, 1)
        np.testing.assert_array_equal(found.images, SCENE["views"][place])
        features = model.get_layer(layer)(SCENE["views"][place])
        own = model.scores.kernel[4 * place : 4 * place + 4, 1] * (place + 1) / 36
        wanted = np.maximum(np.tensordot(features, own, 1), 0)
        np.testing.assert_allclose(found.maps, wanted, rtol=1e-4, atol=1e-7)


def test_a_shared_layer_looks_at_the_part_that_is_asked_for():
    model = built(Album, ALBUM, whole)
    for page in range(3):
        found = GradCAM(model, "first", input=f"{page}/image")(ALBUM, 1)
        by_run = GradCAM(model, "first", call_index=page)(ALBUM, 1)
        np.testing.assert_array_equal(found.images, ALBUM[page]["image"])
        np.testing.assert_array_equal(found.maps, by_run.maps)


def test_arguments_may_be_given_by_name_and_keys_in_any_order():
    model = built(Report, REPORT, one_by_one)
    wanted = Saliency(model)(REPORT, 1).maps
    image, meta = REPORT
    turned = {"meta": {"more": meta["more"], "row": meta["row"]}, "image": image}
    np.testing.assert_array_equal(Saliency(model)(turned, 1).maps, wanted)


def test_integrated_gradients_sum_to_the_difference():
    model = built(Scene, SCENE, whole)
    found = IntegratedGradients(model, input="views/1", steps=64)(SCENE, 1)
    without = {**SCENE, "views": [SCENE["views"][0], 0 * SCENE["views"][1]]}
    wanted = whole(model, SCENE)[:, 1] - whole(model, without)[:, 1]
    np.testing.assert_allclose(found.maps.sum((1, 2)), wanted, rtol=0.05, atol=0.005)


def test_an_export_takes_them_side_by_side(tmp_path: Path):
    model = built(Scene, SCENE, whole)
    explain = Saliency(model, input="views/1")
    served = Served(exported(explain, tmp_path / "scene", example=SCENE, warm_up=False))
    left, right = SCENE["views"]
    answer = served(
        "explain", views_0=left, views_1=right, meta_row=SCENE["meta"]["row"],
        class_index=np.array([1, 2], np.int32),
    )  # fmt: skip
    np.testing.assert_allclose(answer["heatmap"], explain(SCENE, [1, 2]).heatmaps, atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "built_with", "run", "given", "message"),
    [
        (Scene, SCENE, whole, {**SCENE, "views": SCENE["views"][:1]},
         r"nested as the model takes them, images\['views'\]\[0\], images\['views'\]\[1\], "
         r"images\['meta'\]\['row'\]; received .*'views': \[\(2, 8, 8, 3\)\]"),
        (Scene, SCENE, whole, {"views": [SCENE["views"][0], SCENE["views"][1][:1]],
                               "meta": SCENE["meta"]}, "views/0: 2, views/1: 1, meta/row: 2"),
        (Album, ALBUM, whole, ALBUM[:2], r"nested as the model takes them, images\[0\]"),
        (Report, REPORT, one_by_one, (REPORT[0], {**REPORT[1], "more": []}),
         r"nested as the model takes them, images\[0\], images\[1\]\['row'\]; received"),
        (Masked, MASKED, one_by_one, MASKED[0], r"2 inputs \(image, mask\) for this model"),
    ],
)  # fmt: skip
def test_other_nests_are_refused_by_name(kind, built_with, run, given, message):
    with pytest.raises(ValueError, match=message):
        GradCAM(built(kind, built_with, run), "first", call_index=0)(given, 1)


def test_a_part_without_a_grid_or_of_no_such_name_is_refused():
    model = built(Scene, SCENE, whole)
    with pytest.raises(ValueError, match="inputs with a grid: 'views/0', 'views/1'"):
        Saliency(model, input="meta/row")(SCENE)
    with pytest.raises(ValueError, match=r"'views/0' \(0\), 'views/1' \(1\), 'meta/row' \(2\)"):
        Saliency(model, input="views")(SCENE)
