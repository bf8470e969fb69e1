"""Metrics beside Quantus's where both define the same figure; where Quantus is installed.

Not compared, as the two compute different things: effective complexity (Quantus counts the values
above a threshold), infidelity, μ-fidelity, sensitivity-n and max-sensitivity (each draws its own
samples), IROF (superpixels), and the efficient randomisation test (histograms with other bounds).
"""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from kerascam import GradientTimesInput, Saliency, metrics
from kerascam.interop import quantus_explain_func
from kerascam.metrics.filling import filled

quantus = pytest.importorskip("quantus")
perturb_func = pytest.importorskip("quantus.functions.perturb_func")
similarity = pytest.importorskip("quantus.functions.similarity_func")

SIDE, COUNT = 10, 6
RNG = np.random.default_rng(0)
IMAGES = RNG.random((COUNT, SIDE, SIDE, 1)).astype("float32")
MAPS = RNG.permuted(np.linspace(0.01, 1, COUNT * SIDE**2)).reshape(COUNT, SIDE, SIDE)
MASKS = RNG.random((COUNT, SIDE, SIDE)) > 0.6
CLASSES = np.array([0, 1, 1, 0, 1, 0])
QUIET = {"disable_warnings": True, "normalise": False}


@pytest.fixture(scope="module")
def model() -> keras.Model:
    keras.utils.set_random_seed(0)
    made = keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 1)),
            layers.Conv2D(4, 3, activation="relu", kernel_initializer="glorot_normal"),
            layers.Conv2D(4, 3, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2, activation="softmax"),
        ]
    )
    made.layers[-1].set_weights([8 * each for each in made.layers[-1].get_weights()])
    return made


def ask(model: keras.Model) -> Any:
    """Copies of the images to probabilities of their classes."""

    def probability(copies: np.ndarray) -> np.ndarray:
        flat = np.asarray(model(copies.reshape(-1, SIDE, SIDE, 1), training=False))
        return flat.reshape(*copies.shape[:2], 2)[:, np.arange(COUNT), CLASSES]

    return probability


def measured(metric: Any, model: Any = None, **given: Any) -> np.ndarray:
    """One figure of Quantus's per image, or what it returns in place of that."""
    given = {"a_batch": MAPS[:, None].copy(), "s_batch": MASKS[:, None].copy(), **given}
    return metric(model=model, x_batch=IMAGES.copy(), y_batch=CLASSES, channel_first=False, **given)


@pytest.mark.parametrize(
    ("name", "other"),
    [("sparseness", "Sparseness"), ("entropy", "Complexity")],
)
def test_metrics_of_the_map_alone(name: str, other: str) -> None:
    found = measured(getattr(quantus, other)(**QUIET))
    np.testing.assert_allclose(getattr(metrics, name)(MAPS), found, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("pointing_game", "PointingGame"),
        ("mass_in_mask", "RelevanceMassAccuracy"),
        ("rank_accuracy", "RelevanceRankAccuracy"),
        ("auc", "AUC"),
    ],
)
def test_metrics_of_masks(name: str, other: str) -> None:
    found = measured(getattr(quantus, other)(**QUIET))
    np.testing.assert_allclose(
        getattr(metrics, name)(MAPS, MASKS), np.asarray(found, float), rtol=1e-6
    )


def test_pixel_flipping_and_deletion(model: keras.Model) -> None:
    one_by_one = quantus.PixelFlipping(perturb_baseline=0.25, features_in_step=1, **QUIET)
    curves = np.array(measured(one_by_one, model, softmax=True))
    assert curves.shape == (COUNT, SIDE**2)  # Quantus leaves out the image itself
    whole = np.concatenate([ask(model)(IMAGES[None])[0][:, None], curves], 1)
    options = {"steps": SIDE**2, "baseline": 0.25}
    found = metrics.deletion(ask(model), IMAGES, MAPS, **options)
    np.testing.assert_allclose(found, ((whole[:, 1:] + whole[:, :-1]) / 2).mean(1), rtol=1e-5)
    found = metrics.pixel_flipping(ask(model), IMAGES, MAPS, **options)
    np.testing.assert_allclose(found, (whole[:, :1] - whole).mean(1), rtol=1e-4)


