"""A model with other weights: what is computed is that of a model that has them, and it stays."""

import os
import signal

import keras
import numpy as np
import pytest
from keras import layers as L

import kerascam
from kerascam import GradCAM, GuidedBackprop, Saliency, evaluate
from kerascam.evaluating.shown import Shown
from kerascam.evaluating.subjects import Explained
from kerascam.explain.randomized import Randomized

IMAGES = np.random.default_rng(0).random((3, 12, 12, 3)).astype("float32")
CLASSES = np.array([0, 1, 2])
SHOWN = Shown(IMAGES, IMAGES)


def plain():
    return keras.Sequential(
        [
            keras.Input((12, 12, 3)),
            L.Conv2D(5, 3, padding="same", activation="relu"),
            L.BatchNormalization(),
            L.Conv2D(6, 3, padding="same", activation="relu", name="last"),
            L.GlobalAveragePooling2D(),
            L.Dense(3, activation="softmax"),
        ]
    )


def nested():
    backbone = keras.Sequential(plain().layers[:3], name="backbone")
    backbone.trainable = False
    inputs = keras.Input((12, 12, 3))
    return keras.Model(inputs, L.Dense(3)(L.GlobalAveragePooling2D()(backbone(inputs))))


class Own(keras.Model):
    """A subclassed one."""

    def __init__(self):
        super().__init__()
        self.first = L.Conv2D(4, 3, padding="same", activation="relu")
        self.head = L.Dense(3)

    def call(self, images):
        return self.head(keras.ops.mean(self.first(images), (1, 2)))


def seeded(model):
    model(IMAGES)
    rng = np.random.default_rng(1)
    drawn = [rng.normal(size=variable.shape) for variable in model.weights]
    named = zip(model.weights, drawn, strict=True)
    model.set_weights([abs(each) if "var" in variable.name else each for variable, each in named])
    return model


@pytest.mark.parametrize(("build", "count"), [(plain, 4), (nested, 4), (Own, 2)])
def test_it_is_the_map_of_a_model_that_has_these_weights(build, count):
    model = seeded(build())
    explainer = Explained(GradCAM(model, normalize="minmax"), "")
    other = Randomized(explainer.explainer)
    before = [variable.numpy().copy() for variable in model.weights]
    assert len(other.groups) == count
    own = explainer.heatmaps(SHOWN, CLASSES)
    np.testing.assert_allclose(other.heatmaps(IMAGES, CLASSES, (), 0), own, atol=1e-5)
    found = other.heatmaps(IMAGES, CLASSES, range(count), 3)
    after = [variable.numpy() for variable in model.weights]
    for one, two in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, two)
    variables = [variable for group in other.groups for variable in group]
    for number, variable in enumerate(variables):  # now in truth
        values = variable.numpy()
        order = np.random.default_rng([3, number]).permutation(values.reshape(-1))
        variable.assign(order.reshape(values.shape))
    np.testing.assert_allclose(found, explainer.heatmaps(SHOWN, CLASSES), atol=1e-5)
    assert not np.allclose(found, own, atol=0.05)
    assert len(other._kept) == 1  # one graph for all weights


def test_ctrl_c_leaves_the_model_as_it_was(monkeypatch):
    model = seeded(plain())
    before = [variable.numpy().copy() for variable in model.weights]
    calls = []

    def stopping(*tensors):
        calls.append(tensors)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return kerascam.model.run(*tensors)

    monkeypatch.setattr("kerascam.explain.randomized.run", stopping)
    with pytest.raises(KeyboardInterrupt):
        evaluate(GradCAM(model), IMAGES, CLASSES, metrics=["mprt_cascading"])
    for one, variable in zip(before, model.weights, strict=True):
        np.testing.assert_array_equal(one, variable.numpy())


def shared():
    """One convolution that runs twice."""
    inputs = keras.Input((12, 12, 3))
    twice = L.Conv2D(3, 3, padding="same", activation="relu", name="last")
    return keras.Model(
        inputs, L.Dense(3, "softmax")(L.GlobalAveragePooling2D()(twice(twice(inputs))))
    )


