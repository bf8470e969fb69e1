"""The probe looks at a model without touching it, in one pass, once traced."""

import gc
import json
import threading
import weakref
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import zoo
from keras import layers
from proofs import pairs, rows, wide

from kerascam import (
    Explainer,
    GradCAM,
    GuidedGradCAM,
    HiResCAM,
    IntegratedGradients,
    Saliency,
    find_target_layer,
    suggest_layers,
)

METHODS = rows(
    ("grad_cam", "guided_grad_cam"),
    (
        "grad_cam",
        "hires_cam",
        "saliency",
        "integrated_gradients",
        "smooth_grad",
        "guided_backprop",
        "guided_grad_cam",
    ),
)


def close(found: Any, wanted: Any, tolerance: float = 1e-5) -> None:
    """Compare arrays; differences count as a fraction of the largest magnitude."""
    largest = np.abs(np.asarray(wanted)).max(initial=0)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerance * (largest or 1))


def operations(explainer: Explainer) -> Counter[str]:
    """Count by type the operations that an explainer's one graph needs for its results.

    TensorFlow drops the others before it runs the graph.
    """
    (program,) = explainer.programs._compiled.values()
    waiting = [tensor.op for tensor in program.run.graph.outputs]
    needed = {}
    while waiting:
        operation = waiting.pop()
        if operation.name not in needed:
            needed[operation.name] = operation.type
            waiting += [tensor.op for tensor in operation.inputs] + operation.control_inputs
    return Counter(needed.values())


