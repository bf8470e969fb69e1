import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import bootstrap
from sklearn.calibration import calibration_curve

from scene_classification.evaluation.bootstrap import (
    confidence_interval,
    resampled_sums,
    with_interval,
)
from scene_classification.evaluation.calibration import bin_of
from scene_classification.evaluation.metrics import measure

CLASSES = ("forest", "sea", "street")
FIGURES = ("precision", "recall", "f1")


def softmax(logits):
    powers = np.exp(logits)
    return powers / powers.sum(axis=1, keepdims=True)


def drawn(images, seed, *, classes=3, strength=2.0):
    """Labels, and probabilities that lean towards them."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(classes, size=images)
    logits = generator.normal(size=(images, classes)) + strength * np.eye(classes)[labels]
    return labels, softmax(logits)


def values(metrics):
    """Every figure that has an interval, without it."""
    averages = {
        (average, name): metrics[average][name]["value"]
        for average in ("macro", "weighted")
        for name in FIGURES
    }
    own = {
        (label, name): scores[name]["value"]
        for label, scores in metrics["per_class"].items()
        for name in FIGURES
    }
    whole = {name: metrics[name]["value"] for name in ("accuracy", "expected_calibration_error")}
    return {**whole, **averages, **own}


def intervals(metrics):
    averages = {
        (average, name): metrics[average][name]
        for average in ("macro", "weighted")
        for name in FIGURES
    }
    own = {
        (label, name): scores[name]
        for label, scores in metrics["per_class"].items()
        for name in FIGURES
    }
    return {
        "accuracy": metrics["accuracy"],
        "expected_calibration_error": metrics["expected_calibration_error"],
        **averages,
        **own,
    }


# ------------------------------------------------------------------------------ values by hand


def test_scores_counted_by_hand():
    # By true class, predicted: forest 0 0 1, sea 1 1 1 2, street 2.
    labels = [0, 0, 0, 1, 1, 1, 1, 2]
    probabilities = np.eye(3)[[0, 0, 1, 1, 1, 1, 2, 2]]
    metrics = measure(labels, probabilities, CLASSES, resamples=10)
    assert metrics["images"] == 8
    assert metrics["confusion"] == [[2, 1, 0], [0, 3, 1], [0, 0, 1]]
    assert metrics["accuracy"]["value"] == pytest.approx(6 / 8)
    expected = {"forest": (1, 2 / 3, 4 / 5, 3), "sea": (3 / 4, 3 / 4, 3 / 4, 4)}
    expected["street"] = (1 / 2, 1, 2 / 3, 1)
    for label, scores in metrics["per_class"].items():
        found = [scores[name]["value"] for name in FIGURES]
        assert [*found, scores["support"]] == pytest.approx(expected[label])
    for place, name in enumerate(FIGURES):
        each = [row[place] for row in expected.values()]
        assert metrics["macro"][name]["value"] == pytest.approx(np.mean(each))
        weighted = np.average(each, weights=[3, 4, 1])
        assert metrics["weighted"][name]["value"] == pytest.approx(weighted)


def test_log_loss_is_the_mean_of_minus_log_of_the_true_class():
    labels, probabilities = drawn(50, 1)
    metrics = measure(labels, probabilities, CLASSES, resamples=1)
    expected = -np.log(probabilities[np.arange(50), labels]).mean()
    assert metrics["log_loss"] == pytest.approx(expected)


def test_roc_auc_is_the_share_of_pairs_in_the_right_order():
    labels, probabilities = drawn(60, 2, strength=1.0)
    metrics = measure(labels, probabilities, CLASSES, resamples=1)
    for label, name in enumerate(CLASSES):
        own, rest = probabilities[labels == label, label], probabilities[labels != label, label]
        expected = (own[:, None] > rest).mean()
        assert metrics["per_class"][name]["roc_auc"] == pytest.approx(expected)
    areas = [scores["roc_auc"] for scores in metrics["per_class"].values()]
    assert metrics["macro"]["roc_auc"] == pytest.approx(np.mean(areas))
    support = np.bincount(labels)
    assert metrics["weighted"]["roc_auc"] == pytest.approx(np.average(areas, weights=support))


# --------------------------------------------------------------------------------- calibration


def test_calibration_error_by_hand():
    # Two bins: three images at 0.9 of which two are right, one at 0.6 that is wrong.
    probabilities = [[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.6, 0.4]]
    metrics = measure([0, 0, 0, 1], probabilities, ("a", "b"), resamples=1)
    expected = 3 / 4 * abs(2 / 3 - 0.9) + 1 / 4 * abs(0 - 0.6)
    assert metrics["expected_calibration_error"]["value"] == pytest.approx(expected)
    bins = {place: one for place, one in enumerate(metrics["reliability"]) if one["count"]}
    assert bins == {
        8: pytest.approx(
            {"low": 8 / 15, "high": 9 / 15, "count": 1, "confidence": 0.6, "accuracy": 0.0}
        ),
        13: pytest.approx(
            {"low": 13 / 15, "high": 14 / 15, "count": 3, "confidence": 0.9, "accuracy": 2 / 3}
        ),
    }


def test_reliability_agrees_with_scikit_learn():
    labels, probabilities = drawn(400, 3)
    metrics = measure(labels, probabilities, CLASSES, resamples=1)
    correct = probabilities.argmax(axis=1) == labels
    accuracy, confidence = calibration_curve(correct, probabilities.max(axis=1), n_bins=15)
    bins = [one for one in metrics["reliability"] if one["count"]]
    assert [one["accuracy"] for one in bins] == pytest.approx(accuracy)
    assert [one["confidence"] for one in bins] == pytest.approx(confidence)
    counts = np.array([one["count"] for one in bins])
    expected = (counts * np.abs(accuracy - confidence)).sum() / 400
    assert metrics["expected_calibration_error"]["value"] == pytest.approx(expected)


def test_sure_and_right_is_calibrated():
    metrics = measure([0, 1, 2], np.eye(3), CLASSES, resamples=20)
    assert metrics["expected_calibration_error"] == {"value": 0, "low": 0, "high": 0}


@given(st.lists(st.floats(0, 1), min_size=1))
def test_a_confidence_lies_in_its_bin(confidences):
    confidence = np.array(confidences)
    place = bin_of(confidence)
    edges = np.linspace(0, 1, 16)
    assert (confidence <= edges[place + 1]).all()
    assert ((edges[place] < confidence) | (place == 0)).all()


# ----------------------------------------------------------------------------------- intervals


def test_intervals_are_those_of_measuring_each_resample_anew():
    images, resamples, seed = 40, 60, 5
    labels, probabilities = drawn(images, 4)
    metrics = measure(labels, probabilities, CLASSES, resamples=resamples, seed=seed)
    generator = np.random.default_rng(seed)
    resampled = []
    for _ in range(resamples):
        chosen = generator.integers(images, size=images)
        anew = measure(labels[chosen], probabilities[chosen], CLASSES, resamples=1)
        resampled.append(values(anew))
    for key, figure in intervals(metrics).items():
        draws = [one[key] for one in resampled]
        assert None not in draws
        low, high = np.percentile(draws, [2.5, 97.5])
        assert [figure["low"], figure["high"]] == pytest.approx([low, high], abs=1e-12)


def test_the_interval_of_a_share_is_that_of_the_normal_approximation():
    images, accuracy = 4000, 0.8
    right = np.arange(images) < accuracy * images
    labels = np.arange(images) % 2
    probabilities = np.eye(2)[np.where(right, labels, 1 - labels)]
    figure = measure(labels, probabilities, ("a", "b"), resamples=4000)["accuracy"]
    half = 1.96 * math.sqrt(accuracy * (1 - accuracy) / images)
    assert figure["value"] == pytest.approx(accuracy)
    # The ends of an interval are themselves drawn: within a twentieth of its half width.
    assert figure["low"] == pytest.approx(accuracy - half, abs=0.05 * half)
    assert figure["high"] == pytest.approx(accuracy + half, abs=0.05 * half)


def test_resampled_sums_draw_as_many_images_as_there_are():
    sums = resampled_sums(np.ones((30, 1)), 50, seed=0)
    assert (sums == 30).all()
    # Of n images, a resample holds another number of times each: variance 1 - 1/n.
    times = resampled_sums(np.eye(30), 4000, seed=0)
    assert times.mean() == pytest.approx(1)
    assert times.var() == pytest.approx(1 - 1 / 30, rel=0.02)


def test_resamples_without_the_figure_are_left_aside():
    draws = np.array([np.nan, 1.0, 1.0, np.nan])
    assert with_interval(0.5, draws) == {"value": 0.5, "low": 1.0, "high": 1.0}
    assert with_interval(0.5, draws[:1]) == {"value": 0.5, "low": None, "high": None}
    assert with_interval(np.nan, draws) == {"value": None, "low": None, "high": None}


def test_the_seed_decides_the_intervals_alone():
    labels, probabilities = drawn(80, 6)
    first, again, other = (measure(labels, probabilities, CLASSES, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert intervals(first) != intervals(other)
    assert values(first) == values(other)


# ---------------------------------------------------------------------------------------- laws


@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.integers(2, 5))
def test_what_holds_for_every_measurement(seed, images, classes):
    labels, probabilities = drawn(images, seed, classes=classes)
    names = [f"class {label}" for label in range(classes)]
    metrics = measure(labels, probabilities, names, resamples=30)
    json.dumps(metrics, allow_nan=False)
    confusion = np.array(metrics["confusion"])
    assert confusion.sum() == metrics["images"] == images
    assert np.trace(confusion) / images == pytest.approx(metrics["accuracy"]["value"])
    supports = [scores["support"] for scores in metrics["per_class"].values()]
    assert supports == confusion.sum(axis=1).tolist()
    assert metrics["weighted"]["recall"]["value"] == pytest.approx(metrics["accuracy"]["value"])
    assert sum(one["count"] for one in metrics["reliability"]) == images
    for figure in intervals(metrics).values():
        if figure["value"] is not None:
            assert 0 <= figure["low"] <= figure["high"] <= 1

    order = np.random.default_rng(seed).permutation(images)
    turned = values(measure(labels[order], probabilities[order], names, resamples=1))
    assert turned == pytest.approx(values(metrics))


def test_absent_and_unpredicted_classes_are_none():
    undefined = {"value": None, "low": None, "high": None}
    # "sea" is absent and never predicted, "street" is predicted alone, "forest" is there alone.
    probabilities = np.array([[0.8, 0.1, 0.1], [0.2, 0.1, 0.7]])
    metrics = measure([0, 0], probabilities, CLASSES, resamples=50)
    scores = metrics["per_class"]
    assert all(scores["sea"][name] == undefined for name in FIGURES)
    assert scores["street"]["recall"] == undefined
    assert scores["street"]["precision"] == {"value": 0, "low": 0, "high": 0}
    assert [one["roc_auc"] for one in scores.values()] == [None, None, None]
    assert metrics["macro"]["roc_auc"] is None
    assert metrics["macro"]["recall"]["value"] == 0.5
    assert metrics["macro"]["f1"]["value"] == pytest.approx((2 / 3 + 0) / 2)


# -------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("labels", "probabilities", "message"),
    [
        ([0, 1], np.eye(3), r"labels of shape \(2,\) and probabilities of shape \(3, 3\)"),
        ([], np.empty((0, 3)), "not empty"),
        ([0, 1, -1], np.eye(3), r"labels holds \[-1\] .* from 0 to 2"),
        ([0.0, 1.0, 2.0], np.eye(3), "as float64; give class indices"),
        ([0, 1, 2], 2 * np.eye(3), "rows that sum to 2 … 2 .* give the output of a softmax"),
        ([0, 1, 2], np.full((3, 3), np.nan), "give the output of a softmax"),
    ],
)
def test_arguments_that_do_not_fit_are_named(labels, probabilities, message):
    with pytest.raises(ValueError, match=message):
        measure(labels, probabilities, CLASSES)


def test_the_interval_of_a_mean_is_that_of_scipy():
    values = np.random.default_rng(0).beta(2, 5, 200)
    found = confidence_interval(values, seed=1, resamples=5000)
    other = bootstrap((values,), np.mean, n_resamples=5000, method="percentile").confidence_interval
    assert found["value"] == pytest.approx(values.mean())
    assert (found["low"], found["high"]) == pytest.approx((other.low, other.high), abs=2e-3)


def test_undefined_values_are_left_out():
    found = confidence_interval(np.array([np.nan, 0.5, 0.5]), seed=0)
    assert found == {"value": 0.5, "low": 0.5, "high": 0.5}
    nothing = confidence_interval(np.array([np.nan]), seed=0)
    assert nothing == {"value": None, "low": None, "high": None}