def half():
    with_policy = keras.dtype_policies.DTypePolicy("mixed_float16")
    return keras.Sequential([
        keras.Input((12, 12, 3)), L.Conv2D(4, 3, activation="relu", dtype=with_policy),
        L.BatchNormalization(dtype=with_policy), L.Dropout(0.5), L.GlobalAveragePooling2D(),
        L.Dense(3, "softmax", dtype="float32"),
    ])  # fmt: skip


def trained():
    """With an optimizer's state, a counter of its steps, metrics and random numbers."""
    model = half()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(IMAGES, CLASSES, epochs=2, verbose=0)
    return model


def state_of(model):
    """Every variable that Keras knows of, in order, bit for bit."""
    optimizer = getattr(model, "optimizer", None)
    others = [] if optimizer is None else list(optimizer.variables)
    return [each.numpy().tobytes() for each in (*model.variables, *others)]


@pytest.mark.parametrize("build", [shared, trained])
def test_sanity_checks_leave_every_variable_as_it_is(build):
    model = build()
    model(IMAGES)
    before = state_of(model)
    metrics = {"mprt_cascading": {"stages": 2}, "efficient_mprt": {}, "random_logit": {}}
    found = evaluate(Saliency(model), IMAGES, CLASSES, metrics=metrics)
    assert state_of(model) == before and np.isfinite(found.figures[0]).all()


@pytest.fixture
def listening():
    """Ctrl-C is heard, also in a process that a shell started in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("listening")
@pytest.mark.parametrize(
    ("build", "where"), [(nested, "probe"), (Own, "run"), (trained, "results")]
)
def test_a_real_signal_anywhere_leaves_the_model_as_it_was(build, where, monkeypatch):
    """SIGINT in the middle of the trace, before a run, and while the method is traced."""
    model = build()
    model(IMAGES)
    before = state_of(model)
    own = getattr(kerascam.explain.randomized, where)

    def stopping(*arguments, **options):
        os.kill(os.getpid(), signal.SIGINT)
        return own(*arguments, **options)

    monkeypatch.setattr(f"kerascam.explain.randomized.{where}", stopping)
    metrics = {"mprt_cascading": {"stages": 2}}
    with pytest.raises(KeyboardInterrupt):
        evaluate(Saliency(model), IMAGES, CLASSES, metrics=metrics)
    assert state_of(model) == before
    monkeypatch.undo()
    found = evaluate(Saliency(model), IMAGES, CLASSES, metrics=metrics)
    assert state_of(model) == before and np.isfinite(found.figures[0]).all()


def test_what_knows_no_weights_fails_and_gradients_pass():
    """Guided backprop draws edges, whatever was learnt; an edge detector has no weights at all."""
    model = seeded(plain())
    found = evaluate(
        [Saliency(model), GradCAM(model), GuidedBackprop(model)],
        IMAGES,
        CLASSES,
        metrics=["mprt_cascading", "mprt_independent", "efficient_mprt", "random_logit"],
    )
    np.testing.assert_allclose(found.of("edges", "mprt_cascading"), 1, atol=1e-9)
    np.testing.assert_allclose(found.of("edges", "efficient_mprt"), 0, atol=1e-9)
    assert found.mean("saliency", "mprt_cascading").value < 0.7
    assert (found.of("random", "random_logit") > 1 - 1e-9).all()
    assert found.mean("grad_cam", "random_logit").value < 0.6


@pytest.mark.usefixtures("unchecked")
def test_models_that_cannot_be_randomized_or_have_one_class():
    still = keras.Sequential([keras.Input((12, 12, 3)), L.GlobalAveragePooling2D()])
    with pytest.raises(ValueError, match="has no weights that could be randomized"):
        evaluate(Saliency(still), IMAGES, metrics=["mprt_cascading"])
    one = keras.Sequential([keras.Input((12, 12, 3)), L.GlobalAveragePooling2D(), L.Dense(1)])
    with pytest.raises(ValueError, match="has no second class to compare with"):
        evaluate(Saliency(one), IMAGES, metrics=["random_logit"])