class Counting(layers.Layer):
    """Counts how often it is traced."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.runs = 0

    def call(self, x: Any) -> Any:
        self.runs += not tf.executing_eagerly()  # the model itself is called to compare with
        return x


def counting() -> tuple[keras.Model, Counting, zoo.Specimen]:
    net, counted = zoo.Net(), Counting(name="counting")
    inputs = keras.Input((*zoo.SIZES[2], 3))
    features = counted(net.features(net.stem(inputs)))
    model = keras.Model(inputs, net.scores(net.pool(net.mix(features))))
    specimen = zoo.of_net(model, net)
    counted.runs = 0
    return model, counted, specimen


# ------------------------------------------------------------------------------------- one pass


def test_one_forward_pass_and_the_backward_pass_ends_at_the_layer() -> None:
    specimen = zoo.nested()
    explainer = GradCAM(specimen.model, specimen.layer)
    explainer(specimen.inputs)
    found = operations(explainer)
    assert found["Conv2D"] == 3  # stem, features and mix, each once
    assert found["Conv2DBackpropInput"] == 1  # mix alone lies behind the layer
    assert found["Conv2DBackpropFilter"] == 0


def test_nothing_is_differentiated_before_the_last_convolution() -> None:
    specimen = zoo.nested()
    explainer = GradCAM(specimen.model, "backbone/mix")
    explainer(specimen.inputs)
    assert operations(explainer)["Conv2DBackpropInput"] == 0


def test_two_methods_in_one_still_take_one_forward_pass() -> None:
    specimen = zoo.functional()
    explainer = GuidedGradCAM(specimen.model, "features")
    explainer(specimen.inputs)
    assert operations(explainer)["Conv2D"] == 3


@pytest.mark.parametrize("method", METHODS)
def test_one_trace_for_every_batch_size_and_class(method: str) -> None:
    model, counted, specimen = counting()
    explainer = Explainer(model, method)
    explainer(specimen.inputs)
    traced = counted.runs
    for batch, classes in ((1, 2), (3, [0, 1, 2]), (8, None), (2, [1, 1])):
        images = zoo.images(*zoo.SIZES[2], batch=batch)
        assert explainer(images, classes).heatmaps.shape == (batch, *zoo.SIZES[2])
    assert counted.runs == traced
    assert len(explainer.programs) == 1
    if "cam" in method and "guided" not in method:
        assert traced <= 2  # one to choose the layer, one to explain


def test_a_named_layer_takes_one_trace() -> None:
    model, counted, specimen = counting()
    explainer = GradCAM(model, "features")
    for _ in range(3):
        explainer(specimen.inputs)
    assert counted.runs == 1


@pytest.mark.parametrize("dtype", [np.uint8, np.float64, np.int32, np.float16])
def test_images_of_any_dtype_take_the_same_trace(dtype: Any) -> None:
    model, counted, specimen = counting()
    explainer = HiResCAM(model, "features")
    images = np.abs(specimen.inputs * 40).astype(dtype)
    wanted = explainer(images.astype(np.float32))
    close(explainer(images).maps, wanted.maps)
    assert counted.runs == 1


# -------------------------------------------------------------------------- the model is untouched


UNTOUCHED = ["sequential", "nested_twice", "subclassed", "subclassed_tf_function",
             "hidden_in_helper", "augmentation", "trained", "quantized_head"]  # fmt: skip


@pytest.mark.parametrize(
    "name", rows(("nested_twice", "hidden_in_helper", "quantized_head"), UNTOUCHED)
)
def test_the_model_is_left_as_it_was(name: str) -> None:
    specimen = zoo.KINDS[name]()
    with zoo.untouched(specimen.model):
        Explainer(specimen.model, "guided_backprop")(specimen.inputs)
        suggest_layers(specimen.model, specimen.inputs)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_leaves_the_model_as_it_was(method: str) -> None:
    specimen = zoo.trained()
    with zoo.untouched(specimen.model):
        Explainer(specimen.model, method)(specimen.inputs)


class Raising(layers.Layer):
    """Fails when it is told to."""

    fails = False

    def call(self, x: Any) -> Any:
        if self.fails:
            raise RuntimeError("the layer failed")
        return x


def _fails_in_target(outputs: Any, classes: Any) -> Any:
    raise RuntimeError("the target failed")


def test_the_model_is_left_as_it_was_by_an_exception_in_a_layer() -> None:
    net, raising = zoo.Net(), Raising(name="raising")
    inputs = keras.Input((*zoo.SIZES[2], 3))
    model = keras.Model(
        inputs, net.scores(net.pool(net.mix(raising(net.features(net.stem(inputs))))))
    )
    specimen = zoo.of_net(model, net)
    raising.fails = True
    explainer = HiResCAM(model, "features")
    with zoo.untouched(model):
        for look in (
            explainer,
            Explainer(model, "guided_backprop"),
            lambda x: find_target_layer(model),
        ):
            with pytest.raises(RuntimeError, match="the layer failed"):
                look(specimen.inputs)
    raising.fails = False
    wanted = zoo.reference(specimen)
    close(explainer(specimen.inputs).maps, (wanted.gradients * wanted.activations).sum(-1))


@pytest.mark.parametrize(
    "name",
    rows(("hidden_in_helper",), ("functional", "subclassed_tf_function", "hidden_in_helper")),
)
def test_the_model_is_left_as_it_was_by_an_exception_in_the_target(name: str) -> None:
    specimen = zoo.KINDS[name]()
    explainer = GradCAM(specimen.model, "features", target=_fails_in_target)
    with zoo.untouched(specimen.model), pytest.raises(RuntimeError, match="the target failed"):
        explainer(specimen.inputs)
    assert not tf.config.functions_run_eagerly()
    wanted = zoo.reference(specimen)
    found = HiResCAM(specimen.model, "features")(specimen.inputs)
    close(found.maps, (wanted.gradients * wanted.activations).sum(-1))


def test_the_users_own_call_is_kept_and_used() -> None:
    net = zoo.Net()
    model = zoo.functional_net(net)
    specimen = zoo.of_net(model, net, head=lambda x: 2 * net.head(x))
    original = net.features.call

    def doubled(x: Any) -> Any:
        return 2 * original(x)

    net.features.call = doubled
    with zoo.untouched(model):
        found = HiResCAM(model, "features")(specimen.inputs)
    assert vars(net.features)["call"] is doubled
    wanted = zoo.reference(specimen)
    close(found.scores, wanted.scores)
    close(found.maps, (wanted.gradients * wanted.activations).sum(-1))


def test_the_saved_file_and_the_configuration_stay_the_same(tmp_path: Path) -> None:
    specimen = zoo.trained()
    specimen.model.save_weights(tmp_path / "before.weights.h5")
    before = json.dumps(specimen.model.get_config(), default=str)
    Explainer(specimen.model, "guided_grad_cam")(specimen.inputs)
    specimen.model.save_weights(tmp_path / "after.weights.h5")
    assert json.dumps(specimen.model.get_config(), default=str) == before
    specimen.model.save(tmp_path / "explained.keras")
    loaded = keras.models.load_model(tmp_path / "explained.keras")
    np.testing.assert_array_equal(loaded(specimen.inputs), specimen.model(specimen.inputs))
    assert (tmp_path / "before.weights.h5").read_bytes() == (
        tmp_path / "after.weights.h5"
    ).read_bytes()


def test_training_goes_on_as_if_nothing_had_been_explained() -> None:
    losses = []
    for explains in (False, True):
        keras.utils.set_random_seed(3)
        specimen = zoo.trained()
        if explains:
            GradCAM(specimen.model)(specimen.inputs)
            Explainer(specimen.model, "guided_backprop")(specimen.inputs)
        history = specimen.model.fit(
            specimen.inputs, np.arange(3), epochs=2, verbose=0, shuffle=False
        )
        losses.append(history.history["loss"])
    assert losses[0] == losses[1]


# --------------------------------------------------------------------------------------- threads


def in_threads(*works: Callable[[], Any]) -> list[Any]:
    """Run all at once and give their results, or raise the first one's exception."""
    results: list[Any] = [None] * len(works)
    start = threading.Barrier(len(works))

    def run(place: int, work: Callable[[], Any]) -> None:
        start.wait()
        try:
            results[place] = work()
        except BaseException as error:
            results[place] = error

    threads = [threading.Thread(target=run, args=each) for each in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results


@pytest.mark.parametrize(
    "name", rows(("hidden_in_helper",), ("nested", "subclassed_tf_function", "hidden_in_helper"))
)
def test_threads_explain_one_model_at_once(name: str) -> None:
    specimen = zoo.KINDS[name]()
    layer = specimen.layer
    serial = [Explainer(specimen.model, method, layer)(specimen.inputs).maps
              for method in ("grad_cam", "hires_cam", "layer_cam")]  # fmt: skip
    chances = specimen.model.predict(specimen.inputs, verbose=0)
    several = [Explainer(specimen.model, method, layer)
               for method in ("grad_cam", "hires_cam", "layer_cam")]  # fmt: skip

    def predict() -> list[np.ndarray]:
        return [specimen.model.predict(specimen.inputs, verbose=0) for _ in range(5)]

    def run_eagerly() -> list[np.ndarray]:
        return [specimen.model(specimen.inputs, training=False).numpy() for _ in range(10)]

    with zoo.untouched(specimen.model):
        *explained, predicted, called = in_threads(
            *(lambda explainer=each: explainer(specimen.inputs).maps for each in several),
            predict,
            run_eagerly,
        )
    for found, wanted in zip(explained, serial, strict=True):
        close(found, wanted)
    for each in predicted + called:
        np.testing.assert_allclose(each, chances, atol=1e-6)


def test_threads_share_one_explainer() -> None:
    model, counted, specimen = counting()
    explainer = HiResCAM(model, "features")
    wanted = zoo.reference(specimen)
    for found in in_threads(*[lambda: explainer(specimen.inputs).maps] * 4):
        close(found, (wanted.gradients * wanted.activations).sum(-1))
    assert counted.runs == 1


# --------------------------------------------------------------------------------- weight updates


def _retrain(model: keras.Model) -> None:
    for weight in model.trainable_weights:
        weight.assign(weight * 1.5 + 0.1)


@pytest.mark.parametrize("method", METHODS)
def test_frozen_maps_equal_live_ones_and_do_not_change(method: str) -> None:
    specimen = zoo.batch_normalised()
    layer = {"layer": "features"} if "cam" in method else {}
    live = Explainer(specimen.model, method, **layer)
    frozen = Explainer(specimen.model, method, **layer, freeze=True)
    before, kept = live(specimen.inputs, 1), frozen(specimen.inputs, 1)
    close(kept.maps, before.maps)
    close(kept.heatmaps, before.heatmaps)
    close(kept.scores, before.scores)
    close(kept.probabilities, before.probabilities)

    _retrain(specimen.model)
    np.testing.assert_array_equal(frozen(specimen.inputs, 1).maps, kept.maps)
    after = live(specimen.inputs, 1)
    assert not np.allclose(after.scores, before.scores, rtol=1e-3)
    fresh = Explainer(specimen.model, method, **layer)(specimen.inputs, 1)
    close(after.maps, fresh.maps)


@pytest.mark.parametrize(
    "name",
    rows(("hidden_in_helper",), ("subclassed_tf_function", "hidden_in_helper", "sequential")),
)
def test_later_weights_are_seen(name: str) -> None:
    specimen = zoo.KINDS[name]()
    explainer = HiResCAM(specimen.model, "features")
    explainer(specimen.inputs)
    _retrain(specimen.model)
    wanted = zoo.reference(specimen)
    found = explainer(specimen.inputs)
    close(found.scores, wanted.scores)
    close(found.maps, (wanted.gradients * wanted.activations).sum(-1))


@pytest.mark.parametrize(
    "name",
    rows(
        ("subclassed_tf_function", "mixed_float16", "inputs_in_dict", "output_by_key"),
        ("nested", "subclassed_tf_function", "grouped", "mixed_float16", "transformer", "mixer",
         "three_dimensions", "inputs_in_dict", "output_by_key"),
    ),
)  # fmt: skip
def test_every_kind_can_be_frozen(name: str) -> None:
    specimen = zoo.KINDS[name]()
    explainer = HiResCAM(specimen.model, specimen.layer, freeze=True, **specimen.options)
    found, wanted = explainer(specimen.inputs), zoo.reference(specimen)
    close(found.scores, wanted.scores, specimen.tolerance)
    wanted_maps = (wanted.gradients * wanted.activations).sum(-1)
    close(found.maps, wanted_maps, specimen.tolerance)


# ---------------------------------------------------------------------------------------- memory


@pytest.mark.parametrize(
    ("method", "freeze"), pairs(("smooth_grad", "grad_cam", "guided_grad_cam"), (False, True))
)
def test_explainers_are_freed_before_the_model(method: str, freeze: bool) -> None:
    specimen = zoo.functional()
    explainer = Explainer(specimen.model, method, freeze=freeze)
    explainer(specimen.inputs)
    (program,) = explainer.programs._compiled.values()
    gone = [weakref.ref(explainer), weakref.ref(program)]
    del explainer, program
    gc.collect()
    assert [each() for each in gone] == [None, None]


@pytest.mark.parametrize(
    "name",
    rows(
        ("nested", "subclassed_tf_function"),
        ("sequential", "nested", "subclassed", "subclassed_tf_function"),
    ),
)
def test_explained_models_are_freed(name: str) -> None:
    specimen = zoo.KINDS[name]()
    GradCAM(specimen.model)(specimen.inputs)
    Saliency(specimen.model)(specimen.inputs)
    model, layer = weakref.ref(specimen.model), weakref.ref(specimen.model.get_layer("features")
        if name != "nested" else specimen.model)  # fmt: skip
    del specimen
    keras.backend.clear_session()
    gc.collect()
    assert model() is None
    assert layer() is None


# -------------------------------------------------------------------------------------- batches


@pytest.mark.parametrize(
    ("name", "method"),
    wide(
        [("sequential", "guided_grad_cam"), ("transformer", "grad_cam")],
        [
            (name, method)
            for name in ("sequential", "augmentation", "transformer", "segmentation")
            for method in ("grad_cam", "guided_grad_cam")
        ],
    ),
)
@pytest.mark.filterwarnings("ignore:.*kept their own backward step:UserWarning")
@pytest.mark.filterwarnings("ignore:.*found no ReLU:UserWarning")
def test_an_image_does_not_know_its_batch(name: str, method: str) -> None:
    specimen = zoo.KINDS[name]()
    layer = {"layer": specimen.layer} if "cam" in method else {}
    explainer = Explainer(specimen.model, method, **layer)
    together = explainer(specimen.inputs, [2, 0, 1])
    for place, own in enumerate([2, 0, 1]):
        alone = explainer(specimen.inputs[place : place + 1], own)
        close(alone.maps[0], together.maps[place], 1e-4)
        close(alone.heatmaps[0], together.heatmaps[place], 1e-4)
        close(alone.scores[0], together.scores[place], 1e-4)
    order = [2, 0, 1]
    moved = explainer(specimen.inputs[order], np.array([2, 0, 1])[order])
    close(moved.maps, together.maps[order], 1e-4)
    close(moved.scores, together.scores[order], 1e-4)


# ----------------------------------------------------------------------------- shifts of the logits


@pytest.mark.parametrize(
    "method",
    rows(
        ("grad_cam_plus_plus", "saliency"),
        ("grad_cam", "grad_cam_plus_plus", "layer_cam", "saliency"),
    ),
)
def test_a_constant_added_to_all_logits_changes_no_map(method: str) -> None:
    net = zoo.Net()
    specimen = zoo.of_net(zoo.functional_net(net), net)
    explainer = Explainer(specimen.model, method)
    before, bias = explainer(specimen.inputs, 1), net.scores.bias.numpy()
    for shift in (-200, 200):
        net.scores.bias.assign(bias + shift)
        after = explainer(specimen.inputs, 1)
        np.testing.assert_allclose(after.scores, before.scores + shift, atol=1e-3)
        close(after.maps, before.maps)
        close(after.heatmaps, before.heatmaps)


@pytest.mark.parametrize(
    ("activation", "name"), pairs(("softmax", "sigmoid"), ("hires_cam", "grad_cam_plus_plus"))
)
def test_saturated_probabilities_leave_the_map_alone(activation: str, name: str) -> None:
    net = zoo.Net(activation=activation)
    reading = zoo.SOFTMAX if activation == "softmax" else zoo.MULTI_LABEL
    specimen = zoo.of_net(zoo.functional_net(net), net, reading=reading)
    explainer = Explainer(specimen.model, name, "features")
    images = specimen.inputs
    plain = explainer(images, 1)
    net.scores.bias.assign([200.0, -200.0, 0.0])
    found = explainer(images, 1)
    np.testing.assert_allclose(found.probabilities, 0, atol=1e-30)
    assert (np.abs(found.maps).reshape(len(images), -1).max(-1) > 0).all()
    close(found.maps, plain.maps)
    wanted = zoo.reference(specimen, [1, 1, 1])
    close(found.scores, wanted.scores)


def test_completeness_of_integrated_gradients_holds_at_the_logit() -> None:
    net = zoo.Net(mixing=tf.tanh)
    specimen = zoo.of_net(zoo.functional_net(net), net)
    explainer = IntegratedGradients(specimen.model, steps=64, normalize="none")
    images = specimen.inputs
    found = explainer(images, 2)
    zero = HiResCAM(specimen.model)(np.zeros_like(images), 2)
    np.testing.assert_allclose(
        found.maps.sum((1, 2)), found.scores - zero.scores, rtol=0.05, atol=0.05
    )
