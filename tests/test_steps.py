"""One loop, two drivers: in the graph, and in steps from Python."""

import keras
import numpy as np
import pytest
from keras import layers as L
from keras import ops
from proofs import wide

from kerascam import GradCAM, IntegratedGradients, SmoothGrad, repeat
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

    with pytest.raises(KeyboardInterrupt):
        explainer(IMAGES, progress=stop)
    assert seen == [1, 2]
    np.testing.assert_array_equal(explainer(IMAGES).maps, wanted)  # and all is well


def test_a_method_without_a_loop_is_one_step(model):
    seen = []
    found = GradCAM(model)(IMAGES, 1, progress=lambda made, of: seen.append((made, of)))
    np.testing.assert_array_equal(found.maps, GradCAM(model)(IMAGES, 1).maps)
    assert seen == [(1, 1)]


def test_true_shows_a_bar(model, small, capsys):
    SmoothGrad(model, samples=7)(IMAGES, progress=True)
    assert "3/3" in capsys.readouterr().out


@pytest.mark.usefixtures("unchecked")
def test_what_is_no_progress(model):
    with pytest.raises(TypeError, match="progress must be True or a function of the steps made an"):
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
