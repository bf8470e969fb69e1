"""An interrupt comes out as one, whatever it stops, and leaves model and library in order."""

import signal
import threading

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from proofs import rows

from kerascam import (
    ExplainCallback,
    GradCAM,
    HiResCAM,
    IntegratedGradients,
    Saliency,
    find_target_layer,
    suggest_layers,
)
from kerascam.exporting import export
from kerascam.model.interrupts import held_back
from tests import zoo


@pytest.fixture(autouse=True)
def default_handler():
    """Interrupts are taken, also in a run that was started with them ignored, as by nohup."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


IMAGES = np.random.default_rng(0).random((2, 8, 8, 3)).astype(np.float32)


class Stopping(layers.Layer):
    """Does what `stop` does, in its call; nothing unless told."""

    stop = staticmethod(lambda: None)

    def call(self, x):
        self.stop()
        return x + 0.0


class StoppingFunction(Stopping):
    @tf.function
    def call(self, x):
        self.stop()
        return x + 0.0


class StoppingBranch(Stopping):
    def call(self, x):
        def branch():
            self.stop()
            return x + 0.0

        return tf.cond(tf.reduce_sum(x) > 0, branch, lambda: x)


class StoppingBackwards(Stopping):
    def call(self, x):
        def backwards(gradient):
            self.stop()
            return gradient

        return tf.custom_gradient(lambda x: (x + 0.0, backwards))(x)


class StoppingAtRun(Stopping):
    def call(self, x):
        def run(values):
            self.stop()
            return values

        y = tf.numpy_function(run, [x], tf.float32)
        y.set_shape(x.shape)
        return x + tf.stop_gradient(y)


def with_layer(kind=Stopping):
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, activation="relu", name="conv")(inputs)
    x = kind(name="stopping")(x)
    scores = layers.Dense(3, "softmax")(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, scores)


def stopped_by(error):
    def stop():
        raise error

    return stop


def calls(model, folder):
    watch = ExplainCallback(IMAGES, GradCAM(model), folder=folder / "sheets")
    watch.set_model(model)
    return {
        "Grad-CAM": lambda: GradCAM(model)(IMAGES),
        "a named layer": lambda: HiResCAM(model, "conv")(IMAGES),
        "frozen": lambda: GradCAM(model, freeze=True)(IMAGES),
        "Saliency": lambda: Saliency(model)(IMAGES),
        "several passes": lambda: IntegratedGradients(model, steps=2)(IMAGES),
        "suggest_layers": lambda: suggest_layers(model),
        "find_target_layer": lambda: find_target_layer(model),
        "export": lambda: export(GradCAM(model), folder / "served", warm_up=False),
        "callback": watch.on_train_begin,
    }


CALLS = ["Grad-CAM", "a named layer", "frozen", "Saliency", "several passes", "suggest_layers",
         "find_target_layer", "export", "callback"]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("Grad-CAM", SystemExit),
        *(
            (name, KeyboardInterrupt)
            for name in rows(("frozen", "several passes", "suggest_layers", "callback"), CALLS)
        ),
    ],
)
def test_an_interrupt_in_a_trace_stays_one(tmp_path, monkeypatch, name, error):
    model = with_layer()
    call = calls(model, tmp_path)[name]
    before = {layer.name: dict(vars(layer)) for layer in model.layers}
    monkeypatch.setattr(Stopping, "stop", staticmethod(stopped_by(error)))
    with pytest.raises(error):
        call()
    assert {layer.name: dict(vars(layer)) for layer in model.layers} == before
    monkeypatch.undo()
    call()


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (StoppingFunction, KeyboardInterrupt),
        (StoppingBranch, KeyboardInterrupt),
        (StoppingBackwards, KeyboardInterrupt),
        (StoppingAtRun, KeyboardInterrupt),
        (StoppingAtRun, SystemExit),
    ],
)
def test_wherever_in_the_graph(monkeypatch, kind, error):
    explainer = HiResCAM(with_layer(kind), "conv")
    monkeypatch.setattr(Stopping, "stop", staticmethod(stopped_by(error)))
    with pytest.raises(error):
        explainer(IMAGES)
    monkeypatch.undo()
    assert explainer(IMAGES).statuses == ("ok", "ok")


def test_another_failure_of_a_run_stays_what_it_is(monkeypatch):
    explainer = HiResCAM(with_layer(StoppingAtRun), "conv")
    monkeypatch.setattr(Stopping, "stop", staticmethod(stopped_by(RuntimeError("no luck"))))
    with pytest.raises(tf.errors.UnknownError, match="no luck"):
        explainer(IMAGES)


def test_an_interrupt_in_a_target_stays_one():
    def target(outputs, classes):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        GradCAM(with_layer(), target=target)(IMAGES)


@pytest.mark.parametrize("name", ["Grad-CAM", "suggest_layers"])
def test_a_signal_waits_until_the_trace_is_done(tmp_path, monkeypatch, name):
    model = with_layer()
    call = calls(model, tmp_path)[name]
    seen = []

    def stop():
        if not seen:
            signal.raise_signal(signal.SIGINT)
        seen.append(True)

    monkeypatch.setattr(Stopping, "stop", staticmethod(stop))
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        call()
    assert seen  # the layer went on
    assert signal.getsignal(signal.SIGINT) is handler
    call()


def test_a_second_signal_comes_at_once():
    reached = False
    with pytest.raises(KeyboardInterrupt), held_back():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        reached = True
    assert not reached
    with held_back():  # nothing is left over
        pass


def test_an_error_that_meets_an_interrupt_is_behind_it():
    with pytest.raises(KeyboardInterrupt) as raised, held_back():
        signal.raise_signal(signal.SIGINT)
        raise ValueError("first")
    assert isinstance(raised.value.__context__, ValueError)


def test_the_users_own_handler_is_asked():
    heard = []
    before = signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
    try:
        with held_back(), held_back():
            signal.raise_signal(signal.SIGINT)
            assert heard == []
        assert heard == [signal.SIGINT]
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_process_that_ignores_interrupts_goes_on_ignoring_them():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with held_back():
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_threads_need_no_handler():
    specimen, found = zoo.functional(), []
    thread = threading.Thread(target=lambda: found.append(GradCAM(specimen.model)(specimen.inputs)))
    thread.start()
    thread.join()
    assert len(found) == 1
