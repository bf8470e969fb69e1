"""One loop, two drivers: in the graph, and in steps from Python."""

import signal

import keras
import numpy as np
import pytest
from keras import layers as L
from keras import ops
from proofs import wide

from kerascam import (
    SESS,
    AugmentedExplainer,
    GradCAM,
    GuidedIG,
    IntegratedGradients,
    NoiseTunnel,
    SmoothGrad,
    repeat,
)
from kerascam.explain import progress
from kerascam.repeat import mean_over

IMAGES = np.random.default_rng(0).normal(size=(2, 6, 6, 3)).astype("float32")


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [keras.Input((6, 6, 3)), L.Conv2D(4, 3, activation="relu"), L.Flatten(), L.Dense(3)]
    )


@pytest.fixture
def small(monkeypatch):
    """Let three copies of the batch share a pass."""
    monkeypatch.setattr(repeat, "AT_ONCE", 3 * 2 * 36)


@pytest.mark.parametrize(
    ("method", "options", "passes"),
    wide(
        [(SmoothGrad, {"samples": 7, "seed": 3}, 3)],
        [
            (SmoothGrad, {"samples": 7, "seed": 3}, 3),
            (SmoothGrad, {"samples": 1}, 1),
            (IntegratedGradients, {"steps": 6, "baseline": 0.5}, 2),
        ],
    ),
)
def test_steps_give_the_numbers_of_the_graph(model, small, method, options, passes):
    explainer = method(model, normalize="none", **options)
    wanted = explainer(IMAGES, [0, 2])
    seen = []
    found = explainer(IMAGES, [0, 2], progress=lambda made, of: seen.append((made, of)))
    np.testing.assert_array_equal(found.maps, wanted.maps)
    np.testing.assert_array_equal(found.scores, wanted.scores)
    assert seen == [(step, passes) for step in range(1, passes + 1)]


def test_an_interrupt_ends_it_between_two_steps(model, small):
    explainer = SmoothGrad(model, samples=9)
    wanted = explainer(IMAGES).maps
    seen = []

    def stop(made, of):
        seen.append(made)
        if made == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match="after 2 of 3 passes"):
        explainer(IMAGES, progress=stop)
    assert seen == [1, 2]
    np.testing.assert_array_equal(explainer(IMAGES).maps, wanted)  # and all is well


def test_an_interrupt_by_signal_ends_it_after_the_pass(model, small):
    default = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt, match="after . of 3 passes"):
            SmoothGrad(model, samples=9)(
                IMAGES, progress=lambda made, of: made == 2 and signal.raise_signal(signal.SIGINT)
            )
    finally:
        signal.signal(signal.SIGINT, default)


def test_a_method_without_a_loop_is_one_step(model):
    seen = []
    found = GradCAM(model)(IMAGES, 1, progress=lambda made, of: seen.append((made, of)))
    np.testing.assert_array_equal(found.maps, GradCAM(model)(IMAGES, 1).maps)
    assert seen == [(1, 1)]


@pytest.mark.parametrize(
    ("given", "watched", "patience", "shown"),
    [
        (True, False, 9e9, True),
        (None, True, 0, True),
        (None, True, 9e9, False),
        (None, False, 0, False),
        (False, True, 0, False),
    ],
)
def test_a_bar_is_shown(model, small, capsys, monkeypatch, given, watched, patience, shown):
    """By itself only to a person who waits; always if it is asked for."""
    monkeypatch.setattr(progress, "is_watched", lambda: watched)
    monkeypatch.setattr(progress, "PATIENCE", patience)
    SmoothGrad(model, samples=7)(IMAGES, progress=given)
    assert ("3/3" in capsys.readouterr().out) is shown


def test_what_stands_around_an_explainer_counts_its_calls(model):
    seen = []
    around = NoiseTunnel(GradCAM(model), samples=3)
    wanted = around(IMAGES).maps
    found = around(IMAGES, progress=lambda made, of: seen.append((made, of)))
    np.testing.assert_array_equal(found.maps, wanted)
    assert seen == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(("factors", "mirror"), [((0.9, 1.0), True), ((1.0, 1.0, 2.0), False)])
def test_views_are_counted(model, factors, mirror):
    seen = []
    AugmentedExplainer(GradCAM(model), factors=factors, mirror=mirror)(
        IMAGES, progress=lambda made, of: seen.append((made, of))
    )
    assert seen[-1][0] == seen[-1][1] == len(seen)


def test_windows_are_counted():
    keras.utils.set_random_seed(0)
    sure = keras.Sequential(
        [keras.Input((6, 6, 3)), L.Conv2D(4, 3), L.Flatten(), L.Dense(3, "softmax")]
    )
    seen = []
    SESS(GradCAM(sure), scales=3)(IMAGES, progress=lambda made, of: seen.append((made, of)))
    assert seen[-1][0] == seen[-1][1] == len(seen) > 2


def test_steps_that_depend_on_each_other_are_driven_too(model):
    """Guided IG's path: no pass may begin before the one before it has ended."""
    explainer = GuidedIG(model, steps=5, normalize="none")
    wanted = explainer(IMAGES, [0, 2])
    seen = []
    found = explainer(IMAGES, [0, 2], progress=lambda made, of: seen.append((made, of)))
    np.testing.assert_allclose(found.maps, wanted.maps, rtol=1e-5, atol=1e-7)
    assert seen == [(step, 5) for step in range(1, 6)]


@pytest.mark.usefixtures("unchecked")
def test_what_is_no_progress(model):
    with pytest.raises(TypeError, match="progress must be True, False, None or a func"):
        GradCAM(model)(IMAGES, progress="bar")


@pytest.mark.parametrize("count", [1, 2, 5, 11])
@pytest.mark.parametrize("at_once", [1, 72, 100, 10**9])
def test_the_mean_is_that_of_all_terms(monkeypatch, count, at_once):
    """Whatever the number of passes, each number is met once."""
    monkeypatch.setattr(repeat, "AT_ONCE", at_once)
    like = ops.zeros((2,))
    terms = 2.0 ** np.arange(count)

    def term(chosen):
        return ops.take(ops.array(terms[:, None] * [1.0, 3.0], "float32"), chosen, axis=0)

    found = mean_over(term, count, like, ops.array(IMAGES))
    np.testing.assert_allclose(found, terms.sum() / count * np.array([1, 3]), rtol=1e-6)