def test_road_of_one_batch(model: keras.Model) -> None:
    percentages = [10, 30, 50, 70]
    road = quantus.ROAD(
        percentages=percentages, noise=0.0, perturb_func_kwargs={"noise": 0.0}, **QUIET
    )
    found = measured(road, model)

    def hit(copies: np.ndarray) -> np.ndarray:
        return (ask(model)(copies) > 0.5).astype(float)

    own = metrics.road_most_first(hit, IMAGES, MAPS, percentages=percentages, noise=0)
    assert 0.2 < own.mean() < 1
    np.testing.assert_allclose(own.mean(), np.mean([found[each] for each in percentages]))


def test_pixels_are_filled_in_as_by_the_authors_system() -> None:
    hidden = np.flatnonzero(MAPS[0].ravel() > 0.4)
    theirs = perturb_func.noisy_linear_imputation(IMAGES[0].transpose(2, 0, 1), hidden, noise=0.0)
    known = (MAPS[0] <= 0.4)[..., None]
    found = filled(IMAGES[0], known, tolerance=1e-9)
    np.testing.assert_allclose(found[..., 0], theirs[0], atol=1e-6)


def random_models(model: keras.Model) -> Iterator[keras.Model]:
    from quantus.helpers.model.tf_model import TensorFlowModel

    yield from (
        each for _, each in TensorFlowModel(model).get_random_layer_generator("independent")
    )


def test_independent_randomisation_layer_by_layer(model: keras.Model) -> None:
    explain = quantus_explain_func(GradientTimesInput, normalize="none")
    test = quantus.MPRT(
        similarity_func=similarity.correlation_spearman,
        layer_order="independent",
        abs=False,
        **QUIET,
    )
    own = explain(model, inputs=IMAGES, targets=CLASSES)
    found = measured(test, model, a_batch=own, explain_func=explain)
    assert list(found) == ["original", *(each.name for each in model.layers if each.weights)]
    maps = [explain(each, inputs=IMAGES, targets=CLASSES)[:, 0] for each in random_models(model)]
    mine = metrics.mprt_independent(
        lambda images, chosen, seed: maps[chosen[0]], 3, IMAGES, own[:, 0], stages=3
    )
    per_layer = [values for name, values in found.items() if name != "original"]
    np.testing.assert_allclose(mine, np.mean(per_layer, 0), atol=1e-6)


def test_random_logit_of_two_classes(model: keras.Model) -> None:
    explain = quantus_explain_func(GradientTimesInput, normalize="none")
    test = quantus.RandomLogit(
        similarity_func=similarity.correlation_spearman, num_classes=2, **QUIET
    )
    own = explain(model, inputs=IMAGES, targets=CLASSES)
    found = measured(test, model, a_batch=own, explain_func=explain)
    mine = metrics.random_logit(
        lambda images, seed: explain(model, inputs=images, targets=1 - CLASSES)[:, 0],
        IMAGES,
        own[:, 0],
    )
    np.testing.assert_allclose(mine, found, atol=1e-6)


def test_quantus_asks_for_the_maps_itself(model: keras.Model) -> None:
    explain = quantus_explain_func(Saliency)
    heatmaps = explain(model, inputs=IMAGES, targets=CLASSES)[:, 0]
    found = measured(quantus.Sparseness(**QUIET), model, a_batch=None, explain_func=explain)
    np.testing.assert_allclose(found, metrics.sparseness(heatmaps), rtol=1e-4)
    flipping = quantus.PixelFlipping(features_in_step=20, **QUIET)
    curves = measured(flipping, model, a_batch=None, explain_func=explain, softmax=True)
    assert np.shape(curves) == (COUNT, 5)
    test = quantus.MPRT(layer_order="independent", **QUIET)
    found = measured(test, model, a_batch=None, explain_func=explain)
    np.testing.assert_allclose(found["original"], 1)
